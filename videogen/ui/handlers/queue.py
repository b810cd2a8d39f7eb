"""The session's queue: pause and resume it, and change the order and the requests of what waits."""

from __future__ import annotations

from collections.abc import Callable

from videogen.client import ApiError
from videogen.schemas.status import Status
from videogen.ui.edit import EditForm, read_changes
from videogen.ui.handlers.registry import Click, handles
from videogen.ui.tab import Dialog, Tab


@handles("pause")
async def pause(tab: Tab, _click: Click) -> None:
    """Let nothing begin."""
    tab.board.put_queue(await tab.client.pause_queue())


@handles("resume")
async def resume(tab: Tab, _click: Click) -> None:
    """Let the queue go on."""
    tab.board.put_queue(await tab.client.resume_queue())


@handles("front")
async def front(tab: Tab, click: Click) -> None:
    """Move one before all others that wait."""
    await _move(tab, click, lambda _place: 0)


@handles("earlier")
async def earlier(tab: Tab, click: Click) -> None:
    """Move one before the one before it."""
    await _move(tab, click, lambda place: max(place - 1, 0))


@handles("later")
async def later(tab: Tab, click: Click) -> None:
    """Move one behind the one behind it."""
    await _move(tab, click, lambda place: place + 1)


async def _move(tab: Tab, click: Click, target: Callable[[int], int]) -> None:
    waiting = [item.id for item in tab.board.line() if item.status is Status.QUEUED]
    if click.generation_id not in waiting:
        return
    place = waiting.index(click.generation_id)
    waiting.remove(click.generation_id)
    if (new := min(target(place), len(waiting))) == place:
        return
    before = waiting[new] if new < len(waiting) else None
    try:
        tab.board.put(await tab.client.move(click.generation_id, before))
    finally:
        tab.board.put_queue(await tab.client.queue())


@handles("edit")
async def edit(tab: Tab, click: Click) -> None:
    """Show what one that waits was asked for, to be changed."""
    item = await tab.client.get(click.generation_id)
    tab.board.put(item)
    form = EditForm.of(item, tab.site.engine(item.engine))
    tab.dialog = Dialog("edit", {"id": item.id, "fields": form.fields, "problem": ""})


@handles("save-edit")
async def save_edit(tab: Tab, click: Click) -> None:
    """Change it. What was refused stays in the dialog, with the reason."""
    if tab.dialog is None or tab.dialog.name != "edit":
        return
    values = tab.dialog.values
    fields, changes = read_changes(values["fields"], click.data)
    try:
        if changes:
            tab.board.put(await tab.client.edit(values["id"], **changes))
    except ApiError as refusal:
        tab.dialog = Dialog("edit", {**values, "fields": fields, "problem": tab.texts.refusal(refusal)})
        return
    tab.close_dialog()
