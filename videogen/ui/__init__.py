"""The Gradio page. It reads and writes through `videogen.client` alone."""

from videogen.ui.form import Limits
from videogen.ui.page import PageSettings, mount_page

__all__ = ["Limits", "PageSettings", "mount_page"]
