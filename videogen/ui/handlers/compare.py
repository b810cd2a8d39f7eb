"""Compare several results."""

from __future__ import annotations

import asyncio

from videogen.client import ApiError
from videogen.ui.handlers.registry import Click, handles
from videogen.ui.panels.compare import MOST
from videogen.ui.panels.compare import compare as compared
from videogen.ui.tab import Dialog, Notice, Tab


@handles("compare")
async def compare(tab: Tab, click: Click) -> None:
    """Show the generations of `ids` side by side, in this order; where there are none, the selected ones."""
    ids = list(dict.fromkeys(click.ids)) or tab.history.picked_ids()
    if not 2 <= len(ids) <= MOST:
        tab.notice = Notice(tab.texts.gettext("compare.limits", most=MOST), "warning")
        return
    try:
        items = await asyncio.gather(*(tab.client.get(one) for one in ids))
    except ApiError as refusal:
        if refusal.status != 404:
            raise
        tab.notice = Notice(tab.texts.gettext("compare.gone"), "warning")
        return
    tab.dialog = Dialog("compare", compared(tab, items))


@handles("compare-open")
async def open_one(tab: Tab, click: Click) -> None:
    """Put one of the compared on the stage."""
    tab.close_dialog()
    await tab.fetch(click.generation_id)
    tab.board.choose(click.generation_id)
