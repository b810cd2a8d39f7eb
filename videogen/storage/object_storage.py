"""Stored files in an S3-compatible bucket, which any number of processes use.

What is read as a file of this machine is kept in a folder, by key and ETag: a player asks for a video in many parts.
"""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from videogen.core.errors import StorageAwayError, StorageError
from videogen.storage.base import StoredFile
from videogen.storage.s3 import S3Objects, Stat, open_bucket

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CACHE_BYTES: Final = 2_000_000_000
"""The copies on the disk of this machine have about so many bytes at most; those that were used last stay."""
PATIENT: Final[dict[str, Any]] = {"max_retries": 20, "retry_timeout": timedelta(seconds=60)}
KNOWN: Final = 100_000
"""So many keys are known to be there without asking again: a file of a generation never leaves without its row."""


class ObjectStorage:
    """Implements `Storage`, which describes the methods; a key is the name of an object."""

    is_shared = True

    def __init__(
        self, objects: S3Objects, cache: Path, results: S3Objects | None = None, cache_bytes: int = CACHE_BYTES
    ) -> None:
        """
        Args:
            objects: the bucket.
            cache: a folder of this process alone, which is made. What is in it may be deleted at any time.
            results: the same bucket, opened so that what a renderer has made waits longer for it.
            cache_bytes: how large the folder may be.
        """
        self._objects, self._results = objects, results or objects
        self._cache, self._cache_bytes = cache, cache_bytes
        self._known: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()
        cache.mkdir(parents=True, exist_ok=True)

    def put(self, source: Path | bytes, key: str) -> int:
        """A large file goes up in parts. Parts of an upload that was cut are no object: the bucket removes them by a
        rule for incomplete uploads."""
        try:
            size = len(source) if isinstance(source, bytes) else source.stat().st_size
            (self._results if isinstance(source, Path) else self._objects).put(key, source)
        except OSError as problem:
            raise _fault(problem, f"{key} could not be stored: {problem.strerror or problem}.") from problem
        if isinstance(source, Path):
            source.unlink(missing_ok=True)
        self._note(key)
        return size

    def open(self, key: str, start: int = 0, end: int | None = None) -> io.BufferedReader:
        found = self._stat(key)
        end = found.size if end is None else min(end, found.size)
        with _away():
            chunks = self._objects.stream(key, start, end, found.etag) if start < end else iter(())
        return io.BufferedReader(_Chunks(chunks))

    @contextmanager
    def local_copy(self, key: str) -> Iterator[Path]:
        """It has the time of the object: so it has the same ETag in every process that sends it."""
        found = self._stat(key)
        name = hashlib.sha256(f"{key}\n{found.etag}".encode()).hexdigest()[:32] + Path(key).suffix
        path = self._cache / name
        if not path.is_file():
            part = self._cache / f".{uuid4().hex}.part"
            try:
                with _away():
                    self._objects.fetch(key, part)
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
            self._evict(path)
        with suppress(OSError):
            os.utime(path, (found.read_at, found.changed_at))
        yield path

    def url(self, key: str, seconds: float) -> None:
        """Everything is sent by the app, which knows who may have it."""

    def exists(self, key: str) -> bool:
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return True
        try:
            self._stat(key)
        except FileNotFoundError:
            return False
        return True

    def list(self, prefix: str = "") -> Iterator[StoredFile]:
        try:
            for key, size in self._objects.list_sizes(prefix.rpartition("/")[0]):
                if key.startswith(prefix):
                    yield StoredFile(key, size)
        except OSError as problem:
            raise _fault(problem, f"The stored files could not be listed: {problem}.") from problem

    def delete(self, key: str) -> None:
        with self._lock:
            self._known.pop(key, None)
        try:
            self._objects.delete(key)
        except OSError as problem:
            raise _fault(problem, f"{key} could not be deleted: {problem}.") from problem

    def _stat(self, key: str) -> Stat:
        with _away():
            found = self._objects.stat(key)
        self._note(key)
        return found

    def _note(self, key: str) -> None:
        with self._lock:
            self._known[key] = None
            while len(self._known) > KNOWN:
                self._known.popitem(last=False)

    def _evict(self, newest: Path) -> None:
        """Delete the copies that were not used for longest. Whoever reads one goes on reading."""
        found = [(path, path.stat()) for path in self._cache.iterdir() if path != newest and path.suffix != ".part"]
        total = sum(status.st_size for _, status in found) + newest.stat().st_size
        for path, status in sorted(found, key=lambda one: one[1].st_atime):
            if total <= self._cache_bytes:
                break
            path.unlink(missing_ok=True)
            total -= status.st_size


def open_storage(url: str, cache: Path) -> ObjectStorage:
    """The storage of VIDEOGEN_STORAGE_URL. Nothing is read or written.

    Raises:
        ConfigError: the URL is not understood, or the package for S3 is not installed.
    """
    setting = "VIDEOGEN_STORAGE_URL"
    return ObjectStorage(open_bucket(url, setting), cache, open_bucket(url, setting, PATIENT))


@contextmanager
def _away() -> Iterator[None]:
    """Raise what is wrong with the bucket as such: it does not say that the file is gone."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as problem:
        raise (StorageError(str(problem)) if problem.errno else StorageAwayError()) from problem


def _fault(problem: OSError, text: str) -> StorageError:
    """Without an error number it is the bucket's, not one of a file here."""
    return StorageError(text) if problem.errno else StorageAwayError(text)


class _Chunks(io.RawIOBase):
    """Reads the bytes of an object as they come."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._left = chunks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left = memoryview(chunk)
        count = min(len(view), len(self._left))
        view[:count] = self._left[:count]
        self._left = self._left[count:]
        return count
