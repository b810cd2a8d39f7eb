"""How often a page is told something, so that many pages in one process do not fall behind."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from time import monotonic, thread_time
from typing import Final

FASTEST: Final = 0.05
SLOWEST: Final = 0.5
"""Seconds; with what a turn takes on its way, what is shown is never a second old. A process that cannot hold this
has too many pages."""
SHARE: Final = 0.7
"""The part of the event loop's time that may go into turns, with all that leads up to them."""
WINDOW: Final = 0.5
"""Seconds over which the cost of a turn is measured."""


class Pace:
    """Shared by all pages: the interval grows with the number of busy pages and with what one turn costs.

    The cost is the processor time of the event loop's thread, which a turn shares with everything else that goes on
    there: what others do makes a turn dearer too. Waiting costs nothing, so that one page that stalls slows down no
    other.
    """

    def __init__(self, clock: Callable[[], float] = monotonic, spent: Callable[[], float] = thread_time) -> None:
        """Make a pace; use it in one thread.

        Args:
            clock: seconds that only go forward.
            spent: processor seconds of the thread so far.
        """
        self._clock, self._spent = clock, spent
        self._sent_at: dict[Hashable, float] = {}
        self._turn = 0.002
        self._turns = 0
        self._since: tuple[float, float] | None = None
        self.interval = FASTEST
        """Seconds that should lie between two turns of the same page."""

    def pause(self, page: Hashable) -> float:
        """Seconds until this page may be told something again; at most zero when it may be now."""
        given = self._sent_at.get(page)
        return 0.0 if given is None else given + self.interval - self._clock()

    def turned(self, page: Hashable) -> None:
        """Note that a page was told something."""
        now = self._clock()
        self._sent_at[page] = now
        self._turns += 1
        if self._since is None:
            self._since = (now, self._spent())
        elif now - self._since[0] >= WINDOW:
            self._measure(now)

    def left(self, page: Hashable) -> None:
        """Forget a page that was closed."""
        self._sent_at.pop(page, None)

    def _measure(self, now: float) -> None:
        assert self._since is not None
        spent = self._spent()
        cost = (spent - self._since[1]) / self._turns
        # A window in which little happened says little about a turn.
        weight = min(0.5, self._turns / 20)
        self._turn += weight * (cost - self._turn)
        self._since, self._turns = (now, spent), 0
        # Within what any busy page would have been told twice.
        busy = sum(1 for given in self._sent_at.values() if given >= now - 2 * SLOWEST)
        self.interval = min(SLOWEST, max(FASTEST, busy * self._turn / SHARE))
