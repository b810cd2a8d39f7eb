"""Stored files in an S3-compatible bucket, which any number of processes use.

What is read as a file of this machine is kept in a folder, by key and ETag: a player asks for a video in many parts.
"""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from videogen.core.errors import StorageAwayError, StorageError
from videogen.storage.base import FileVersion, StoredFile
from videogen.storage.disk import open_range
from videogen.storage.presigned import OPTION, Links, links_of
from videogen.storage.s3 import OPTIONS, ChangedError, S3Objects, Stat, open_bucket

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CACHE_BYTES: Final = 2_000_000_000
"""The copies on the disk of this machine have about so many bytes at most; those that were used last stay."""
PATIENT: Final[dict[str, Any]] = {"max_retries": 20, "retry_timeout": timedelta(seconds=60)}
MAX_LOST: Final = 10_000
"""So many keys are remembered as gone."""
_TRIES: Final = 3
"""For a file that is replaced while it is fetched."""


class ObjectStorage:
    """Implements `Storage`, which describes the methods; a key is the name of an object."""

    is_shared = True

    def __init__(
        self,
        objects: S3Objects,
        cache: Path,
        results: S3Objects | None = None,
        cache_bytes: int = CACHE_BYTES,
        links: Links | None = None,
    ) -> None:
        """
        Args:
            objects: the bucket.
            cache: a folder of this process alone, which is made. What is in it may be deleted at any time.
            results: the same bucket, opened so that what a renderer has made waits longer for it.
            cache_bytes: how large the folder may be.
            links: makes links to the bucket, where browsers reach it.
        """
        self._objects, self._results = objects, results or objects
        self._cache, self._cache_bytes = cache, cache_bytes
        self._links = links
        self._lost: OrderedDict[str, None] = OrderedDict()
        self._kept: Counter[Path] = Counter()
        """The copies that somebody has the path of."""
        self._lock = threading.Lock()
        cache.mkdir(parents=True, exist_ok=True)
        for part in cache.glob("*.part"):  # of a process that was killed
            part.unlink(missing_ok=True)

    def put(self, source: Path | bytes, key: str, *, once: bool = False) -> int:
        """A large file goes up in parts. Parts of an upload that was cut are no object: the bucket removes them by a
        rule for incomplete uploads."""
        try:
            size = len(source) if isinstance(source, bytes) else source.stat().st_size
            objects = self._results if isinstance(source, Path) else self._objects
            if once and not objects.put_new(key, source):
                size = objects.stat(key).size
            elif not once:
                objects.put(key, source)
        except OSError as problem:
            raise _fault(problem, f"{key} could not be stored: {problem.strerror or problem}.") from problem
        if isinstance(source, Path):
            source.unlink(missing_ok=True)
        self._note(key, is_lost=False)
        return size

    def copy(self, source: str, target: str) -> int:
        with _away():
            self._objects.copy(source, target)
        return self._stat(target).size

    def open(self, key: str, start: int = 0, end: int | None = None) -> io.BufferedReader:
        return self._read(key, self._stat(key), start, end)

    def version(self, key: str) -> FileVersion:
        """Its bytes are streamed from the bucket, or from a copy that is here: nobody waits for the whole of it."""
        found = self._stat(key)
        return FileVersion(found.size, found.changed_at, found.tag, partial(self._read, key, found))

    def _read(self, key: str, found: Stat, start: int, end: int | None) -> io.BufferedReader:
        with suppress(FileNotFoundError):
            return open_range(self._cached(key, found), start, end)
        end = found.size if end is None else min(end, found.size)
        try:
            with _away():
                chunks = self._objects.stream(key, start, end, found.etag) if start < end else iter(())
        except ChangedError as problem:
            raise StorageAwayError from problem
        return io.BufferedReader(_Chunks(chunks))

    @contextmanager
    def local_copy(self, key: str) -> Iterator[Path]:
        """A file that is replaced meanwhile is fetched again."""
        with ExitStack() as kept:
            for last in range(1 - _TRIES, 1):
                found = self._stat(key)
                path = kept.enter_context(self._keep(self._cached(key, found)))
                try:
                    if not path.is_file():
                        self._fetch(key, found, path)
                    break
                except ChangedError as problem:
                    if not last:
                        raise StorageAwayError from problem
            with suppress(OSError):
                os.utime(path)
            yield path

    @contextmanager
    def _keep(self, path: Path) -> Iterator[Path]:
        with self._lock:
            self._kept[path] += 1
        try:
            yield path
        finally:
            with self._lock:
                self._kept[path] -= 1
                if not self._kept[path]:
                    del self._kept[path]

    def _cached(self, key: str, found: Stat) -> Path:
        return self._cache / (hashlib.sha256(f"{key}\n{found.tag}".encode()).hexdigest()[:32] + Path(key).suffix)

    def _fetch(self, key: str, found: Stat, path: Path) -> None:
        part = self._cache / f".{uuid4().hex}.part"
        try:
            with _away(), part.open("wb") as file:
                for chunk in self._objects.stream(key, 0, found.size, found.etag) if found.size else ():
                    file.write(chunk)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        self._evict()

    def url(self, key: str, seconds: int, content_type: str, disposition: str) -> str | None:
        """Without a public address everything is sent by the app."""
        return self._links.url(key, seconds, content_type, disposition) if self._links else None

    def exists(self, key: str) -> bool:
        try:
            self._stat(key)
        except FileNotFoundError:
            return False
        return True

    def is_lost(self, key: str) -> bool:
        with self._lock:
            return key in self._lost

    def list(self, prefix: str = "") -> Iterator[StoredFile]:
        try:
            for key, size in self._objects.list_sizes(prefix.rpartition("/")[0]):
                if key.startswith(prefix):
                    yield StoredFile(key, size)
        except OSError as problem:
            raise _fault(problem, f"The stored files could not be listed: {problem}.") from problem

    def delete(self, key: str) -> None:
        try:
            self._objects.delete(key)
        except OSError as problem:
            raise _fault(problem, f"{key} could not be deleted: {problem}.") from problem

    def _stat(self, key: str) -> Stat:
        try:
            with _away():
                found = self._objects.stat(key)
        except FileNotFoundError:
            self._note(key, is_lost=True)
            raise
        self._note(key, is_lost=False)
        return found

    def _note(self, key: str, *, is_lost: bool) -> None:
        with self._lock:
            self._lost.pop(key, None)
            if is_lost:
                self._lost[key] = None
            while len(self._lost) > MAX_LOST:
                self._lost.popitem(last=False)

    def _evict(self) -> None:
        """Delete the copies that were not used for longest, but none that somebody has the path of."""
        found = []
        for path in self._cache.iterdir():
            with suppress(FileNotFoundError):  # another thread deletes as well
                if path.suffix != ".part":
                    found.append((path, path.stat()))
        total = sum(status.st_size for _, status in found)
        for path, status in sorted(found, key=lambda one: one[1].st_atime):
            with self._lock:
                if total <= self._cache_bytes:
                    break
                if path not in self._kept:
                    path.unlink(missing_ok=True)
                    total -= status.st_size


def open_storage(url: str, cache: Path) -> ObjectStorage:
    """The storage of VIDEOGEN_STORAGE_URL. Nothing is read or written.

    Raises:
        ConfigError: the URL is not understood, or the package for S3 is not installed.
    """
    setting = "VIDEOGEN_STORAGE_URL"
    options = (*OPTIONS, OPTION)
    buckets = (open_bucket(url, setting, options=options), open_bucket(url, setting, PATIENT, options))
    return ObjectStorage(buckets[0], cache, buckets[1], links=links_of(url, setting))


@contextmanager
def _away() -> Iterator[None]:
    """Raise what is wrong with the bucket as such: it does not say that the file is gone."""
    try:
        yield
    except (FileNotFoundError, ChangedError):
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
