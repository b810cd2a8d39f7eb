"""Removes what nobody needs any more while the app runs, so that the database stops growing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from videogen.core.errors import StorageError
from videogen.core.memory import return_free_memory
from videogen.storage import Storage
from videogen.store import Store

logger = logging.getLogger(__name__)
INTERVAL_SECONDS: Final = 600.0
"""How often to look."""
PROGRESS_SECONDS: Final = 3600.0
"""How long progress events are kept after the end of their generation."""
UPLOAD_SECONDS: Final = 24 * 3600.0
"""How long an image is kept that no generation uses."""
SESSION_SECONDS: Final = 24 * 3600.0
"""How long a session is kept that owns nothing, after its last use."""
LINKED_SESSION_SECONDS: Final = 30 * 24 * 3600.0
"""The same for one that was opened on other devices too."""


class UnusedRemover:
    """Removes expired codes and links, unused uploads, old progress events, and sessions that own nothing."""

    def __init__(self, store: Store, storage: Storage) -> None:
        self._store, self._storage = store, storage
        self._progress_until = 0
        """The last events up to this id have no progress before them any more."""

    def run(self, is_stopping: Callable[[], bool]) -> None:
        """Remove what is due, and give freed memory back. What fails is logged, and the next run tries again."""
        for remove_some in (self._remove_expired, self._remove_uploads, self._remove_progress, self._remove_sessions):
            try:
                while not is_stopping() and remove_some():
                    pass
            except (StorageError, OSError) as problem:
                logger.warning("What is not needed any more could not be removed: %s", problem)
            except Exception:  # the thread must not end
                logger.exception("What is not needed any more could not be removed.")
        return_free_memory()

    def _remove_expired(self) -> bool:
        self._store.remove_expired()
        return False

    def _remove_uploads(self) -> bool:
        # A file without a row stays: with a database that was restored from a backup it may be needed.
        rows = self._store.remove_unused_uploads(self._store.clock() - UPLOAD_SECONDS)
        for row in rows:
            self._storage.delete(row.key)
        return bool(rows)

    def _remove_progress(self) -> bool:
        following = self._store.remove_progress(self._progress_until, self._store.clock() - PROGRESS_SECONDS)
        self._progress_until = following or self._progress_until
        return following is not None

    def _remove_sessions(self) -> bool:
        # First what was used since the last run, or it would look unused.
        self._store.write_uses()
        now = self._store.clock()
        return self._store.remove_idle_sessions(now - SESSION_SECONDS, now - LINKED_SESSION_SECONDS) > 0
