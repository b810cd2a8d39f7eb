"""Disks that are filled while a server runs, and freed again. The operating system refuses the writes."""

from __future__ import annotations

import resource
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Protocol

import psutil

MOUNT_BYTES = 24_000_000


class Disk(Protocol):
    """A folder whose disk space can be taken away and given back."""

    folder: Path

    def fill(self, pid: int) -> None:
        """Make every write of the process and its children to this folder fail."""

    def free(self, pid: int) -> None:
        """Let them write again."""


class LimitedDisk:
    """Any folder. The limit of the file size of the process makes writes fail (EFBIG). Needs no special rights."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, pid: int) -> None:
        self._limit(pid, 0)

    def free(self, pid: int) -> None:
        self._limit(pid, resource.RLIM_INFINITY)

    def _limit(self, pid: int, size: int) -> None:
        server = psutil.Process(pid)
        # The server first: a child that starts meanwhile inherits its limit.
        for process in (server, *server.children(recursive=True)):
            try:
                _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
                resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, hard))
            except ProcessLookupError:
                pass


class MountedDisk:
    """A small file system in memory that can be filled to its last byte (ENOSPC). Needs the right to mount."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self, _pid: int = 0, *, leave: int = 0) -> None:
        with self._ballast.open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                if leave:
                    file.truncate(file.tell() - leave)

    def free(self, _pid: int = 0) -> None:
        self._ballast.unlink()


@cache
def may_mount() -> bool:
    """Whether this process may mount a file system."""
    with tempfile.TemporaryDirectory() as folder:
        if _mount(Path(folder)) != 0:
            return False
        return subprocess.run(["umount", folder], capture_output=True).returncode == 0


def _mount(folder: Path) -> int:
    command = ["mount", "-t", "tmpfs", "-o", f"size={MOUNT_BYTES}", "none", str(folder)]
    try:
        return subprocess.run(command, capture_output=True).returncode
    except FileNotFoundError:
        return 1


@contextmanager
def mounted(folder: Path) -> Iterator[MountedDisk]:
    """A small file system, mounted for the `with` block."""
    folder.mkdir()
    assert _mount(folder) == 0
    try:
        yield MountedDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def limited(folder: Path) -> Iterator[LimitedDisk]:
    """Any folder, for the `with` block."""
    folder.mkdir()
    yield LimitedDisk(folder)


WAYS: dict[str, Callable[[Path], object]] = {"limited": limited} | ({"mounted": mounted} if may_mount() else {})
"""The kinds of disks that this machine allows; there is always one."""
