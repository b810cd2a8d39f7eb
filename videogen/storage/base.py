"""The storage protocol: files by key. `tests/storage/test_conformance.py` holds every implementation to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple, Protocol


class StoredFile(NamedTuple):
    """A file as a listing shows it."""

    key: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class FileVersion:
    """The bytes that a file has now, whatever replaces or deletes it later. Whoever gets one must call `close`."""

    size: int
    changed_at: float
    """In seconds since the epoch."""
    etag: str
    """In double quotes; the same in every process."""
    open: Callable[[int, int | None], BufferedReader]
    """As `Storage.open`: of this version, or an error."""
    close: Callable[[], None] = lambda: None


class Storage(Protocol):
    """Files by key, such as `gen_x/a1-video.mp4`. A file is whole or not there. Thread-safe; every method blocks."""

    @property
    def is_shared(self) -> bool:
        """Whether processes on other machines use it too."""

    def put(self, source: Path | bytes, key: str, *, once: bool = False) -> int:
        """Store bytes, or move a finished local file in; return the size in bytes of what is stored.

        The file is durable on return. It replaces what has the key; with `once` what has the key stays, and `source` is
        dropped. Whoever reads the replaced file goes on with the old bytes.

        Raises:
            StorageError: the storage is full or cannot be written.
        """

    def copy(self, source: str, target: str) -> int:
        """Store a stored file under a second key, without reading it here; return its size in bytes.

        Raises:
            StorageError: the copy cannot be stored.
            OSError: the source cannot be read; FileNotFoundError: there is none.
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

    def version(self, key: str) -> FileVersion:
        """What a file is now, to be sent in parts.

        Raises:
            OSError: it cannot be read; FileNotFoundError: there is none.
        """

    def url(self, key: str, seconds: int, content_type: str, disposition: str) -> str | None:
        """A link from which anybody can read the file for so long, with these headers; None: the storage has none."""

    def exists(self, key: str) -> bool:
        """Whether there is such a file. Asks the storage, which may be away."""

    def is_lost(self, key: str) -> bool:
        """Whether a file that a row names is known to be gone. Asks nothing over a network, so that lists never wait:
        where other machines store too, it is what the last read of this process found."""

    def list(self, prefix: str = "") -> Iterator[StoredFile]:
        """Every whole file whose key starts with `prefix`, in no order."""

    def delete(self, key: str) -> None:
        """Delete a file. Safe to repeat.

        Raises:
            StorageError: it cannot be deleted.
        """
