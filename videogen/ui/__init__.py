"""The Gradio page. It reads and writes through `videogen.client` alone."""

from videogen.ui.form import Limits
from videogen.ui.page import mount_page
from videogen.ui.settings import PageSettings

__all__ = ["Limits", "PageSettings", "mount_page"]
