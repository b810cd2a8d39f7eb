"""What is left behind: by a crash, found at the next start, and by every generation that has ended."""

from __future__ import annotations

import logging
from collections.abc import Callable
from queue import SimpleQueue

from videogen.database import Database, StoredEvent, damaged
from videogen.events import is_terminal
from videogen.integrity import check
from videogen.storage import DiskStorage
from videogen.store import Store

logger = logging.getLogger(__name__)


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
        StorageFault: the database cannot be read.
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


class Tidier:
    """Removes what only the renderers of ended generations needed; `run` is for a thread of its own."""

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
        while (ended := self._ended.get()) is not None:
            # Of one that is held, word comes again when its renderer is gone.
            if not self._is_held(ended):
                self._tidy(ended)

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
