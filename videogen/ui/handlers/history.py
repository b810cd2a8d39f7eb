"""The history: what is looked for, its pages, and what is done with one entry."""

from __future__ import annotations

from dataclasses import replace

from videogen.client import ApiError
from videogen.core.text import file_name
from videogen.schemas.generations import Generation
from videogen.schemas.status import Status
from videogen.ui.address import Filters, parse
from videogen.ui.arrival import show_address
from videogen.ui.handlers.registry import Click, handles
from videogen.ui.history import load
from videogen.ui.panels.history import until
from videogen.ui.tab import Dialog, Notice, Tab


async def search(tab: Tab, words: str) -> None:
    """Look for words while they are typed."""
    words = words[:200].strip()
    if words != tab.history.filters.q:
        tab.history.look(replace(tab.history.filters, q=words))
        await load(tab.client, tab.history)


@handles("filter")
async def filter_(tab: Tab, click: Click) -> None:
    """Look for what was pressed, with all else that is looked for; pressed again, for anything."""
    name, value = click.text("name"), click.text("value")
    wanted = tab.history.filters.texts()
    changed = {**wanted, name: "" if wanted.get(name) == value else value}
    tab.history.look(Filters.read(changed))
    tab.history.steps += 1
    await load(tab.client, tab.history)


@handles("clear-filters")
async def clear_filters(tab: Tab, _click: Click) -> None:
    """Look for nothing in particular."""
    tab.history.look(Filters())
    tab.history.search = ""
    tab.history.steps += 1
    await load(tab.client, tab.history)


@handles("older")
async def older(tab: Tab, _click: Click) -> None:
    """The next page."""
    tab.history.older()
    await load(tab.client, tab.history)


@handles("newer")
async def newer(tab: Tab, _click: Click) -> None:
    """The page before."""
    tab.history.newer()
    await load(tab.client, tab.history)


@handles("go")
async def go(tab: Tab, click: Click) -> None:
    """Back or Forward in the browser: `search` is the query of the address, `shown` what was on the stage there."""
    address = parse(click.text("search", 8000))
    if address == tab.address():
        return
    tab.arrival = address
    if (address.filters, address.before) != (tab.history.filters, tab.history.before):
        if address.filters.q != tab.history.filters.q:
            tab.history.search = address.filters.q
        tab.history.look(address.filters, address.before)
        await load(tab.client, tab.history)
    shown = click.text("shown", 100)
    if (wanted := address.generation or shown) and tab.board.get(wanted) is None:
        await tab.fetch(wanted)
    show_address(tab, shown)


@handles("entry")
async def entry(tab: Tab, click: Click) -> None:
    """A dialog with what can be done with one entry."""
    item = await _read(tab, click.generation_id) if click.generation_id else None
    if item is None:
        return
    done = item.status is Status.COMPLETED and item.error is None
    values = {
        "id": item.id,
        "name": tab.texts.short(item.title or item.prompt),
        "title": item.title,
        "prompt": item.prompt,
        "until": until(tab, item),
        "file": (item.video_url or item.image_url) if done else None,
        "file_name": file_name(item.title or item.prompt, "mp4" if item.type == "video" else "png"),
    }
    tab.dialog = Dialog("entry", values)


@handles("rename")
async def rename(tab: Tab, click: Click) -> None:
    """Give an entry a title; without one it is called after its prompt."""
    await _change(tab, click.generation_id, title=click.text("title").strip())
    tab.close_dialog()


@handles("favorite")
async def favorite(tab: Tab, click: Click) -> None:
    """Mark an entry as a favourite, or take the mark away: `on` is the mark that was pressed."""
    await _change(tab, click.generation_id, favorite=click.text("on") != "true")


async def _change(tab: Tab, generation_id: str, title: str | None = None, favorite: bool | None = None) -> None:
    try:
        changed = await tab.client.patch(generation_id, title, favorite)
    except ApiError as refusal:
        if refusal.status != 404:
            raise
        _gone(tab, generation_id)
        return
    tab.changed.add(generation_id)
    tab.board.put(changed)
    tab.history.replace(changed)
    if tab.history.filters != Filters():
        # It may match no longer.
        await load(tab.client, tab.history)


async def _read(tab: Tab, generation_id: str) -> Generation | None:
    await tab.fetch(generation_id)
    found = tab.board.get(generation_id)
    if found is None:
        _gone(tab, generation_id)
    return found


def _gone(tab: Tab, generation_id: str) -> None:
    tab.board.drop(generation_id)
    tab.history.remove({generation_id})
    tab.notice = Notice(tab.texts.gettext("notice.gone"), "warning")
