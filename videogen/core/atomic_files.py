"""Files that are whole or not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Give a place aside to write to, which becomes `path` in one step when the block ends well.

    When the block raises, `path` is as it was. With `durable`, the bytes and their name have reached the disk
    on leaving.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        if durable:
            _sync(part)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    if durable:
        # Without this, a power cut may take the new name back.
        _sync(path.parent)


def write_durably(path: Path, data: bytes) -> None:
    """Replace a small file; it is on the disk on return."""
    with replacing(path) as part:
        part.write_bytes(data)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
