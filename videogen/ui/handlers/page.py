"""The notice and the dialog."""

from __future__ import annotations

from videogen.ui.handlers.registry import Click, handles
from videogen.ui.tab import Tab


@handles("close-notice")
async def close_notice(tab: Tab, _click: Click) -> None:
    """Take the message away."""
    tab.notice = None


@handles("close-dialog")
async def close_dialog(tab: Tab, _click: Click) -> None:
    """Close what is open."""
    tab.close_dialog()
