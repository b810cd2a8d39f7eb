"""Keep: the time for which results are kept counts anew."""

from __future__ import annotations

from videogen.client import ApiError
from videogen.ui.handlers.registry import Click, handles
from videogen.ui.history import load
from videogen.ui.tab import Notice, Tab


@handles("keep")
async def keep(tab: Tab, click: Click) -> None:
    """Keep one entry, or all that go soon."""
    ids = click.ids or [click.generation_id]
    kept = 0
    for generation_id in ids:
        try:
            tab.board.put(await tab.client.keep(generation_id))
        except ApiError as refusal:
            if refusal.status != 404:
                raise
        else:
            kept += 1
    tab.changed |= set(ids)
    tab.close_dialog()
    tab.retention = await tab.client.retention()
    words = tab.texts.gettext("keep.kept", count=kept) if kept else tab.texts.gettext("notice.gone")
    tab.notice = Notice(words, "info" if kept else "warning")
    await load(tab.client, tab.history)


@handles("zip-these")
async def zip_these(tab: Tab, click: Click) -> None:
    """Have the browser download one zip of what goes soon."""
    tab.download = (await tab.client.zip_link(click.ids)).url
