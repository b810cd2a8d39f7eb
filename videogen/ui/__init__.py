"""The Gradio page. It reads and writes through `videogen.client` alone."""

from videogen.ui.form import Limits
from videogen.ui.page import MountedPage
from videogen.ui.settings import PageSettings

__all__ = ["Limits", "MountedPage", "PageSettings"]
