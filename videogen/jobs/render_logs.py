"""The log of a generation: what its engine printed in all attempts. It is kept as long as the generation."""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path
from typing import Final

from videogen.core.errors import StorageAwayError, StorageError
from videogen.engines.process.protocol import LOG_HEAD, LOG_NAME
from videogen.jobs.checkpoint_files import running_log
from videogen.storage import DataFolder, Storage
from videogen.store import Store

logger = logging.getLogger(__name__)
HEAD_BYTES: Final = 32 * 1024
TAIL_BYTES: Final = 224 * 1024
"""Of a longer log the first and the last bytes are kept."""
MAX_RUNNING_BYTES: Final = 16 * 1024 * 1024
"""The log of a running job is cut when it is larger, so that an engine cannot fill the disk by printing."""


class RenderLogs:
    """Keeps and reads the logs. While a job runs, its log is a file in its work folder. Thread-safe."""

    def __init__(self, store: Store, storage: Storage, data_folder: DataFolder) -> None:
        self._store, self._storage, self._data_folder = store, storage, data_folder

    def keep(self, generation_id: str) -> None:
        """Store the log of a generation that has ended, if its engine printed something. Safe to repeat.

        Raises:
            StorageAwayError: it cannot be stored now.
        """
        if not (log := _read(self._path(generation_id))):
            return
        try:
            key = f"{generation_id}/log.txt"
            if self._storage.is_shared and self._is_kept(generation_id, key):
                return  # by the process where it has ended; here is that of an earlier attempt
            # In this order: another process may be removing files that no row names.
            self._store.record_log(generation_id, key, len(log))
            self._storage.put(log, key)
        except StorageAwayError:
            raise
        except StorageError as problem:
            # The work folder goes all the same: on a full disk its space is needed.
            logger.warning("%s: its log could not be stored: %s", generation_id, problem)

    def _is_kept(self, generation_id: str, key: str) -> bool:
        return any(file.key == key for file in self._store.files_of(generation_id)) and self._storage.exists(key)

    def read(self, session_id: str, generation_id: str) -> str:
        """The log up to now; empty if the engine has printed nothing.

        Raises:
            NotFoundError: the generation is not this session's.
        """
        # The log moves from the work folder into the storage when the job has ended: look there a second time.
        for _ in range(2):
            key = self._store.find_log(session_id, generation_id)
            if key is not None:
                try:
                    with self._storage.open(key) as file:
                        return file.read().decode(errors="replace")
                except OSError:
                    return ""
            if log := _read(self._path(generation_id)):
                return log.decode(errors="replace")
        if self._storage.is_shared:
            # It runs on another machine, which stores its log with each checkpoint.
            with suppress(OSError, StorageError):
                return running_log(self._storage, generation_id).decode(errors="replace")
        return ""

    def limit(self, generation_id: str) -> None:
        """Cut the log of a running job if it has become too large. The engine goes on writing at its end."""
        path = self._path(generation_id)
        try:
            if path.stat().st_size > MAX_RUNNING_BYTES:
                log = _read(path)
                with path.open("r+b") as file:
                    file.truncate(0)
                    file.write(log)
        except OSError:
            return  # it has no log yet, or has ended

    def _path(self, generation_id: str) -> Path:
        return self._data_folder.work_folder(generation_id) / LOG_NAME


def _read(path: Path) -> bytes:
    """A log, without its middle if it is long; empty if there is none, or the engine has printed nothing."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            if size <= HEAD_BYTES + TAIL_BYTES:
                log = file.read(HEAD_BYTES + TAIL_BYTES)
                lines = [line for line in log.splitlines() if line.strip()]
                return b"" if all(line.startswith(LOG_HEAD.encode()) for line in lines) else log
            head = file.read(HEAD_BYTES)
            file.seek(-TAIL_BYTES, 2)
            tail = file.read(TAIL_BYTES)
    except OSError:
        return b""
    return head + f"\n[{size - HEAD_BYTES - TAIL_BYTES} bytes are left out here]\n".encode() + tail
