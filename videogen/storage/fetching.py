"""Storage on the local disk whose files may still be elsewhere: each is fetched when it is asked for."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from videogen.core.errors import StorageError
from videogen.storage.base import FileVersion, Storage, StoredFile

Fetch = Callable[[str, Path], None]
"""Writes the file of a key to a path. Raises FileNotFoundError where there is none, and OSError."""


class FetchingStorage:
    """Implements `Storage` over another one. `list` has what is here already."""

    def __init__(self, local: Storage, elsewhere: MutableMapping[str, Any], fetch: Fetch, scratch: Path) -> None:
        """
        Args:
            local: has what was fetched, and all that is new.
            elsewhere: the keys that can be fetched. Others may add to it.
            fetch: fetches one.
            scratch: a folder on the file system of `local`.
        """
        self._local, self.elsewhere, self._fetch, self._scratch = local, elsewhere, fetch, scratch
        self._lock = threading.Lock()
        self._fetching: dict[str, threading.Lock] = {}

    is_shared = False

    def put(self, source: Path | bytes, key: str, *, once: bool = False) -> int:
        if once:
            self.ensure(key)
        return self._local.put(source, key, once=once)

    def copy(self, source: str, target: str) -> int:
        self.ensure(source)
        return self._local.copy(source, target)

    def open(self, key: str, start: int = 0, end: int | None = None) -> io.BufferedReader:
        self.ensure(key)
        return self._local.open(key, start, end)

    def local_copy(self, key: str) -> AbstractContextManager[Path]:
        self.ensure(key)
        return self._local.local_copy(key)

    def version(self, key: str) -> FileVersion:
        self.ensure(key)
        return self._local.version(key)

    def url(self, key: str, seconds: int, content_type: str, disposition: str) -> str | None:
        return self._local.url(key, seconds, content_type, disposition)

    def exists(self, key: str) -> bool:
        return self._local.exists(key) or key in self.elsewhere

    def is_lost(self, key: str) -> bool:
        return not self.exists(key)

    def list(self, prefix: str = "") -> Iterator[StoredFile]:
        return self._local.list(prefix)

    def delete(self, key: str) -> None:
        self.elsewhere.pop(key, None)
        self._local.delete(key)

    def missing(self) -> tuple[str, ...]:
        """The keys that can be fetched, and were not."""
        return tuple(key for key in tuple(self.elsewhere) if not self._local.exists(key))

    def ensure(self, key: str) -> None:
        """Fetch a file that is not here, if it can be fetched. Several threads that ask for it wait for one.

        Raises:
            StorageError: the other place cannot be used, or the disk is full.
        """
        if self._local.exists(key) or key not in self.elsewhere:
            return
        with self._lock:
            turn = self._fetching.setdefault(key, threading.Lock())
        try:
            with turn:
                if not self._local.exists(key) and key in self.elsewhere:
                    self._fetch_now(key)
        finally:
            with self._lock:
                self._fetching.pop(key, None)

    def _fetch_now(self, key: str) -> None:
        self._scratch.mkdir(parents=True, exist_ok=True)
        part = self._scratch / f"{threading.get_ident()}.part"
        try:
            self._fetch(key, part)
            self._local.put(part, key)
        except FileNotFoundError:
            self.elsewhere.pop(key, None)
            return
        except OSError as problem:
            text = (
                f"The file is not on this disk yet, and could not be fetched from the snapshots: {problem}. Try again."
            )
            raise StorageError(text) from problem
        finally:
            part.unlink(missing_ok=True)
        if key not in self.elsewhere:
            self._local.delete(key)  # it was deleted meanwhile
