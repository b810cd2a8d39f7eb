"""Counts of what visitors do, where several processes count together: a storage of the package `limits`."""

from __future__ import annotations

import math
import time

from limits.storage import Storage
from limits.storage.base import SlidingWindowCounterSupport, TimestampedSlidingWindow
from sqlalchemy import Connection, text
from sqlmodel import col, delete, select

from videogen.db.operating_tables import RateCountRow

_ADD = text(
    "INSERT INTO rate_counts (key, count, expires_at) VALUES (:key, :amount, :expires_at) "
    "ON CONFLICT (key) DO UPDATE SET count = rate_counts.count + excluded.count "
    "RETURNING count, (SELECT before.count FROM rate_counts AS before WHERE before.key = :previous)"
)


class RateCounts(Storage, SlidingWindowCounterSupport, TimestampedSlidingWindow):
    """The counts as one transaction sees them. If it is rolled back, nothing was counted."""

    STORAGE_SCHEME = None
    base_exceptions = ()

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount`; False where that is too many, and the transaction is to be rolled back."""
        now = time.time()
        previous_key, current_key = self.sliding_window_keys(key, expiry, now)
        current, previous = self._add(current_key, 2 * expiry, amount, previous_key)
        return math.floor(previous * _part_left(now, expiry)) + current <= limit

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """How much was counted in the last window, and in this one; each with the seconds until it is over."""
        now = time.time()
        previous_key, current_key = self.sliding_window_keys(key, expiry, now)
        left = _part_left(now, expiry) * expiry
        return self.get(previous_key), left, self.get(current_key), left + expiry

    def clear_sliding_window(self, key: str, expiry: int) -> None:
        """Forget both windows."""
        for name in self.sliding_window_keys(key, expiry, time.time()):
            self.clear(name)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a count, and return it."""
        return self._add(key, expiry, amount, "")[0]

    def _add(self, key: str, expiry: int, amount: int, previous_key: str) -> tuple[int, int]:
        """Add to a count; return it, and another one. Who adds to the same one at the same time waits."""
        values = {"key": key, "amount": amount, "expires_at": time.time() + expiry, "previous": previous_key}
        current, previous = self._connection.execute(_ADD, values).one()
        return int(current), int(previous or 0)

    def get(self, key: str) -> int:
        """A count; 0 where nothing was counted."""
        return self._connection.scalar(select(RateCountRow.count).where(RateCountRow.key == key)) or 0

    def get_expiry(self, key: str) -> float:
        """When a count is forgotten, in seconds since the epoch."""
        found = self._connection.scalar(select(RateCountRow.expires_at).where(RateCountRow.key == key))
        return time.time() if found is None else found

    def clear(self, key: str) -> None:
        """Forget a count."""
        self._connection.execute(delete(RateCountRow).where(col(RateCountRow.key) == key))

    def reset(self) -> int | None:
        """Forget everything; how many counts that were."""
        return int(self._connection.execute(delete(RateCountRow)).rowcount)

    def check(self) -> bool:
        """Whether it answers: the database says so itself."""
        return True


def _part_left(now: float, expiry: int) -> float:
    """How much of the last window is still within one window's length before now."""
    return 1 - now / expiry % 1
