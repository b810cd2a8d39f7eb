"""What a crash leaves behind, found at the next start: removals that were begun, scratch files of writes."""

from __future__ import annotations

import logging

from videogen.database import Database, damaged
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
