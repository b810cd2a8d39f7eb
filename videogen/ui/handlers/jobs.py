"""Generations: select, cancel, retry."""

from __future__ import annotations

from videogen.client import ApiError
from videogen.ui.handlers.registry import Click, handles
from videogen.ui.tab import Notice, Tab


@handles("select")
async def select(tab: Tab, click: Click) -> None:
    """Put a generation on the stage, with links that are fresh."""
    try:
        tab.board.put(await tab.client.get(click.generation_id))
    except ApiError as refusal:
        if refusal.status != 404:
            raise
        tab.board.drop(click.generation_id)
        tab.notice = Notice(tab.texts.say("notice.gone"), "warning")
        return
    tab.board.select(click.generation_id)


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
