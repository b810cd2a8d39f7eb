"""Generations: select, cancel, retry."""

from __future__ import annotations

from typing import Final, cast, get_args

from videogen.client import ApiError
from videogen.core.text import shorten
from videogen.schemas.generations import ResolveAction
from videogen.ui.handlers.registry import Click, handles
from videogen.ui.retention import note_stage
from videogen.ui.tab import Dialog, Notice, Tab

LOG_CHARS: Final = 60_000
"""So much of a log's end is shown."""


@handles("select")
async def select(tab: Tab, click: Click) -> None:
    """Put a generation on the stage, with links that are fresh."""
    try:
        tab.board.put(await tab.client.get(click.generation_id))
    except ApiError as refusal:
        if refusal.status != 404:
            raise
        tab.board.drop(click.generation_id)
        tab.notice = Notice(tab.texts.gettext("notice.gone"), "warning")
        return
    tab.board.choose(click.generation_id)
    await note_stage(tab)


@handles("grid")
async def grid(tab: Tab, _click: Click) -> None:
    """Show all variations of the selected one together."""
    if tab.board.selected is not None:
        tab.board.grid = tab.board.selected.project_id


@handles("cancel")
async def cancel(tab: Tab, click: Click) -> None:
    """Stop a generation; the renderer confirms through the stream."""
    tab.board.cancelling.add(click.generation_id)
    tab.ring(urgent=True)
    try:
        tab.board.put(await tab.client.cancel(click.generation_id))
    except Exception:
        tab.board.cancelling.discard(click.generation_id)
        raise


@handles("retry")
async def retry(tab: Tab, click: Click) -> None:
    """Start the same recipe again."""
    made = await tab.client.retry(click.generation_id)
    tab.board.put(made)
    tab.board.select(made.id)


@handles("ask-resubmit")
async def ask_resubmit(tab: Tab, click: Click) -> None:
    """Ask before one that needs attention is sent again: it may be paid twice."""
    if (item := tab.board.get(click.generation_id)) is not None and item.needs_attention:
        tab.dialog = Dialog("resubmit", {"id": item.id, "name": shorten(item.title or item.prompt, 80)})


@handles("resolve")
async def resolve(tab: Tab, click: Click) -> None:
    """Do what was decided about one that needs attention. One that is sent again comes on the stage."""
    action = click.text("action")
    if action not in get_args(ResolveAction):
        return
    tab.close_dialog()
    try:
        made = await tab.client.resolve(click.generation_id, cast(ResolveAction, action))
    except ApiError:
        # Somebody may have decided elsewhere.
        await tab.fetch(click.generation_id)
        raise
    tab.board.put(made)
    if made.id != click.generation_id:
        tab.board.select(made.id)


@handles("renew")
async def renew(tab: Tab, click: Click) -> None:
    """Read a generation again: a link of it has expired, or its file is gone."""
    await tab.fetch(click.generation_id)


@handles("log")
async def log(tab: Tab, click: Click) -> None:
    """Show what the engine printed."""
    text = await tab.client.log(click.generation_id)
    item = tab.board.get(click.generation_id)
    name = shorten(item.title or item.prompt, 80) if item else ""
    tab.dialog = Dialog("log", {"name": name, "text": text[-LOG_CHARS:], "cut": len(text) > LOG_CHARS})
