"""A download that is complete or absent: written to a temporary file, resumed, checked, then renamed."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final, Self

import httpx

from videogen.client.errors import ApiError, ClientError, DownloadFailed, Unreachable, from_response
from videogen.client.policy import Backoff
from videogen.core.atomic_files import sync
from videogen.schemas.generations import Generation

TIMEOUT: Final = httpx.Timeout(connect=5.0, read=30.0, write=10.0, pool=5.0)
TRIES: Final = 6
"""Consecutive connections without a byte before the download fails."""
_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


def link_of(generation: Generation) -> str:
    """The link to the result of a generation.

    Raises:
        DownloadFailed: it has no result.
    """
    if link := generation.video_url or generation.image_url:
        return link
    raise DownloadFailed(f"{generation.id}: expected a completed generation, got one that is {generation.status}.")


class PartialFile:
    """The temporary file of a download. It knows which bytes are missing."""

    def __init__(self, path: Path, name: str, size: int | None) -> None:
        """Open the temporary file, or the one of an earlier download.

        Args:
            path: the final file.
            name: part of the temporary file's name, different for each content.
            size: the expected size in bytes, or None if unknown.
        """
        self.path = path
        self.size = size
        self._temporary = path.with_name(f".{path.name}.{name}.part")
        self._file = self._temporary.open("ab")
        self._received = self._file.tell()
        if size is not None and self._received > size:
            self._restart()
        self._tries_left = TRIES
        self._backoff = Backoff(longest=3.0)

    @classmethod
    def empty(cls, path: Path) -> Self:
        """A new file of unknown size, whose download cannot be resumed."""
        part = cls(path, "new", None)
        part._restart()
        return part

    @property
    def is_complete(self) -> bool:
        """Whether all bytes were received."""
        return self.size is not None and self._received >= self.size

    def request_headers(self) -> dict[str, str]:
        """The headers that request the missing bytes."""
        # Ranges count uncompressed bytes.
        uncompressed = {"Accept-Encoding": "identity"}
        return {**uncompressed, "Range": f"bytes={self._received}-"} if self._received else uncompressed

    def start(self, response: httpx.Response) -> None:
        """Prepare for the body of this response: append to the received bytes, or start again.

        Raises:
            ApiError: the server refused; the body must have been read.
            Unreachable: the received part does not fit; it was removed, and another try may succeed.
        """
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            self._restart()
            raise Unreachable("The file on the server is shorter than the part that was received before.")
        if not response.is_success:
            raise from_response(response)
        content_range = _RANGE.fullmatch(response.headers.get("content-range", ""))
        is_rest = response.status_code == httpx.codes.PARTIAL_CONTENT
        if not is_rest or content_range is None or int(content_range[1]) != self._received:
            self._restart()

    def write(self, chunk: bytes) -> None:
        """Append received bytes."""
        self._file.write(chunk)
        self._received += len(chunk)
        self._tries_left = TRIES
        self._backoff.reset()

    def delay_after(self, problem: httpx.TransportError | ClientError) -> float:
        """Seconds to wait before the missing bytes are requested.

        Raises:
            ClientError: another try would fail too.
        """
        if isinstance(problem, ApiError) and not problem.is_temporary:
            raise problem
        self._tries_left -= 1
        if self._tries_left <= 0:
            if isinstance(problem, ClientError):
                raise problem
            raise Unreachable(f"The download broke off ({type(problem).__name__}), {self._received} bytes are kept.")
        return self._backoff.next(at_least=getattr(problem, "retry_after", None) or 0.0)

    def finish(self) -> Path:
        """Rename it to its final name; it is on the disk on return.

        Raises:
            DownloadFailed: it does not have the expected size. The received bytes were removed.
        """
        if self.size is not None and self._received != self.size:
            received = self._received
            self.discard()
            raise DownloadFailed(f"{self.path.name}: expected {self.size} bytes, got {received}. Download it again.")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._temporary.replace(self.path)
        sync(self.path.parent)
        return self.path

    def discard(self) -> None:
        """Remove the temporary file."""
        self._file.close()
        self._temporary.unlink(missing_ok=True)

    def close(self) -> None:
        """Keep the received bytes for the next download."""
        self._file.close()
        if self._received == 0:
            self._temporary.unlink(missing_ok=True)

    def _restart(self) -> None:
        self._file.truncate(0)
        self._received = 0
