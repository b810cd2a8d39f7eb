"""The thread that takes a snapshot whenever something has changed, and fetches restored files in the background."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from videogen.core.errors import StartError, StorageError
from videogen.db.backup import ChangeWatch
from videogen.jobs.snapshots.place import at_text
from videogen.jobs.snapshots.start import SnapshotStart
from videogen.storage import DataFolder

logger = logging.getLogger(__name__)
STOP_SECONDS: Final = 8.0
"""How long the last snapshot of a stop may take."""
_RETRY_SECONDS: Final = 15.0


@dataclass
class SnapshotStatus:
    """What is known of the snapshots of this run."""

    taken: int = 0
    failed: int = 0
    last_at: float | None = None
    """As of when the last one is, in seconds since the epoch."""
    last_seconds: float = 0.0
    last_bytes: int = 0
    fault: str = ""
    """Why the last try failed; empty when it did not."""
    is_foreign: bool = False
    """Another server has taken over; no more are taken."""
    files_missing: int = 0
    """Files that are not fetched yet."""


class SnapshotKeeper:
    """Takes the snapshots of one run."""

    def __init__(self, start: SnapshotStart, data_folder: DataFolder, seconds: float) -> None:
        """`seconds`: how much may be lost."""
        self._start, self._data_folder, self._seconds = start, data_folder, seconds
        self.status = SnapshotStatus()
        self._watch = ChangeWatch(start.source.database)
        self._seen: int | None = None
        self._stopping = threading.Event()
        self._turn = threading.Lock()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin."""
        targets = {"snapshots": self._run, "fetch-files": self._fetch_files}
        self._threads = [threading.Thread(target=run, name=name, daemon=True) for name, run in targets.items()]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Take the last snapshot, in bounded time. Everything else that writes has stopped before."""
        self._stopping.set()
        last = threading.Thread(target=self._take_last, name="last-snapshot", daemon=True)
        last.start()
        last.join(STOP_SECONDS)
        if last.is_alive():
            logger.warning("The last snapshot was not finished in %g seconds, and is left out.", STOP_SECONDS)
        self._watch.close()

    def _run(self) -> None:
        pause = 0.0  # the first one at once: a restore, and what an earlier process left, is saved
        while not self._stopping.wait(pause):
            begun = time.monotonic()
            try:
                is_done = self._take_if_changed()
            except Exception:  # the thread must not end
                logger.exception("The snapshot failed.")
                is_done = False
            if self.status.is_foreign:
                return
            # What changed just after the copy must be at the place within the interval: the next one must end by then.
            took = time.monotonic() - begun
            pause = max(self._seconds - 2 * took, self._seconds / 2)
            if not is_done:
                pause = min(pause, _RETRY_SECONDS)

    def _take_last(self) -> None:
        with self._turn:
            if not self.status.is_foreign:
                self._take(clean=True)

    def _take_if_changed(self) -> bool:
        with self._turn:
            version = self._version()
            if version is not None and version == self._seen:
                return True
            if self._stopping.is_set() or not self._take(clean=False):
                return False
            self._seen = version
            return True

    def _version(self) -> int | None:
        try:
            return self._watch.version()
        except StorageError:
            return None

    def _take(self, *, clean: bool) -> bool:
        """Take one; a fault is logged, once, and shows in the status."""
        begun = time.monotonic()
        try:
            if self._start.taker is None:
                self._start.open()
            assert self._start.taker is not None
            entry = self._start.taker.take(clean=clean)
            if entry is None:
                self._give_up("Another server goes on from these snapshots; this one takes no more.")
                return False
            assert entry.database is not None
            self._note(entry.at, time.monotonic() - begun, entry.database.size)
            if not clean:
                self._start.taker.remove_old()
        except StartError as problem:
            self._give_up(problem.detail)
            return False
        except (OSError, StorageError) as problem:
            self._note_fault(f"{problem}")
            return False
        return True

    def _note(self, at: datetime, seconds: float, size: int) -> None:
        status = self.status
        if status.fault:
            logger.warning("Snapshots are taken again.")
        status.taken, status.fault = status.taken + 1, ""
        status.last_at, status.last_seconds, status.last_bytes = at.timestamp(), seconds, size
        logger.info("Snapshot %s in %.2f seconds.", at_text(at), seconds)

    def _note_fault(self, fault: str) -> None:
        self.status.failed += 1
        if fault != self.status.fault:
            logger.error("No snapshot could be taken in %s; it is tried again: %s", self._start.place.name, fault)
        self.status.fault = fault

    def _give_up(self, why: str) -> None:
        self.status.failed += 1
        self.status.is_foreign, self.status.fault = True, why
        logger.error("%s", why)

    def _fetch_files(self) -> None:
        """Fetch what is not on this disk, the newest first, as long as there is space."""
        storage, status = self._start.storage, self.status
        missing = storage.missing()
        status.files_missing = len(missing)
        for key in missing:
            while True:
                if self._stopping.is_set() or self._data_folder.shortage() is not None:
                    return  # the rest when they are asked for
                try:
                    storage.ensure(key)
                    break
                except StorageError as problem:
                    logger.warning("%s", problem.detail)
                    self._stopping.wait(_RETRY_SECONDS)
            status.files_missing -= 1
        if missing:
            logger.info("All %d files of the snapshot are on this disk.", len(missing))
