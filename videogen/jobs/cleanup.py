"""Cleanup: what a crash left behind, the work folders of ended generations, the trash, and what is unused."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from functools import partial
from queue import Empty, SimpleQueue
from typing import Final

from videogen.core.errors import StorageError
from videogen.core.text import counted
from videogen.db.database import Database
from videogen.db.integrity import check
from videogen.db.signals import StoredEvent
from videogen.db.sqlite import damaged
from videogen.jobs.render_logs import RenderLogs
from videogen.jobs.unused import INTERVAL_SECONDS, UnusedRemover
from videogen.schemas.events import is_terminal
from videogen.storage import DataFolder, Storage
from videogen.store import Store

logger = logging.getLogger(__name__)
Keep = Callable[[], Collection[str] | None]
"""Returns the keys of files that stay; None: all."""
_TRASH: Final = ""
"""Means the trash, in the queue of generation ids."""
_RETRY_SECONDS: Final = 60.0
"""When to try again if the trash could not be emptied."""
_FOLDERS_SECONDS: Final = 30.0
"""How often all work folders are looked at: an event is lost with a connection, and the database may have been away."""
_MAX_WAIT_SECONDS: Final = 3600.0
"""The longest wait for a time of the system clock, which may be set meanwhile."""


def look_for_damage(database: Database) -> None:
    """Check a database that was too large for the check at the start; `/readyz` reports the outcome."""
    verdict = check(database.path)
    if verdict.faults:
        database.damage = damaged(verdict.faults[0]).detail
        logger.error("%s", database.damage)


def sweep(store: Store, storage: Storage, data_folder: DataFolder) -> int:
    """Complete the removals that a crash interrupted, and remove scratch files; return how many things that were.

    Files that no row names are not touched: with a database that was restored from a backup they may be the newest
    videos. `videogen doctor` lists them.

    Raises:
        StorageError: the database cannot be read.
    """
    count = complete_removals(store, storage, data_folder) + data_folder.remove_scratch()
    if count:
        logger.info("Removed %s of an earlier crash.", counted(count, "leftover"))
    return count


def complete_removals(store: Store, storage: Storage, data_folder: DataFolder, seconds: float = 0.0) -> int:
    """Remove the files of removals that began more than so many seconds ago; return how many those were.

    Raises:
        StorageError: the database cannot be used.
    """
    removals = store.list_removals(seconds)
    _complete(store, storage, data_folder, removals)
    return len(removals)


def _complete(store: Store, storage: Storage, data_folder: DataFolder, ids: Collection[str]) -> None:
    # What an import has brought back meanwhile stays.
    store.end_removals(
        [name for name in ids if remove_files(storage, data_folder, name, partial(store.keys_kept, name))]
    )


def remove_generations(
    store: Store, storage: Storage, data_folder: DataFolder, delete_rows: Callable[[], Collection[str]]
) -> frozenset[str]:
    """Remove generations: their rows, then their files.

    A crash before the rows are deleted changes nothing; after a later one, `complete_removals` removes the files.

    Args:
        store, storage, data_folder: where they are.
        delete_rows: deletes the rows; returns the ids of those generations. If it raises, everything stays.

    Returns:
        these ids.
    """
    gone = frozenset(delete_rows())
    try:
        _complete(store, storage, data_folder, gone)
    except StorageError as problem:
        logger.warning("The files of %s are removed later: %s", counted(len(gone), "generation"), problem.detail)
    return gone


def remove_files(storage: Storage, data_folder: DataFolder, generation_id: str, keep: Keep = tuple) -> bool:
    """Remove the work folder of a generation and its files, except those with the keys that `keep` returns.

    It is called when the files are listed: what another process stores after its row has been read stays. If a file
    cannot be deleted, it returns False: try again later.
    """
    data_folder.remove_work_folder(generation_id)
    try:
        found = [file.key for file in storage.list(f"{generation_id}/")]
        kept = keep()
        for key in () if kept is None else sorted(set(found) - set(kept)):
            storage.delete(key)
    except (StorageError, OSError) as problem:
        logger.warning("%s: not all of its files could be removed: %s", generation_id, problem)
        return False
    return True


class CleanupThread:
    """Removes what nobody needs any more: files of ended generations, the overdue trash, and see `UnusedRemover`.

    `run` is for a thread of its own.
    """

    def __init__(self, store: Store, storage: Storage, data_folder: DataFolder, is_held: Callable[[str], bool]) -> None:
        """`is_held`: whether a renderer may still write files of a generation; `check` must be called after that."""
        self._store, self._storage, self._data_folder, self._is_held = store, storage, data_folder, is_held
        self._logs = RenderLogs(store, storage, data_folder)
        self._ended: SimpleQueue[str | None] = SimpleQueue()
        self._unused = UnusedRemover(store, storage)
        self._unused_due = self._folders_due = 0.0
        self._again = set[str]()
        """Where files could not be removed."""
        self._stopping = threading.Event()
        if not storage.is_shared:
            # Else each process checks what it has rendered; what is left of others comes with `complete_removals`.
            store.database.listen(self._check_ended)

    def check(self, generation_id: str) -> None:
        """Clean up after a generation, if it has ended."""
        self._ended.put(generation_id)

    def check_trash(self) -> None:
        """Note that generations were put into the trash."""
        self._ended.put(_TRASH)

    def stop(self) -> None:
        """Let `run` return after everything that was passed to `check`."""
        self._stopping.set()
        self._ended.put(None)

    def run(self) -> None:
        """Clean up after an earlier crash, then after one generation after the other, until `stop`."""
        try:
            sweep(self._store, self._storage, self._data_folder)
        except Exception:  # the thread must not end; the next start tries again
            logger.exception("What an earlier crash left could not be removed.")
        due = self._remove_due()
        while True:
            try:
                ended = self._ended.get(timeout=max(0.0, due - time.monotonic()))
            except Empty:
                ended = _TRASH
            if ended is None:
                break
            if ended == _TRASH or time.monotonic() >= due:
                due = self._remove_due()
            # A generation that is held is checked again when its renderer is gone.
            if ended != _TRASH and not self._is_held(ended):
                self._remove_leftovers(ended)
        self._end()

    def _end(self) -> None:
        """Try again what is left. Nothing starts here any more: what is unfinished goes on elsewhere, or at a start."""
        for generation_id in self._again.union(self._data_folder.list_work_folders()):
            if not self._is_held(generation_id) and self._remove_leftovers(generation_id) and self._storage.is_shared:
                self._data_folder.remove_work_folder(generation_id)
        self._complete_removals(0.0)

    def _remove_due(self) -> float:
        """Remove what is due; return when to do so again, as a time of the monotonic clock."""
        due = self._empty_trash()
        if time.monotonic() >= self._unused_due:
            self._unused.run(self._stopping.is_set)
            self._unused_due = time.monotonic() + INTERVAL_SECONDS
        if time.monotonic() >= self._folders_due:
            again, self._again = self._again, set()
            for generation_id in again.union(self._data_folder.list_work_folders()):
                self.check(generation_id)
            self._complete_removals(_RETRY_SECONDS)
            self._folders_due = time.monotonic() + _FOLDERS_SECONDS
        return min(due, self._unused_due, self._folders_due)

    def _complete_removals(self, seconds: float) -> None:
        try:
            complete_removals(self._store, self._storage, self._data_folder, seconds)
        except StorageError as problem:
            logger.warning("Interrupted removals could not be completed yet: %s", problem.detail)

    def _empty_trash(self) -> float:
        """Empty the trash of what is due; return when to do so again, as a time of the monotonic clock."""
        try:
            while due := self._store.due_for_removal():
                for generation_id in due:
                    delete_rows = partial(self._store.remove_trashed, generation_id)
                    remove_generations(self._store, self._storage, self._data_folder, delete_rows)
            next_removal = self._store.next_removal()
            wait = _MAX_WAIT_SECONDS if next_removal is None else next_removal - self._store.clock()
        except StorageError as problem:
            logger.warning("The trash could not be emptied yet: %s", problem.detail)
            wait = _RETRY_SECONDS
        except Exception:  # the thread must not end
            logger.exception("The trash could not be emptied.")
            wait = _RETRY_SECONDS
        return time.monotonic() + min(wait, _MAX_WAIT_SECONDS)

    def _remove_leftovers(self, generation_id: str) -> bool:
        """Remove what a generation that has ended leaves, apart from its log; False if that has to be done later."""
        try:
            if self._store.keys_kept(generation_id) is not None:
                self._logs.keep(generation_id)
                keep = partial(self._store.keys_kept, generation_id)
                if not remove_files(self._storage, self._data_folder, generation_id, keep):
                    self._again.add(generation_id)
                elif self._storage.is_shared:
                    self._store.end_removals([generation_id])
        except StorageError as problem:
            self._again.add(generation_id)
            logger.warning("%s: its leftovers could not be removed yet: %s", generation_id, problem.detail)
            return False
        except Exception:  # the thread must not end; the next look at all folders tries again
            logger.exception("%s: its leftovers could not be removed.", generation_id)
            return False
        return True

    def _check_ended(self, events: list[StoredEvent]) -> None:
        for event in events:
            if is_terminal(event.type):
                self.check(event.generation_id)
