"""The memory of this machine, of this process and of others."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_CONTROL_GROUP: Final = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def return_free_memory() -> None:
    """Give freed memory back to the system: the C library of Linux (glibc) keeps it for later otherwise.

    Does nothing with another C library.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def machine_memory() -> int:
    """Bytes of memory that this machine, or the container that it is, may use."""
    sizes = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in _CONTROL_GROUP:
        with suppress(OSError, ValueError):  # not this kind of system, or "max"
            sizes.append(int(path.read_text()))
    return min(sizes)


def process_memory(pid: int) -> int:
    """Bytes of memory that a process and its descendants hold; 0 where the system does not say that (not Linux).

    Mapped files do not count: the system may drop them. Such are the weights of a model that is loaded by mapping.
    """
    folder = Path(f"/proc/{pid}")
    size = 0
    with suppress(OSError, ValueError, IndexError):  # it has ended
        for line in (folder / "status").read_bytes().splitlines():
            if line.startswith((b"RssAnon:", b"RssShmem:")):
                size += int(line.split()[1]) * 1024
        for children in (folder / "task").glob("*/children"):
            size += sum(process_memory(int(child)) for child in children.read_bytes().split())
    return size
