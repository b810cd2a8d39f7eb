"""What one visitor may do, counted for each session and each address: rates, and what is going on at once.

Rates are common to all processes. What is going on at once is counted by each: it is the work of that process.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Literal

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, Storage
from limits.strategies import RateLimiter, SlidingWindowCounterRateLimiter

from videogen.core.config import PREFIX, RATE_OFF, AppConfig
from videogen.core.errors import Limit, LimitExceededError
from videogen.db.database import Database, UnitOfWork
from videogen.store.rates import RateCounts

Action = Literal[
    "sessions", "submits", "claims", "uploads", "explanations", "webhooks", "reports", "admin", "logins", "exports"
]
_WORDS: Final[dict[Action, str]] = {
    "sessions": "new sessions",
    "submits": "generations",
    "claims": "wrong codes",
    "uploads": "uploads",
    "explanations": "explanations of a prompt",
    "webhooks": "new webhooks and tests of one",
    "reports": "reports",
    "admin": "wrong tokens of the operator",
    "logins": "sign-ins",
    "exports": "exports",
}
_FIXED_RATES: Final[dict[Action, str]] = {
    "explanations": "600/minute",
    "webhooks": "30/10 minutes",
    "reports": "10/hour",
    "admin": "10/10 minutes",
    "logins": "60/10 minutes",
    "exports": "60/10 minutes",
}
"""Not settings: they are above what a person needs, and bound the work that one visitor can cause."""
MAX_COUNTERS: Final = 10_000
"""With more counters, the oldest are forgotten. Whoever has so many addresses has as many allowances anyway."""
SLOT_RETRY_SECONDS: Final = 10
IMPORTS_PER_SESSION: Final = 1
IMPORTS_PER_ADDRESS: Final = 2
ZIPS_PER_SESSION: Final = 2
ZIPS_PER_ADDRESS: Final = 8


class RateLimits:
    """Counts what visitors do, with the settings `RATE_SESSIONS`, `RATE_SUBMITS`, `RATE_CLAIMS` and `RATE_UPLOADS`,
    and the fixed ones.

    Where one process serves alone, in memory, and a restart forgets all counts; else in the database. It blocks there:
    call it from a thread.
    """

    def __init__(
        self, config: AppConfig, database: Database | None = None, hash_address: Callable[[str], str] = str
    ) -> None:
        """
        Args:
            config: has the rates.
            database: where several processes count; None: in memory.
            hash_address: how an address is stored there.
        """
        settings: dict[Action, str] = {
            action: _FIXED_RATES.get(action) or getattr(config, f"rate_{action}") for action in _WORDS
        }
        self._rates = {action: parse(text) for action, text in settings.items() if text != RATE_OFF}
        self._database, self._memory, self._hash_address = database, MemoryStorage(), hash_address
        self._lock = threading.Lock()

    def count(
        self,
        action: Action,
        address: str,
        session_id: str | None = None,
        cost: int = 1,
        unit: UnitOfWork | None = None,
    ) -> None:
        """Count an action for an address, and for a session where there is one; nothing is counted if it is refused.

        With `unit`, a write transaction that runs, it counts if that is committed.

        Raises:
            LimitExceededError: one of them has done this too often.
        """
        if action not in self._rates:
            return
        if self._database is None:
            with self._lock:
                self._check(self._memory, action, address, session_id, cost)
                self._hit(self._memory, action, address, session_id, cost)
                self._forget_oldest()
            return
        hashed = self._hash_address(address)
        if unit is not None:
            self._hit(RateCounts(unit.connection), action, hashed, session_id, cost)
        else:
            with self._database.write(exclusive=False, durable=False) as own:
                self._hit(RateCounts(own.connection), action, hashed, session_id, cost)

    def check(self, action: Action, address: str) -> None:
        """The same without counting: for what counts only if it fails."""
        if action not in self._rates:
            return
        if self._database is None:
            with self._lock:
                self._check(self._memory, action, address, None, 1)
        else:
            with self._database.read() as session:
                self._check(RateCounts(session.connection()), action, self._hash_address(address), None, 1)

    def _check(self, counts: Storage, action: Action, address: str, session_id: str | None, cost: int) -> None:
        # Two numbers for each counter, whatever the limit is.
        rate, window = self._rates[action], SlidingWindowCounterRateLimiter(counts)
        for scope, name in _keys(address, session_id):
            if not window.test(rate, action, scope, name, cost=cost):
                raise _rate_exceeded(action, rate, window, (scope, name))

    def _hit(self, counts: Storage, action: Action, address: str, session_id: str | None, cost: int) -> None:
        rate, window = self._rates[action], SlidingWindowCounterRateLimiter(counts)
        for scope, name in _keys(address, session_id):
            if not window.hit(rate, action, scope, name, cost=cost):
                raise _rate_exceeded(action, rate, window, (scope, name))

    def _forget_oldest(self) -> None:
        # One call of `list` is atomic; the storage removes what has expired in a thread of its own.
        if len(self._memory.storage) > MAX_COUNTERS:
            for key in list(self._memory.storage)[: MAX_COUNTERS // 10]:
                self._memory.clear(key)


def _keys(address: str, session_id: str | None) -> list[tuple[str, str]]:
    return [("address", address)] + ([("session", session_id)] if session_id else [])


def _rate_exceeded(
    action: Action, rate: RateLimitItem, window: RateLimiter, key: tuple[str, str]
) -> LimitExceededError:
    scope, reset = key[0], window.get_window_stats(rate, action, *key).reset_time
    wait = max(1, math.ceil(reset - time.time()))
    number, unit = rate.multiples, rate.GRANULARITY.name
    span = f"{number} {unit}s" if number > 1 else f"one {unit}"
    again = f"{wait} seconds" if wait < 100 else f"{round(wait / 60)} minutes"
    setting = "" if action in _FIXED_RATES else f" ({PREFIX}RATE_{action.upper()})"
    return LimitExceededError(
        f"Too many {_WORDS[action]}: at most {rate.amount} in {span} from one {scope}{setting}. Try again in {again}.",
        wait,
        Limit(f"{action}_per_{scope}", rate.amount, window_seconds=rate.get_expiry()),
    )


class SlotLimits:
    """Counts what is going on at once, of one kind. Use it in the event loop only."""

    def __init__(self, name: str, per_session: int, per_address: int, words: str) -> None:
        """
        Args:
            name: of the kind, such as `streams`.
            per_session, per_address: how many there may be.
            words: what a visitor who has too many reads, with `{allowed}`, `{scope}` and `{SCOPE}`.
        """
        self._name = name
        self._allowed = {"session": per_session, "address": per_address}
        self._words = words
        self._open: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def slot(self, address: str, session_id: str | None = None) -> Iterator[None]:
        """Hold a place for this address, and for this session where there is one, until the block ends.

        Raises:
            LimitExceededError: one of them holds too many.
        """
        keys = _keys(address, session_id)
        for scope, name in keys:
            if self._open[scope, name] >= self._allowed[scope]:
                words = self._words.format(allowed=self._allowed[scope], scope=scope, SCOPE=scope.upper())
                limit = Limit(f"{self._name}_per_{scope}", self._allowed[scope], self._open[scope, name])
                raise LimitExceededError(words, SLOT_RETRY_SECONDS, limit)
        self._open.update(keys)
        try:
            yield
        finally:
            self._open.subtract(keys)
            for key in keys:
                if not self._open[key]:
                    del self._open[key]

    @property
    def open_count(self) -> int:
        """How many places are held in all."""
        return sum(count for (scope, _), count in self._open.items() if scope == "address")


def stream_limits(config: AppConfig) -> SlotLimits:
    """Limits open event streams."""
    words = (
        "Too many open event streams: at most {allowed} of one {scope} "
        f"({PREFIX}MAX_STREAMS_PER_{{SCOPE}}). Close some pages or streams."
    )
    return SlotLimits("streams", config.max_streams_per_session, config.max_streams_per_address, words)


def import_limits() -> SlotLimits:
    """Limits imports that are received or run."""
    words = "Too many imports at once: at most {allowed} of one {scope}. Try again when one has ended."
    return SlotLimits("imports", IMPORTS_PER_SESSION, IMPORTS_PER_ADDRESS, words)


def zip_limits() -> SlotLimits:
    """Limits zips that are made while they are sent."""
    words = "Too many zips are being downloaded: at most {allowed} of one {scope}. Try again when one has ended."
    return SlotLimits("zips", ZIPS_PER_SESSION, ZIPS_PER_ADDRESS, words)
