"""The storage protocol: files by key. `tests/storage/test_conformance.py` holds every implementation to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple, Protocol


class StoredFile(NamedTuple):
    """A file as a listing shows it."""

    key: str
    size_bytes: int


class Storage(Protocol):
    """Files by key, such as `gen_x/a1-video.mp4`. A file is whole or not there. Thread-safe; every method blocks."""

    @property
    def is_shared(self) -> bool:
        """Whether processes on other machines use it too."""

    def put(self, source: Path | bytes, key: str) -> int:
        """Store bytes, or move a finished local file in, and replace what has the key; return the size in bytes.

        The file is durable on return. Whoever reads the replaced file goes on with the old bytes.

        Raises:
            StorageError: the storage is full or cannot be written.
        """

    def open(self, key: str, start: int = 0, end: int | None = None) -> BufferedReader:
        """Open a file for reading from byte `start` up to byte `end`, which is not included; None: to its end.

        Raises:
            OSError: it cannot be read; FileNotFoundError: there is none.
        """

    def local_copy(self, key: str) -> AbstractContextManager[Path]:
        """A path to the file on this machine, valid inside the `with` block and never written to.

        Raises:
            OSError: it cannot be read; FileNotFoundError: there is none.
        """

    def url(self, key: str, seconds: float) -> str | None:
        """A link from which anybody can read the file for so long; None if this storage has no links."""

    def exists(self, key: str) -> bool:
        """Whether there is such a file."""

    def list(self, prefix: str = "") -> Iterator[StoredFile]:
        """Every whole file whose key starts with `prefix`, in no order."""

    def delete(self, key: str) -> None:
        """Delete a file. Safe to repeat.

        Raises:
            StorageError: it cannot be deleted.
        """
