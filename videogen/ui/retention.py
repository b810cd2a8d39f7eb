"""What a tab says about the time for which things are kept: read again when something is about to change."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

from videogen.client import ApiError, ClientError
from videogen.schemas.generations import Generation
from videogen.ui.tab import Tab

SHORTEST: Final = 2.0
LONGEST: Final = 600.0
"""Seconds between two looks. What is on the stage counts as used for longer than that."""


async def follow_retention(tab: Tab, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]]) -> None:
    """Keep what a tab says true, until this is cancelled; it ends at once where everything is kept for ever.

    Args:
        clock: seconds since the epoch.
        sleep: waits for so many seconds.
    """
    while True:
        before = tab.retention
        try:
            await note_stage(tab)
            tab.retention = await tab.client.retention()
        except ApiError as refusal:
            if refusal.status == 404:
                return  # an API of an earlier version
        except ClientError:
            pass  # tried again soon
        if tab.retention is not None and tab.retention.hours is None:
            return
        if before is not None and before != tab.retention:
            tab.history.outdated.set()
        tab.ring()
        await _first(sleep(min(LONGEST, max(SHORTEST, _next_change(tab) - clock()))), tab.retention_outdated.wait())
        tab.retention_outdated.clear()


async def _first(*waiting: Awaitable[object]) -> None:
    """Wait for the first of these; the others are cancelled."""
    tasks = [asyncio.ensure_future(one) for one in waiting]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
    for task in done:
        task.result()


def _next_change(tab: Tab) -> float:
    """When something goes next, or is to be warned of, in seconds since the epoch."""
    if tab.retention is None:
        return 0.0
    moments = [one.expires_at for one in tab.retention.soon]
    moments += [tab.retention.next_warning_at] if tab.retention.next_warning_at else []
    return min((moment.timestamp() for moment in moments), default=float("inf")) + 1


async def note_stage(tab: Tab) -> None:
    """Have what is on the stage not removed for the next minutes, where things are removed at all."""
    item = tab.board.selected
    if tab.retention is not None and tab.retention.hours is not None and item is not None:
        with suppress(ApiError):
            await tab.client.note_use(item.id)


def changed(tab: Tab, removed: Sequence[str]) -> None:
    """Take what was removed for good off the tab at once; have it read again what goes next."""
    for generation_id in removed:
        if tab.board.get(generation_id) is not None:
            tab.board.drop(generation_id)
    if removed:
        tab.history.drop(removed)
        tab.history.outdated.set()
    tab.retention_outdated.set()
    tab.ring()


def kept_until(tab: Tab, item: Generation) -> datetime | None:
    """Until when one is kept. The history was read last; no event says it."""
    listed = next((one for one in tab.history.items if one.id == item.id), item)
    return listed.expires_at
