"""The signed links of a page: read anew before they expire, for pages that stay open longer than a link is valid."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Final
from urllib.parse import parse_qs, urlsplit

from videogen.client import ClientError
from videogen.schemas.generations import Generation
from videogen.ui.tab import Tab

MARGIN: Final = 3600.0
"""Seconds before its end in which a link is renewed."""
SHORTEST: Final = 60.0
LONGEST: Final = 3600.0
"""Seconds between two looks: what is shown may have changed meanwhile."""


async def renew_links(tab: Tab, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]]) -> None:
    """Renew the links of all that a tab shows, until this is cancelled.

    Args:
        clock: seconds since the epoch.
        sleep: waits for so many seconds.
    """
    while True:
        shown = (*tab.board.all(), *tab.history.items)
        await sleep(min(LONGEST, max(SHORTEST, min(map(expiry, shown), default=math.inf) - MARGIN - clock())))
        until = clock() + MARGIN
        if expiring := _before(until, tab.board.all()):
            await asyncio.gather(*(_read_again(tab, generation_id) for generation_id in expiring))
            tab.ring()
        if _before(until, tab.history.items):
            tab.history.outdated.set()
        if any(one.url and _expiry(one.url) <= until for one in tab.exports.items):
            tab.exports.outdated.set()


def expiry(generation: Generation) -> float:
    """When the first of a generation's links expires, in seconds since the epoch; infinite where none does."""
    links = (generation.preview_url, generation.video_url, generation.image_url, generation.poster_url)
    return min((_expiry(link) for link in links if link), default=math.inf)


def _before(until: float, generations: Iterable[Generation]) -> list[str]:
    return [item.id for item in generations if expiry(item) <= until]


async def _read_again(tab: Tab, generation_id: str) -> None:
    # One that cannot be read now is tried again after the shortest pause.
    with suppress(ClientError):
        await tab.fetch(generation_id)


def _expiry(link: str) -> float:
    until = parse_qs(urlsplit(link).query).get("exp", [""])[0]
    return float(until) if until.isascii() and until.isdigit() else math.inf
