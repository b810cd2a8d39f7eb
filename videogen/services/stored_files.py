"""Stored files on their way to an HTTP response."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from videogen.storage import Storage


@dataclass(frozen=True, slots=True)
class ServedFile:
    """A local copy of a stored file. Whoever gets it must call `close`."""

    path: Path
    status: os.stat_result
    content_type: str
    name: str | None
    """The name under which a person saves it; None for previews and posters."""
    close: Callable[[], None]


def open_stored(storage: Storage, key: str, content_type: str, name: str | None = None) -> ServedFile:
    """Open a stored file to send it.

    Raises:
        OSError: it cannot be read; FileNotFoundError: there is none.
    """
    with ExitStack() as stack:
        path = stack.enter_context(storage.local_copy(key))
        status = path.stat()
        return ServedFile(path, status, content_type, name, stack.pop_all().close)
