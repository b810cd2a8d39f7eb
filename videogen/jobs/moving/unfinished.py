"""What becomes of jobs without a result: they are queued in the target, and go on at their checkpoints on any host."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy import update
from sqlmodel import col

from videogen.core.clock import SteadyClock
from videogen.db.database import Database
from videogen.db.integrity import read_only
from videogen.db.tables import GenerationRow
from videogen.engines.process.context import stored_checkpoint
from videogen.engines.process.protocol import LOG_NAME
from videogen.jobs.checkpoint_files import ATTEMPT, folder_of, work_files
from videogen.jobs.queue import EmbeddedQueue
from videogen.jobs.render_logs import RenderLogs
from videogen.storage import DataFolder, Storage
from videogen.store import Store

_UNFINISHED: Final = "SELECT id, attempt, checkpoint FROM generations WHERE status IN ('queued', 'processing')"
_ENDED: Final = "SELECT id FROM generations WHERE status NOT IN ('queued', 'processing')"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A job that has begun, and has no result."""

    generation_id: str
    checkpoint: dict[str, Any] | None
    """As it is stored where several processes use the storage."""
    files: dict[str, Path]
    """What goes to the storage, by key."""


def unfinished_jobs(database: Path, folder: DataFolder) -> Iterator[Unfinished]:
    """Each job that has a work folder, or a checkpoint."""
    with read_only(database) as connection:
        for generation_id, attempt, stored in connection.execute(_UNFINISHED):
            root = folder.work_folder(generation_id)
            checkpoint = stored_checkpoint(root, orjson.loads(stored) if stored else None)
            # Without a checkpoint it starts again, and only its log is of use.
            paths = work_files(root) if checkpoint else [path for path in [root / LOG_NAME] if path.is_file()]
            prefix = folder_of(generation_id, attempt)
            files = {prefix + path.relative_to(root).as_posix(): path for path in paths}
            if checkpoint or files:
                yield Unfinished(generation_id, checkpoint and checkpoint | {ATTEMPT: attempt}, files)


def ended_with_folder(database: Path, folder: DataFolder) -> list[str]:
    """The generations that have ended, and whose log may still be in the work folder only: the app was killed."""
    with read_only(database) as connection:
        return [name for (name,) in connection.execute(_ENDED) if folder.work_folder(name).is_dir()]


def settle(url: str, place: Storage, folder: DataFolder, jobs: Sequence[Unfinished], ended: Sequence[str]) -> None:
    """Do in the target what the next start of the embedded app would do: queue again, and keep logs.

    Args:
        url: the target, which has all rows.
        place: the bucket, which has all files.
        folder: the data folder of the source.
        jobs: what has begun, and has no result.
        ended: see `ended_with_folder`.

    Raises:
        StorageError: the database cannot be used.
    """
    with closing(Database(url, 2)) as database:
        clock = SteadyClock()
        store = Store(database, clock)
        clock.not_before(store.newest_time())
        with database.write() as unit:
            for job in jobs:
                if job.checkpoint:
                    change = update(GenerationRow).where(col(GenerationRow.id) == job.generation_id)
                    unit.connection.execute(change.values(checkpoint=job.checkpoint))
        for generation_id in ended:
            RenderLogs(store, place, folder).keep(generation_id)
        store.end_exports_of_dead()
        # Those that the app was rendering when it was killed lose no attempt. All that waits may start.
        EmbeddedQueue(store).recover()
