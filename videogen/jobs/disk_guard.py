"""Free space on the disk: nothing new is rendered while there is too little, and important writes are repeated."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from videogen.core.errors import DatabaseDamagedError, StorageAwayError, StorageError
from videogen.schemas.status import HELD
from videogen.storage import DataFolder
from videogen.store import Store

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
"""How often a worker checks whether there is free space again."""
WAITING: Final = "Waits for free disk space"


class DiskGuard:
    """The workers' view of the disk. Thread-safe."""

    def __init__(self, store: Store, data_folder: DataFolder, stopping: threading.Event) -> None:
        self._store, self._data_folder, self._stopping = store, data_folder, stopping
        self._lock = threading.Lock()
        self._short: bool | None = None
        """None: not known yet; an earlier process or the operator may have held the queue."""
        self._last_logged = ""

    def is_clear(self) -> bool:
        """Whether there is space, and nothing held the queue at the last look. A claim sees what the operator holds."""
        with self._lock:
            return self._short is False and self._data_folder.shortage() is None

    def is_held(self) -> bool:
        """Whether nothing may start: the operator has paused the queue, or there is too little space."""
        with self._lock:
            try:
                if self._store.is_queue_held():
                    self._store.hold_queue(HELD)
                    self._short = None
                    return True
            except StorageError as problem:
                self.log_once(problem)
                self._data_folder.note_fault()
                return True
        return self.is_short()

    def takes_nothing(self, problem: StorageError) -> bool:
        """Note that a result could not be stored; return whether that may last: the disk is full, or a bucket away."""
        self._data_folder.note_fault()
        return self.is_short() or isinstance(problem, StorageAwayError)

    def is_short(self) -> bool:
        """Whether nothing new may be rendered. What is queued shows the reason, until there is space again."""
        with self._lock:
            shortage = self._data_folder.shortage()
            try:
                if shortage is not None:
                    self._store.hold_queue(WAITING)
                elif self._short is not False:
                    self._store.release_queue()
            except StorageError as problem:
                self.log_once(problem)
                self._data_folder.note_fault()
                return True
            if shortage is not None and not self._short:
                logger.warning("Nothing is rendered until there is free space. %s", shortage)
            elif shortage is None and self._short:
                logger.warning("There is free space again; rendering continues.")
            self._short = shortage is not None
            return self._short

    def retry_until_stored(self, write: Callable[[], None]) -> None:
        """Call `write`, once a second, until it raises no `StorageError`.

        Raises:
            StorageError: the process stops, or the database is damaged; then waiting does not help.
        """
        while True:
            try:
                write()
                self._last_logged = ""
                return
            except DatabaseDamagedError:
                raise
            except StorageError as problem:
                self._data_folder.note_fault()
                self.log_once(problem)
                if self._stopping.wait(LOOK_SECONDS):
                    raise

    def log_once(self, problem: StorageError) -> None:
        """Log a fault, but not the same one again: a full disk must not fill up with log lines."""
        if problem.detail != self._last_logged:
            self._last_logged = problem.detail
            logger.error("%s", problem.detail)
