"""The exports of what is on the stage: read when it gets there, followed while they are made."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from videogen.client import ClientError
from videogen.schemas.exports import Export
from videogen.schemas.generations import Generation
from videogen.schemas.status import Status

if TYPE_CHECKING:
    from videogen.ui.tab import Tab

RETRY_SECONDS: Final = 5.0
"""When to read the exports again where one cannot be followed."""


@dataclass(slots=True)
class Exports:
    """What a tab knows of the exports of the generation on its stage."""

    generation_id: str = ""
    """Empty where there is nothing to export."""
    items: tuple[Export, ...] = ()
    awaited: set[str] = field(default_factory=set)
    """Ids of those that somebody has asked for here: they are downloaded when they are ready."""
    outdated: asyncio.Event = field(default_factory=asyncio.Event)
    """Set where they are to be read again."""

    def show(self, item: Generation | None) -> None:
        """Be about what is on the stage now."""
        is_done = item is not None and item.status is Status.COMPLETED and item.error is None
        wanted = item.id if item is not None and is_done and item.type == "video" else ""
        if wanted != self.generation_id:
            self.generation_id, self.items = wanted, ()
            self.outdated.set()

    def put(self, export: Export) -> str | None:
        """Take in a newer state; return the address of what the browser is to download now."""
        if export.generation_id == self.generation_id:
            others = [one for one in self.items if one.id != export.id]
            self.items = (*others, export)
        if not export.has_ended or export.id not in self.awaited:
            return None
        self.awaited.discard(export.id)
        return export.url


async def follow_exports(tab: Tab, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Keep the exports of a tab true, until this is cancelled. `sleep` waits for so many seconds."""
    followed: dict[str, asyncio.Task[None]] = {}
    try:
        while True:
            await tab.exports.outdated.wait()
            tab.exports.outdated.clear()
            # What cannot be read is read again with the next click, or when something else is shown.
            with suppress(ClientError):
                found = await tab.client.exports(tab.exports.generation_id) if tab.exports.generation_id else ()
                _take_in(tab, found)
            wanted = {one.id for one in tab.exports.items if not one.has_ended} | tab.exports.awaited
            for name in [name for name in followed if name not in wanted]:
                followed.pop(name).cancel()
            for name in wanted:
                if name not in followed or followed[name].done():
                    followed[name] = asyncio.create_task(_follow(tab, name, sleep))
    finally:
        for task in followed.values():
            task.cancel()


async def _follow(tab: Tab, export_id: str, sleep: Callable[[float], Awaitable[None]]) -> None:
    try:
        async with aclosing(tab.client.watch_export(export_id)) as items:
            async for item in items:
                if isinstance(item, Export):
                    _take_in(tab, [item])
    except ClientError:
        # It was removed, or there are too many streams.
        tab.exports.awaited.discard(export_id)
        await sleep(RETRY_SECONDS)
        tab.exports.outdated.set()


def _take_in(tab: Tab, exports: Sequence[Export]) -> None:
    for one in exports:
        tab.download = tab.exports.put(one) or tab.download
    tab.ring(urgent=any(one.has_ended for one in exports))
