"""How much may be stored: by one session, and by all (`MAX_STORAGE_MB_PER_SESSION`, `MAX_STORAGE_GB`)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from videogen.core.config import PREFIX, AppConfig
from videogen.core.errors import Limit, LimitExceededError
from videogen.store import RetentionRules, Store

T = TypeVar("T")
KEPT_SECONDS: Final = 10.0
"""How long what depends on the size of all files is remembered: with a million files it takes a tenth of a second to
add up."""
RETRY_SECONDS: Final = 3600


class Remembered(Generic[T]):
    """A value that is worked out again after `KEPT_SECONDS`. Thread-safe."""

    def __init__(self, work_out: Callable[[], T], clock: Callable[[], float]) -> None:
        self._work_out, self._clock = work_out, clock
        self._lock = threading.Lock()
        self._known: tuple[float, T] | None = None

    def __call__(self) -> T:
        """The value; working it out may block."""
        with self._lock:
            now = self._clock()
            if self._known is None or not 0 <= now - self._known[0] < KEPT_SECONDS:
                self._known = now, self._work_out()
            return self._known[1]


class StorageLimits:
    """Refuses what would be stored above a limit. Blocks on the database: call it from a thread."""

    def __init__(self, store: Store, config: AppConfig, make_room: Callable[[], None] = lambda: None) -> None:
        """`make_room` has what was used longest ago removed soon."""
        self._store, self._rules, self._make_room = store, RetentionRules.of(config), make_room
        self._per_session = round(config.max_storage_mb_per_session * 1e6)
        self._all = round(config.max_storage_gb * 1e9)
        self._stored_by_all = Remembered(store.stored_bytes, store.clock) if self._all else None

    def check(self, session_id: str, added: int = 0) -> None:
        """Check that a session may store more: `added` bytes, or something of unknown size.

        Raises:
            LimitExceededError: a limit is reached, or would be exceeded.
        """
        if self._per_session:
            used = self._store.stored_bytes(session_id)
            if self._is_over(self._per_session, used, added, session_id):
                raise LimitExceededError(
                    f"The storage of this session is full: {used / 1e6:.1f} of {self._per_session / 1e6:g} MB are used "
                    f"({PREFIX}MAX_STORAGE_MB_PER_SESSION). Delete videos or pictures that you no longer need; "
                    "what is in the trash counts until it is removed.",
                    RETRY_SECONDS,
                    Limit("storage_mb_per_session", self._per_session, used),
                )
        if self._stored_by_all is not None:
            used = self._stored_by_all()
            if self._is_over(self._all, used, added):
                raise LimitExceededError(
                    f"The storage of this server is full: {used / 1e9:.2f} of {self._all / 1e9:g} GB are used "
                    f"({PREFIX}MAX_STORAGE_GB). Delete videos or pictures that you no longer need, or try again later.",
                    RETRY_SECONDS,
                    Limit("storage_gb", self._all, used),
                )

    def _is_over(self, limit: int, used: int, added: int, session_id: str | None = None) -> bool:
        """Whether a limit would be exceeded. With retention, room is made for what is added, if enough may go."""
        excess = max(used + added, used + 1) - limit
        if excess > 0 and self._rules.seconds and self._store.removable_bytes(self._rules, session_id) >= excess:
            self._make_room()
            return False
        return excess > 0
