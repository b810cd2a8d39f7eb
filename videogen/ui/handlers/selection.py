"""Several entries of the history at once: select, delete, bring back, one zip of them; and the trash."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from videogen.schemas.history import MAX_IDS
from videogen.ui.handlers.registry import Click, handles
from videogen.ui.history import load
from videogen.ui.tab import Dialog, Notice, Tab


@handles("pick-start")
async def pick_start(tab: Tab, click: Click) -> None:
    """Begin to select, with an entry where one was clicked; or end it."""
    if click.generation_id:
        tab.history.pick(click.generation_id)
    else:
        tab.history.pick_all([] if tab.history.picked is None else None)
    tab.close_dialog()


@handles("pick")
async def pick(tab: Tab, click: Click) -> None:
    """Select an entry, or take it out again; with Shift all between it and the one before."""
    tab.history.pick(click.generation_id, ranged=click.data.get("shift") is True)


@handles("pick-here")
async def pick_here(tab: Tab, _click: Click) -> None:
    """Select all that are shown; where all are, none."""
    here = [item.id for item in tab.history.items]
    picked = tab.history.picked or {}
    tab.history.pick_all([] if all(name in picked for name in here) else [*picked, *here])


@handles("pick-all")
async def pick_all(tab: Tab, _click: Click) -> None:
    """Select all that match, on every page."""
    tab.history.pick_all([name async for name in tab.client.ids(**tab.history.filters.query())])


@handles("pick-end")
async def pick_end(tab: Tab, _click: Click) -> None:
    """End the selection."""
    tab.history.pick_all(None)


@handles("zip")
async def zip_(tab: Tab, _click: Click) -> None:
    """Have the browser download one zip of the selected ones."""
    ids = tab.history.picked_ids()
    if len(ids) > MAX_IDS:
        tab.notice = Notice(tab.texts.gettext("history.zip_limit", most=MAX_IDS), "warning")
        return
    bundle = await tab.client.zip_link(ids)
    tab.download = bundle.url
    tab.notice = Notice(tab.texts.gettext("history.zip_comes", count=bundle.count))


@handles("trash")
async def trash(tab: Tab, click: Click) -> None:
    """Delete one entry, or the selected ones; the notice takes it back."""
    ids = [click.generation_id] if click.generation_id else tab.history.picked_ids()
    if not ids:
        return
    name = next((item.title or item.prompt for item in tab.history.items if [item.id] == ids), "")
    gone: list[str] = []
    running = False
    try:
        for part in _parts(ids):
            answer = await tab.client.trash(part)
            gone += answer.ids
            running = running or any(one.code == "not_terminal" for one in answer.left_out)
    finally:
        take_away(tab, gone)
        tab.changed |= set(gone)
        tab.close_dialog()
    tab.notice = _deleted(tab, gone, name, running=running)
    await load(tab.client, tab.history)


def _deleted(tab: Tab, gone: Sequence[str], name: str, *, running: bool) -> Notice:
    gettext = tab.texts.gettext
    if not gone:
        return Notice(gettext("history.still_running" if running else "history.not_there"), "warning")
    words = (
        gettext("history.deleted_one", name=tab.texts.short(name))
        if name
        else gettext("history.deleted", count=len(gone))
    )
    return Notice(words, undo=tuple(gone))


def take_away(tab: Tab, gone: Collection[str]) -> None:
    """Take deleted ones from the list and from the stage, which then shows the older neighbour, else the newer one."""
    shown = tab.board.selected_id or ""
    names = [item.id for item in tab.history.items]
    place = names.index(shown) if shown in names else 0
    following = next((name for name in (*names[place:], *reversed(names[:place])) if name not in gone), None)
    for name in gone:
        tab.board.drop(name)
    if shown in gone:
        if following is not None:
            tab.board.put(next(item for item in tab.history.items if item.id == following))
        tab.board.show(following)
        # The address is that of what is shown in its place.
        tab.arrival = replace(tab.arrival, generation=tab.arrival.generation and (following or ""))
    if gone:
        tab.history.shown_before = shown if shown in gone else ""
    tab.history.remove(set(gone))


def take_over(tab: Tab, other: Tab) -> None:
    """Show what was renamed, marked, deleted or brought back in another tab of the browser."""
    gone = {name for name in other.changed if other.board.get(name) is None}
    for item in filter(None, map(other.board.get, other.changed)):
        if tab.board.get(item.id) is not None:
            tab.board.put(item)
        tab.history.replace(item)
    if gone:
        take_away(tab, gone)
    tab.history.outdated.set()
    tab.exports.outdated.set()
    tab.ring(urgent=True)


@handles("restore")
async def restore(tab: Tab, click: Click) -> None:
    """Bring deleted ones back: one of the trash, those of a button, or those of the notice."""
    ids = click.ids or [click.generation_id] if click.generation_id or click.ids else _undoable(tab)
    back: list[str] = []
    for part in _parts(ids):
        back += (await tab.client.restore(part)).ids
    tab.changed |= set(back)
    words = tab.texts.gettext("history.back", count=len(back)) if back else tab.texts.gettext("history.too_late")
    tab.notice = Notice(words, "info" if back else "warning")
    if tab.history.shown_before in back:
        await tab.fetch(tab.history.shown_before)
        tab.board.show(tab.history.shown_before)
    await load(tab.client, tab.history)
    if tab.dialog is not None and tab.dialog.name == "trash":
        await open_trash(tab, click)


def _undoable(tab: Tab) -> list[str]:
    return list(tab.notice.undo) if tab.notice is not None else []


@handles("open-trash")
async def open_trash(tab: Tab, _click: Click) -> None:
    """A dialog with what can be brought back, and until when."""
    page = await tab.client.list_trash(limit=100)
    items = [
        {
            "id": item.id,
            "name": tab.texts.short(item.title or item.prompt),
            "until": tab.texts.gettext("trash.until", time=tab.texts.moment(item.restorable_until)),
        }
        for item in page.items
    ]
    tab.dialog = Dialog("trash", {"items": items, "more": page.next_cursor is not None})


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """As many ids at once as the API takes."""
    return (ids[start : start + MAX_IDS] for start in range(0, len(ids), MAX_IDS))
