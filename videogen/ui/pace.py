"""How often a page is told something, so that many pages in one process do not fall behind."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from time import monotonic
from typing import Final

FASTEST: Final = 0.05
SLOWEST: Final = 2.0
SHARE: Final = 0.5
"""The part of this process's time that all pages together may take."""


class Pace:
    """Shared by all pages: the interval grows with the number of busy pages and with what one turn costs."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._turn = 0.002
        self._told: dict[Hashable, float] = {}

    @property
    def interval(self) -> float:
        """Seconds that should lie between two turns of the same page."""
        since = self._clock() - SLOWEST
        busy = sum(1 for told in self._told.values() if told >= since)
        return min(SLOWEST, max(FASTEST, busy * self._turn / SHARE))

    def pause(self, page: Hashable) -> float:
        """Seconds until this page may be told something again; at most zero when it may be now."""
        told = self._told.get(page)
        return 0.0 if told is None else told + self.interval - self._clock()

    def turned(self, page: Hashable, seconds: float) -> None:
        """Note that a page was told something, and how long it took until it could be told more."""
        self._told[page] = self._clock()
        # One page that stalls must not slow down all others.
        self._turn += 0.1 * (min(seconds, 10 * self._turn) - self._turn)

    def left(self, page: Hashable) -> None:
        """Forget a page that was closed."""
        self._told.pop(page, None)
