"""Time that does not go back: what happens later has a later time, even when somebody sets the machine's clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

MAX_AHEAD_SECONDS: Final = 2 * 3600.0
"""How far this may be ahead of the machine's clock. A clock that was set back further had been wrong before."""


class SteadyClock:
    """Seconds since the epoch. Follows the machine's clock forwards; when that is set back, goes on at its own pace
    until the other has caught up. Thread-safe."""

    def __init__(self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._lock = threading.Lock()
        self._now, self._at = wall(), monotonic()

    def __call__(self) -> float:
        """The time."""
        with self._lock:
            wall, at = self._wall(), self._monotonic()
            expected = self._now + (at - self._at)
            self._now, self._at = wall if wall < expected - MAX_AHEAD_SECONDS else max(wall, expected), at
            return self._now

    def not_before(self, moment: float) -> None:
        """Begin after what was done already, such as the newest time in the database."""
        with self._lock:
            if moment - self._wall() <= MAX_AHEAD_SECONDS:
                self._now = max(self._now, moment)


def to_datetime(seconds: float) -> datetime:
    """The time in UTC that `seconds` since the epoch mean, to the millisecond: as the API writes it."""
    return datetime.fromtimestamp(round(seconds, 3), UTC)
