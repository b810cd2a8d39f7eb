"""A clock that never goes back, even when the system clock is set."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

MAX_AHEAD_SECONDS: Final = 2 * 3600.0
"""How far this clock may be ahead of the system clock. If that is set back further, it was wrong before."""


class SteadyClock:
    """Seconds since the epoch. Thread-safe.

    It follows the system clock forwards. When that is set back, it continues by the monotonic clock until the system
    clock has caught up.
    """

    def __init__(self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._lock = threading.Lock()
        self._now, self._at = wall(), monotonic()

    def __call__(self) -> float:
        """The current time in seconds since the epoch."""
        with self._lock:
            wall, at = self._wall(), self._monotonic()
            expected = self._now + (at - self._at)
            self._now, self._at = wall if wall < expected - MAX_AHEAD_SECONDS else max(wall, expected), at
            return self._now

    def not_before(self, moment: float) -> None:
        """Start at `moment` at the earliest, such as the newest time in the database, unless that is far ahead."""
        with self._lock:
            if moment - self._wall() <= MAX_AHEAD_SECONDS:
                self._now = max(self._now, moment)


def to_datetime(seconds: float) -> datetime:
    """Seconds since the epoch as a time in UTC, rounded to the millisecond, as the API has it."""
    return datetime.fromtimestamp(round(seconds, 3), UTC)
