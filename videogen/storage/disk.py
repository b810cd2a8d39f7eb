"""Where bytes are kept: files on disk, each written aside, made durable, then put in place by one rename."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

from videogen.core.errors import StartError, StorageError

_SCRATCH: Final = (".probe.*", ".secret.*", "files/*/*.part")
_PROBE_BYTES: Final = 64 * 1024


class DiskStorage:
    """Files below one folder, known by keys such as `gen_x/video.mp4`."""

    def __init__(self, root: Path, reserve_bytes: int = 0) -> None:
        """
        Args:
            root: the data folder.
            reserve_bytes: with less free space than this, nothing new is rendered.
        """
        self.root = root
        self.reserve_bytes = reserve_bytes
        self._faulty = False
        self._began = time.time()

    def open(self) -> None:
        """Make the folders, and prove that they can be written.

        Raises:
            StartError: the folder is missing and cannot be made, is no folder, or cannot be written.
        """
        try:
            for folder in (self.root, self.root / "files", self.root / "work"):
                folder.mkdir(parents=True, exist_ok=True)
            self._probe(b"ok")
        except OSError as problem:
            raise StartError(
                f"VIDEOGEN_DATA_DIR: expected a folder that can be written, got {str(self.root)!r} "
                f"({problem.strerror}). Choose another folder, or mend its permissions or its free space."
            ) from problem

    def has_files(self) -> bool:
        """Whether anything is kept here."""
        return any((self.root / "files").iterdir())

    def free_bytes(self) -> int:
        """How much may still be written here, as far as the file system tells."""
        found = os.statvfs(self.root)
        return found.f_bavail * found.f_frsize

    def note_fault(self) -> None:
        """A write has failed: until a trial shows that it would not again, there is no room."""
        self._faulty = True

    def shortage(self) -> str | None:
        """Why nothing new should be rendered now, in one sentence; None where there is room. Cheap; any thread."""
        try:
            free = self.free_bytes()
            if free < self.reserve_bytes:
                return (
                    f"The disk is almost full: {_megabytes(free)} MB are free, "
                    f"{_megabytes(self.reserve_bytes)} MB must stay free."
                )
            # A quota or a limit does not show in the free space of the file system.
            if self._faulty:
                self._probe(b"\0" * _PROBE_BYTES)
                self._faulty = False
        except OSError as problem:
            return f"The data folder cannot be written: {problem.strerror}."
        return None

    def _probe(self, data: bytes) -> None:
        probe = self.root / f".probe.{os.getpid()}.{threading.get_ident()}"
        try:
            probe.write_bytes(data)
        finally:
            probe.unlink(missing_ok=True)

    def workdir(self, generation_id: str) -> Path:
        """The folder in which a generation is rendered; it outlives the renderer."""
        return self.root / "work" / generation_id

    def make_workdir(self, generation_id: str) -> Path:
        """The same, made if it is not there.

        Raises:
            StorageError: the disk is full or cannot be written.
        """
        folder = self.workdir(generation_id)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            self.note_fault()
            raise StorageError(f"The work folder could not be made: {problem.strerror}.") from problem
        return folder

    def path(self, key: str) -> Path:
        """Where a key's bytes are, or would be."""
        return self.root / "files" / key

    def put(self, source: Path, key: str) -> int:
        """Move a finished file in under `key`, replacing what was there; return its size in bytes.

        Raises:
            StorageError: the disk is full or cannot be written.
        """
        target = self.path(key)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with source.open("rb") as file:
                os.fsync(file.fileno())
            source.replace(target)
            sync(target.parent)
            return target.stat().st_size
        except OSError as problem:
            self.note_fault()
            raise StorageError(f"{key} could not be kept: {problem.strerror}.") from problem

    def keep(self, data: bytes, key: str) -> None:
        """Put bytes under `key`; they are on the disk on return.

        Raises:
            StorageError: the disk is full or cannot be written.
        """
        part = self.path(f"{key}.part")
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(data)
            self.put(part, key)
        except OSError as problem:
            self.note_fault()
            raise StorageError(f"{key} could not be kept: {problem.strerror}.") from problem
        finally:
            part.unlink(missing_ok=True)

    def discard(self, key: str) -> None:
        """Remove one file; again is nothing."""
        path = self.path(key)
        path.unlink(missing_ok=True)
        with suppress(OSError):  # others are in there
            path.parent.rmdir()

    def announce_removal(self, generation_id: str) -> None:
        """Note that a generation is about to be removed: a crash between its rows and its files is found by this.

        Raises:
            StorageError: the disk is full or cannot be written.
        """
        try:
            self._removal(generation_id).touch()
        except OSError as problem:
            raise StorageError(f"The removal could not be begun: {problem.strerror}.") from problem

    def announced_removals(self) -> list[str]:
        """The generations whose removal was announced and not ended."""
        mark = self._removal("").name
        return [path.name.removeprefix(mark) for path in (self.root / "files").glob(f"{mark}*")]

    def take_back_removal(self, generation_id: str) -> None:
        """It is not removed after all."""
        self._removal(generation_id).unlink(missing_ok=True)

    def remove(self, generation_id: str) -> None:
        """Remove all that a generation left: its files and its workdir. What cannot be removed stays announced."""
        shutil.rmtree(self.path(generation_id), ignore_errors=True)
        shutil.rmtree(self.workdir(generation_id), ignore_errors=True)
        if not (self.path(generation_id).exists() or self.workdir(generation_id).exists()):
            self.take_back_removal(generation_id)

    def scratch(self) -> list[Path]:
        """Files of writes that were cut short before this process began. Folders of renders have their own."""
        found = [path for mark in _SCRATCH for path in self.root.glob(mark)]
        return sorted(path for path in found if path.is_file() and path.stat().st_mtime < self._began)

    def remove_scratch(self) -> int:
        """Remove them; return how many there were."""
        found = self.scratch()
        for path in found:
            path.unlink(missing_ok=True)
        return len(found)

    def _removal(self, generation_id: str) -> Path:
        return self.root / "files" / f".removing-{generation_id}"

    def workdirs(self) -> list[str]:
        """The generations that have a workdir."""
        return sorted(folder.name for folder in (self.root / "work").iterdir())

    def tidy(self, generation_id: str, keys: Collection[str]) -> None:
        """Remove what a generation that has ended does not need: its workdir, and every file but those of `keys`."""
        shutil.rmtree(self.workdir(generation_id), ignore_errors=True)
        folder = self.path(generation_id)
        if not keys:
            shutil.rmtree(folder, ignore_errors=True)
            return
        for path in folder.glob("*"):
            if f"{generation_id}/{path.name}" not in keys:
                path.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Have what is written to a file, or the names in a folder, on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _megabytes(count: int) -> int:
    return count // 1_000_000
