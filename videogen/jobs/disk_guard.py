"""Room on the disk: what waits until there is some, instead of failing for the lack of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from videogen.core.errors import DatabaseDamagedError, StorageError
from videogen.jobs.queue import EmbeddedQueue
from videogen.storage.disk import DiskStorage

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
"""How often a worker looks whether there is room again."""
WAITING: Final = "Waits for free disk space"


class DiskGuard:
    """The workers' view of the disk. Thread-safe."""

    def __init__(self, queue: EmbeddedQueue, storage: DiskStorage, stopping: threading.Event) -> None:
        self._queue, self._storage, self._stopping = queue, storage, stopping
        self._lock = threading.Lock()
        self._short: bool | None = None
        """None: not known yet; an earlier process may have left word that there is no room."""
        self._complaint = ""

    def is_short(self) -> bool:
        """Whether nothing new should be rendered. Those who are queued are told, also when it is over."""
        with self._lock:
            why = self._storage.shortage()
            try:
                if why is not None:
                    self._queue.hold(WAITING)
                elif self._short is not False:
                    self._queue.release()
            except StorageError as problem:
                self.complain(problem)
                self._storage.note_fault()
                return True
            if why is not None and not self._short:
                logger.warning("Nothing is rendered until there is room. %s", why)
            elif why is None and self._short:
                logger.warning("There is room again; rendering goes on.")
            self._short = why is not None
            return self._short

    def insist(self, write: Callable[[], None]) -> None:
        """Write what must not be lost: again and again, until the disk takes it.

        Raises:
            StorageError: the process stops, or the database is damaged; then waiting does not help.
        """
        while True:
            try:
                write()
            except DatabaseDamagedError:
                raise
            except StorageError as problem:
                self._storage.note_fault()
                self.complain(problem)
                if self._stopping.wait(LOOK_SECONDS):
                    raise
            else:
                self._complaint = ""
                return

    def complain(self, problem: StorageError) -> None:
        """Log a fault once, however often it is met in a row: a full disk must not fill up with words about it."""
        if problem.detail != self._complaint:
            self._complaint = problem.detail
            logger.error("%s", problem.detail)
