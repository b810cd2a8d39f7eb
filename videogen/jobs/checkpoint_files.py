"""The files of checkpoints, where other machines use the same storage: a job that was killed on one goes on on another.

Before a checkpoint is stored, what the renderer has in its work folder is stored below the generation, under the
number of the attempt: a worker that has lost its lease writes nothing that the next attempt reads. With the files goes
the log, which is how a process elsewhere reads that of a running job.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

from videogen.core.errors import StorageError
from videogen.engines.process.protocol import CHECKPOINT_NAME, LOG_NAME
from videogen.jobs.base import Lease
from videogen.storage import DataFolder, Storage

ATTEMPT: Final = "videogen.attempt"
"""The key in a stored checkpoint under which it says whose files belong to it; the engine does not get it."""


def folder_of(generation_id: str, attempt: int) -> str:
    """Where the files of an attempt are, with a slash at its end."""
    return f"{generation_id}/work-{attempt}/"


class CheckpointFiles:
    """Copies them to the storage and back. Nothing is done where this process alone uses the storage."""

    def __init__(self, storage: Storage, data_folder: DataFolder) -> None:
        self._storage, self._data_folder = storage, data_folder
        self._stored: dict[tuple[str, int], dict[str, tuple[int, int]]] = {}
        """For each attempt that runs, what was stored: size and time of each file."""

    def upload(self, lease: Lease, checkpoint: dict[str, Any]) -> dict[str, Any]:
        """Store the files of a checkpoint; return what is to be stored as the checkpoint.

        Raises:
            StorageError: the storage takes nothing; the checkpoint before it still holds.
        """
        if not self._storage.is_shared or not checkpoint:
            return checkpoint
        known = self._stored.setdefault((lease.generation_id, lease.attempt), {})
        root = self._data_folder.work_folder(lease.generation_id)
        folder = folder_of(lease.generation_id, lease.attempt)
        # The engine goes on writing, and this process may be killed in the middle. So it is read before the files that
        # it needs, and stored after them: there is never a newer one than its files.
        saved = _changed(root, root / CHECKPOINT_NAME, known)
        others = (_changed(root, path, known) for path in work_files(root) if path != root / CHECKPOINT_NAME)
        for change in chain(others, [saved]):
            if change is not None:
                self._storage.put(change.data, folder + change.name)
                known[change.name] = change.stamp
        return checkpoint | {ATTEMPT: lease.attempt}

    def fetch(self, lease: Lease, attempt_ends: ExitStack) -> dict[str, Any] | None:
        """Bring the work folder to the checkpoint of a lease; return the checkpoint as its engine wrote it.

        Args:
            lease: of the attempt that begins.
            attempt_ends: closed at the end of the attempt.

        Raises:
            StorageError: the storage or the disk cannot be used.
        """
        attempt_ends.callback(self._stored.pop, (lease.generation_id, lease.attempt), None)
        checkpoint = dict(lease.checkpoint) if lease.checkpoint else None
        attempt = checkpoint.pop(ATTEMPT, None) if checkpoint else None
        if self._storage.is_shared:
            # What is here may be of another attempt than the checkpoint.
            self._data_folder.remove_work_folder(lease.generation_id)
            self._remove_earlier(lease)
        root = self._data_folder.make_work_folder(lease.generation_id)
        if attempt is not None:
            prefix = folder_of(lease.generation_id, attempt)
            for file in self._storage.list(prefix):
                self._copy(file.key, root / file.key.removeprefix(prefix))
        return checkpoint

    def _remove_earlier(self, lease: Lease) -> None:
        """Remove what has the number of this attempt, though it only begins: the database was set back to a backup, and
        counts again. A result is stored only once."""
        own = (f"{lease.generation_id}/a{lease.attempt}-", folder_of(lease.generation_id, lease.attempt))
        # Without the bucket there is nothing to wait for: a result that is stored twice has the same recipe.
        with suppress(StorageError):
            for file in list(self._storage.list(f"{lease.generation_id}/")):
                if file.key.startswith(own):
                    self._storage.delete(file.key)

    def _copy(self, key: str, target: Path) -> None:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with self._storage.open(key) as source, target.open("wb") as file:
                shutil.copyfileobj(source, file)
        except OSError as problem:
            raise StorageError(f"The checkpoint could not be fetched: {problem.strerror or problem}.") from problem


class _Change(NamedTuple):
    name: str
    data: bytes
    stamp: tuple[int, int]


def _changed(root: Path, path: Path, known: Mapping[str, tuple[int, int]]) -> _Change | None:
    """A file that is not in the storage as it is now. None also where the engine needs it no more."""
    name = path.relative_to(root).as_posix()
    try:
        status = path.stat()
        stamp = status.st_size, status.st_mtime_ns
        return None if known.get(name) == stamp else _Change(name, path.read_bytes(), stamp)
    except FileNotFoundError:
        return None


def running_log(storage: Storage, generation_id: str) -> bytes:
    """The newest stored log of a job that runs elsewhere; empty where there is none."""
    logs = [file.key for file in storage.list(f"{generation_id}/work-") if file.key.endswith(f"/{LOG_NAME}")]
    if not logs:
        return b""
    with storage.open(max(logs, key=lambda key: int(key.split("/")[1].removeprefix("work-")))) as file:
        return file.read()


def work_files(root: Path) -> Iterator[Path]:
    """The files of a work folder that are whole."""
    return (path for path in root.rglob("*") if path.is_file() and path.suffix != ".part")
