"""Copies files of this disk into a bucket, and compares what is there with them.

An S3 server gives each object an ETag. For most it is the MD5 of the content; of one that went up in parts the MD5 of
the MD5s of the parts, and their number. What has the ETag that follows from the file here has the same content, so
that nothing is downloaded. Where the ETag is something else, as with some encryption, the object is read and compared.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from videogen.core.errors import StartError
from videogen.core.text import counted
from videogen.storage.s3 import PART_BYTES, S3Objects

Report = Callable[[str], object]
"""Gets a line for people about how far it is."""
_AT_ONCE: Final = 8
"""Files that are read and sent at once."""
_REPORT_SECONDS: Final = 2.0


class Found(NamedTuple):
    """An object of the bucket."""

    size: int
    etag: str


class BucketCopy:
    """Files by their keys, and the bucket that gets them."""

    def __init__(self, bucket: S3Objects, files: Mapping[str, Path], report: Report) -> None:
        self._bucket, self._files, self._report = bucket, files, report
        self._etags: dict[str, frozenset[str]] = {}
        """Of each file that was read: those that an object with its content may have."""
        self._proven: dict[str, Found] = {}
        """Objects whose content was found to be that of the file."""

    def upload(self) -> int:
        """Upload what is not there yet; return how many files that were.

        Raises:
            StartError: the bucket cannot be used, or a file cannot be read.
        """
        there = self._list()
        return sum(self._each("Copied", lambda key: not self._is_same(key, there.get(key)) and self._put(key)))

    def verify(self) -> int:
        """Check that each file is in the bucket with the same content; return how many bytes they have.

        Raises:
            StartError: one is not; or the bucket cannot be used.
        """
        there = self._list()
        same = self._each("Checked", lambda key: self._is_same(key, there.get(key)))
        wrong = [key for key, is_same in zip(self._files, same, strict=True) if not is_same]
        if wrong:
            raise StartError(
                f"{counted(len(wrong), 'file')} in the bucket of --storage, such as {wrong[0]}, differ from what is in "
                "the data folder: something else writes there, or it is damaged. Nothing starts there yet. Run the "
                "command again: it sends them again."
            )
        return sum(there[key].size for key in self._files)

    def _list(self) -> dict[str, Found]:
        with reading(self._bucket):
            return {key: Found(size, etag) for key, size, etag in self._bucket.list_stats()}

    def _each(self, verb: str, act: Callable[[str], bool]) -> Iterator[bool]:
        """What `act` returns for each file."""
        last = time.monotonic()
        with reading(self._bucket), ThreadPoolExecutor(_AT_ONCE) as pool:
            for count, outcome in enumerate(pool.map(act, self._files), 1):
                if time.monotonic() - last >= _REPORT_SECONDS or count == len(self._files):
                    self._report(f"{verb} {count} of {len(self._files)} files.")
                    last = time.monotonic()
                yield outcome

    def _put(self, key: str) -> bool:
        self._bucket.put(key, self._files[key])
        return True

    def _is_same(self, key: str, found: Found | None) -> bool:
        path = self._files[key]
        if found is None or found.size != path.stat().st_size:
            return False
        if self._proven.get(key) != found:
            if key not in self._etags:
                self._etags[key] = _etags(path)
            if found.etag not in self._etags[key] and not self._has_same_bytes(key, found.size):
                return False
            self._proven[key] = found
        return True

    def _has_same_bytes(self, key: str, size: int) -> bool:
        content = hashlib.sha256()
        for chunk in self._bucket.stream(key, 0, size, "") if size else ():
            content.update(chunk)
        with self._files[key].open("rb") as file:
            return content.digest() == hashlib.file_digest(file, "sha256").digest()


def _etags(path: Path) -> frozenset[str]:
    whole, parts = hashlib.md5(usedforsecurity=False), list[bytes]()
    with path.open("rb") as file:
        for chunk in iter(partial(file.read, PART_BYTES), b""):
            whole.update(chunk)
            parts.append(hashlib.md5(chunk, usedforsecurity=False).digest())
    of_parts = hashlib.md5(b"".join(parts), usedforsecurity=False)
    return frozenset((whole.hexdigest(), f"{of_parts.hexdigest()}-{len(parts)}"))


@contextmanager
def reading(bucket: S3Objects) -> Iterator[None]:
    """Raise StartError where the bucket, or a file here, cannot be used."""
    try:
        yield
    except OSError as problem:
        where = problem.filename or f"The bucket {bucket.name}"
        raise StartError(
            f"{where} cannot be used: {problem.strerror or problem}. Look at --storage, the credentials "
            "(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) and the server; then run the command again: it goes on."
        ) from problem
