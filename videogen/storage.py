"""Where bytes are kept: files on disk, each written aside, made durable, then put in place by one rename."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from videogen.errors import StartError, StorageFault


class DiskStorage:
    """Files below one folder, known by keys such as `gen_x/video.mp4`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def open(self) -> None:
        """Make the folders, and prove that they can be written.

        Raises:
            StartError: the folder is missing and cannot be made, is no folder, or cannot be written.
        """
        try:
            for folder in (self.root, self.root / "files", self.root / "work"):
                folder.mkdir(parents=True, exist_ok=True)
            probe = self.root / f".probe.{os.getpid()}"
            probe.write_bytes(b"ok")
            probe.unlink()
        except OSError as problem:
            raise StartError(
                f"VIDEOGEN_DATA_DIR: expected a folder that can be written, got {str(self.root)!r} "
                f"({problem.strerror}). Choose another folder, or mend its permissions."
            ) from problem

    def workdir(self, generation_id: str) -> Path:
        """The folder in which a generation is rendered; it outlives the renderer."""
        return self.root / "work" / generation_id

    def make_workdir(self, generation_id: str) -> Path:
        """The same, made if it is not there.

        Raises:
            StorageFault: the disk is full or cannot be written.
        """
        folder = self.workdir(generation_id)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise StorageFault(f"The work folder could not be made: {problem.strerror}.") from problem
        return folder

    def path(self, key: str) -> Path:
        """Where a key's bytes are, or would be."""
        return self.root / "files" / key

    def put(self, source: Path, key: str) -> int:
        """Move a finished file in under `key`, replacing what was there; return its size in bytes.

        Raises:
            StorageFault: the disk is full or cannot be written.
        """
        target = self.path(key)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with source.open("rb") as file:
                os.fsync(file.fileno())
            source.replace(target)
            folder = os.open(target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
            return target.stat().st_size
        except OSError as problem:
            raise StorageFault(f"{key} could not be kept: {problem.strerror}.") from problem

    def keep(self, data: bytes, key: str) -> None:
        """Put bytes under `key`; they are on the disk on return.

        Raises:
            StorageFault: the disk is full or cannot be written.
        """
        part = self.path(f"{key}.part")
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(data)
            self.put(part, key)
        except OSError as problem:
            raise StorageFault(f"{key} could not be kept: {problem.strerror}.") from problem
        finally:
            part.unlink(missing_ok=True)

    def discard(self, key: str) -> None:
        """Remove one file; again is nothing."""
        self.path(key).unlink(missing_ok=True)

    def remove(self, generation_id: str) -> None:
        """Remove all that a generation left: its files and its workdir."""
        shutil.rmtree(self.path(generation_id), ignore_errors=True)
        shutil.rmtree(self.workdir(generation_id), ignore_errors=True)

    def remove_workdir(self, generation_id: str) -> None:
        """Remove what only the renderer needed."""
        shutil.rmtree(self.workdir(generation_id), ignore_errors=True)
