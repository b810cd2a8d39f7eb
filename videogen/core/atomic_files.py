"""Writing a file so that it is either complete or not changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Yield a temporary path to write to, which replaces `path` in one step when the block ends.

    If the block raises, `path` is not changed. With `durable`, the bytes and the name are synced to the disk.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        if durable:
            sync(part)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    if durable:
        # Without this, the new name may be lost in a power cut.
        sync(path.parent)


def write_durably(path: Path, data: bytes) -> None:
    """Replace a small file, and sync it to the disk."""
    with replacing(path) as part:
        part.write_bytes(data)


def sync(path: Path) -> None:
    """Make the bytes of a file, or the names in a folder, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
