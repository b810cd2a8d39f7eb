"""A file that comes whole or not at all: taken up where it broke, written aside, checked, then put in place."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final, Self

import httpx

from videogen.client.errors import ApiError, ClientError, DownloadFailed, Unreachable, from_response
from videogen.client.policy import Backoff
from videogen.schemas.generations import Generation

TIMEOUT: Final = httpx.Timeout(connect=5.0, read=30.0, write=10.0, pool=5.0)
TRIES: Final = 6
"""Connections in a row that bring no byte."""
_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


def link_of(generation: Generation) -> str:
    """Where the result of a generation is.

    Raises:
        DownloadFailed: it has none (yet).
    """
    if link := generation.video_url or generation.image_url:
        return link
    raise DownloadFailed(f"{generation.id}: expected a completed generation, got one that is {generation.status}.")


class PartialFile:
    """The file while it comes. Both clients feed it; it knows what to ask for and when it is whole."""

    def __init__(self, path: Path, name: str, size: int | None) -> None:
        """`name` is part of the name aside, so that the rest of another file is never taken for this one's."""
        self.path = path
        self.size = size
        self._aside = path.with_name(f".{path.name}.{name}.part")
        self._file = self._aside.open("ab")
        self._have = self._file.tell()
        if size is not None and self._have > size:
            self._restart()
        self._left = TRIES
        self._backoff = Backoff(last=3.0)

    @classmethod
    def anew(cls, path: Path) -> Self:
        """A file of unknown size that can only be had in one go."""
        part = cls(path, "new", None)
        part._restart()
        return part

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left to fetch."""
        return self.size is not None and self._have >= self.size

    def headers(self) -> dict[str, str]:
        """What to ask for: the rest."""
        # Ranges count the bytes as they are on the disk.
        plain = {"Accept-Encoding": "identity"}
        return {**plain, "Range": f"bytes={self._have}-"} if self._have else plain

    def begin(self, response: httpx.Response) -> None:
        """Read what kind of answer it is.

        Raises:
            ApiError: a refusal; its body must have been read.
        """
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            self._restart()
            raise Unreachable("The file on the server has another length than the part that was here.")
        if not response.is_success:
            raise from_response(response)
        found = _RANGE.fullmatch(response.headers.get("content-range", ""))
        if response.status_code != httpx.codes.PARTIAL_CONTENT or found is None or int(found[1]) != self._have:
            self._restart()

    def write(self, chunk: bytes) -> None:
        """Keep what came."""
        self._file.write(chunk)
        self._have += len(chunk)
        self._left = TRIES
        self._backoff.reset()

    def after(self, problem: httpx.TransportError | ClientError) -> float:
        """Seconds to wait before the rest is asked for.

        Raises:
            ClientError: there is no point in it.
        """
        if isinstance(problem, ApiError) and not problem.is_temporary:
            raise problem
        self._left -= 1
        if self._left <= 0:
            if isinstance(problem, ClientError):
                raise problem
            raise Unreachable(f"The download broke off ({type(problem).__name__}), {self._have} bytes are kept.")
        return self._backoff.next(at_least=getattr(problem, "retry_after", None) or 0.0)

    def finish(self) -> Path:
        """Put it in place; it is on the disk on return.

        Raises:
            DownloadFailed: it has another size than the server told.
        """
        if self.size is not None and self._have != self.size:
            have = self._have
            self.discard()
            raise DownloadFailed(f"{self.path.name}: expected {self.size} bytes, got {have}. Download it again.")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._aside.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return self.path

    def discard(self) -> None:
        """Remove what has come so far."""
        self._file.close()
        self._aside.unlink(missing_ok=True)

    def close(self) -> None:
        """Leave what has come where it is: the next download goes on from there."""
        self._file.close()
        if self._have == 0:
            self._aside.unlink(missing_ok=True)

    def _restart(self) -> None:
        self._file.truncate(0)
        self._have = 0
