"""The local data folder: work folders of renders, free space, and scratch files."""

from __future__ import annotations

import os
import shutil
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from videogen.core.errors import StartError, StorageError

_SCRATCH: Final = (".probe.*", ".secret.*", "files/.removing-*")
_PROBE_BYTES: Final = 64 * 1024


class DataFolder:
    """What must be on a disk of this machine, wherever the stored files are. Thread-safe."""

    def __init__(self, root: Path, reserve_bytes: int = 0) -> None:
        """
        Args:
            root: the data folder (`VIDEOGEN_DATA_DIR`).
            reserve_bytes: nothing new is rendered when less space than this is free.
        """
        self.root = root
        self.reserve_bytes = reserve_bytes
        self._write_failed = False
        self._start_time = time.time()

    @property
    def files(self) -> Path:
        """The folder for a `DiskStorage`."""
        return self.root / "files"

    def open(self) -> None:
        """Make the folders, and check that they can be written.

        Raises:
            StartError: the folder cannot be made or written, or is not a folder.
        """
        try:
            for folder in (self.root, self.files, self.root / "work"):
                folder.mkdir(parents=True, exist_ok=True)
            self._probe(b"ok")
        except OSError as problem:
            raise StartError(
                f"VIDEOGEN_DATA_DIR: expected a folder that can be written, got {str(self.root)!r} "
                f"({problem.strerror}). Choose another folder, or correct its permissions or its free space."
            ) from problem

    def free_bytes(self) -> int:
        """Free space of the file system, in bytes, for a process without special rights."""
        status = os.statvfs(self.root)
        return status.f_bavail * status.f_frsize

    def note_fault(self) -> None:
        """Remember that a write failed: `shortage` then tries a write, until one succeeds."""
        self._write_failed = True

    def shortage(self) -> str | None:
        """Why nothing new should be rendered now, in one sentence; None if there is enough space. Cheap."""
        try:
            free = self.free_bytes()
            if free < self.reserve_bytes:
                return (
                    f"The disk is almost full: {free // 1_000_000} MB are free, "
                    f"{self.reserve_bytes // 1_000_000} MB must stay free."
                )
            # A quota or a size limit does not show in the free space of the file system.
            if self._write_failed:
                self._probe(b"\0" * _PROBE_BYTES)
                self._write_failed = False
        except OSError as problem:
            return f"The data folder cannot be written: {problem.strerror}."
        return None

    def _probe(self, data: bytes) -> None:
        probe = self.root / f".probe.{os.getpid()}.{threading.get_ident()}"
        try:
            probe.write_bytes(data)
        finally:
            probe.unlink(missing_ok=True)

    def work_folder(self, generation_id: str) -> Path:
        """The folder in which a generation is rendered. It outlives the renderer."""
        return self.root / "work" / generation_id

    def make_work_folder(self, generation_id: str) -> Path:
        """The same folder, made if it does not exist.

        Raises:
            StorageError: the disk is full or cannot be written.
        """
        folder = self.work_folder(generation_id)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            self.note_fault()
            raise StorageError(f"The work folder could not be made: {problem.strerror}.") from problem
        return folder

    def remove_work_folder(self, generation_id: str) -> None:
        """Remove it, as far as the disk allows. Safe to repeat."""
        shutil.rmtree(self.work_folder(generation_id), ignore_errors=True)

    def list_work_folders(self) -> list[str]:
        """The ids of the generations that have a work folder."""
        return sorted(folder.name for folder in (self.root / "work").iterdir())

    def list_scratch(self) -> list[Path]:
        """Files of writes that ended before they were complete, from before this process. Work folders excluded."""
        paths = [path for pattern in _SCRATCH for path in self.root.glob(pattern)]
        for folder in list(self.files.glob("*")):
            with suppress(FileNotFoundError):  # a generation may be removed meanwhile
                paths += list(folder.glob("*.part"))
        return sorted(path for path in paths if path.is_file() and path.stat().st_mtime < self._start_time)

    def remove_scratch(self) -> int:
        """Remove these files; return how many there were."""
        paths = self.list_scratch()
        for path in paths:
            path.unlink(missing_ok=True)
        return len(paths)
