"""How much may be stored: by one session, and by all (`MAX_STORAGE_MB_PER_SESSION`, `MAX_STORAGE_GB`)."""

from __future__ import annotations

import threading
from typing import Final

from videogen.core.config import PREFIX, AppConfig
from videogen.core.errors import Limit, LimitExceededError
from videogen.store import Store

KEPT_SECONDS: Final = 10.0
"""How long the size of all files is remembered: with a million files it takes a tenth of a second to add up."""
RETRY_SECONDS: Final = 3600


class StorageLimits:
    """Refuses what would be stored above a limit. Blocks on the database: call it from a thread."""

    def __init__(self, store: Store, config: AppConfig) -> None:
        self._store = store
        self._per_session = round(config.max_storage_mb_per_session * 1e6)
        self._all = round(config.max_storage_gb * 1e9)
        self._lock = threading.Lock()
        self._total = 0
        self._total_at = float("-inf")

    def check(self, session_id: str, added: int = 0) -> None:
        """Check that a session may store more: `added` bytes, or something of unknown size.

        Raises:
            LimitExceededError: a limit is reached, or would be exceeded.
        """
        if self._per_session:
            used = self._store.stored_bytes(session_id)
            if max(used + added, used + 1) > self._per_session:
                raise LimitExceededError(
                    f"The storage of this session is full: {used / 1e6:.1f} of {self._per_session / 1e6:g} MB are used "
                    f"({PREFIX}MAX_STORAGE_MB_PER_SESSION). Delete videos or pictures that you no longer need; "
                    "what is in the trash counts until it is removed.",
                    RETRY_SECONDS,
                    Limit("storage_mb_per_session", self._per_session, used),
                )
        if self._all:
            used = self._stored_by_all()
            if max(used + added, used + 1) > self._all:
                raise LimitExceededError(
                    f"The storage of this server is full: {used / 1e9:.2f} of {self._all / 1e9:g} GB are used "
                    f"({PREFIX}MAX_STORAGE_GB). Delete videos or pictures that you no longer need, or try again later.",
                    RETRY_SECONDS,
                    Limit("storage_gb", self._all, used),
                )

    def _stored_by_all(self) -> int:
        with self._lock:
            now = self._store.clock()
            if not 0 <= now - self._total_at < KEPT_SECONDS:
                self._total, self._total_at = self._store.stored_bytes(), now
            return self._total
