"""What is left behind: by a crash, found at the next start, and by every generation that has ended."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Final

from videogen.db.database import Database, StoredEvent, damaged
from videogen.db.integrity import check
from videogen.schemas.events import is_terminal
from videogen.storage.disk import DiskStorage
from videogen.store import Store

logger = logging.getLogger(__name__)
_TRASH: Final = ""
"""Stands for the trash among the ids of generations."""
_AGAIN_SECONDS: Final = 60.0
"""When to look again where the trash could not be emptied."""
_LOOK_SECONDS: Final = 3600.0
"""How long at most to wait for a moment by the clock of the day, which may be set meanwhile."""


def look_for_damage(database: Database) -> None:
    """Look at all of a database that was too big for the start to look at; what is found is told by `/readyz`."""
    verdict = check(database.path)
    if verdict.faults:
        database.damage = damaged(verdict.faults[0]).detail
        logger.error("%s", database.damage)


def sweep(store: Store, storage: DiskStorage) -> int:
    """End the removals that were begun, and remove scratch files; return how many things that were.

    What a generation that has ended left in its folders is tidied one by one (see `WorkerPool`). Files that nothing
    tells about are not touched here: with a database that was restored from a backup they may be the newest videos.
    `videogen doctor` names them.

    Raises:
        StorageError: the database cannot be read.
    """
    done = 0
    for generation_id in storage.announced_removals():
        keys = store.keys_kept(generation_id)
        if keys is None or keys:
            storage.take_back_removal(generation_id)  # the crash came before its rows went
        else:
            storage.remove(generation_id)
        done += 1
    done += storage.remove_scratch()
    if done:
        logger.info("%d leftovers of an earlier crash were removed.", done)
    return done


def remove_for_good(store: Store, storage: DiskStorage, generation_id: str) -> None:
    """Remove one whose time in the trash is over, with its files; one that was restored meanwhile stays.

    Raises:
        StorageError: the disk or the database cannot be written; nothing was removed.
    """
    storage.announce_removal(generation_id)
    try:
        gone = store.remove_trashed(generation_id)
    except BaseException:
        storage.take_back_removal(generation_id)
        raise
    if gone:
        # After the commit: a crash before it leaves everything, one after it only files that the next start removes.
        storage.remove(generation_id)
    else:
        storage.take_back_removal(generation_id)


class CleanupThread:
    """Removes what only the renderers of ended generations needed, and what has been in the trash for its time.

    `run` is for a thread of its own.
    """

    def __init__(self, store: Store, storage: DiskStorage, is_held: Callable[[str], bool]) -> None:
        """Listen for ends.

        Args:
            store: knows what has ended.
            storage: where the leftovers are.
            is_held: whether a renderer may still write for a generation; whoever lets it go calls `note`.
        """
        self._store, self._storage, self._is_held = store, storage, is_held
        self._ended: SimpleQueue[str | None] = SimpleQueue()
        store.database.listen(self._note_ends)

    def note(self, generation_id: str) -> None:
        """A generation may have ended."""
        self._ended.put(generation_id)

    def look_at_trash(self) -> None:
        """Something has come into the trash."""
        self._ended.put(_TRASH)

    def end(self) -> None:
        """Have `run` return once it has seen to all that was noted."""
        self._ended.put(None)

    def run(self) -> None:
        """Sweep, then tidy up after one generation after the other, those of an earlier process first."""
        try:
            for generation_id in self._storage.workdirs():
                self.note(generation_id)
            sweep(self._store, self._storage)
        except Exception:  # the border of the thread: what is left now is found at the next start
            logger.exception("What an earlier crash left could not be removed.")
        due = self._empty_trash()
        while (ended := self._next(due)) is not None:
            if ended == _TRASH or time.monotonic() >= due:
                due = self._empty_trash()
            # Of one that is held, word comes again when its renderer is gone.
            if ended != _TRASH and not self._is_held(ended):
                self._tidy(ended)

    def _next(self, due: float) -> str | None:
        """The next that has ended, or the trash when it is due (a moment of the monotonic clock); None: stop."""
        try:
            return self._ended.get(timeout=max(0.0, due - time.monotonic()))
        except Empty:
            return _TRASH

    def _empty_trash(self) -> float:
        """Remove what is due; return when to look again, as a moment of the monotonic clock."""
        try:
            while due := self._store.due_for_removal():
                for generation_id in due:
                    remove_for_good(self._store, self._storage, generation_id)
            following = self._store.next_removal()
            left = _LOOK_SECONDS if following is None else following - self._store.clock()
        except Exception:  # the border of the thread: the trash is emptied a little later
            logger.exception("The trash could not be emptied.")
            left = _AGAIN_SECONDS
        return time.monotonic() + min(left, _LOOK_SECONDS)

    def _tidy(self, generation_id: str) -> None:
        try:
            keys = self._store.keys_kept(generation_id)
            if keys is not None:
                self._storage.tidy(generation_id, keys)
        except Exception:  # the border of the thread: the next start sweeps
            logger.exception("%s: its leftovers could not be removed.", generation_id)

    def _note_ends(self, events: list[StoredEvent]) -> None:
        for event in events:
            if is_terminal(event.type):
                self.note(event.generation_id)
