"""Sends a stored file with `Range`, `ETag` and its type, or 304 where the browser has it (RFC 9110)."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from io import BufferedReader
from typing import Final, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from anyio.lowlevel import RunVar
from fastapi import Request
from starlette.responses import FileResponse, MalformedRangeHeader, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from videogen.core.errors import FileMissingError, StorageError
from videogen.services.media import ServedFile
from videogen.storage import FileVersion

logger = logging.getLogger(__name__)
T = TypeVar("T")


class RangedFileResponse(FileResponse):
    """A file response that ignores a `Range` it does not understand, as RFC 9110 says; Starlette answers 400."""

    @classmethod
    def _parse_range_header(cls, http_range: str, file_size: int) -> list[tuple[int, int]]:
        try:
            return super()._parse_range_header(http_range, file_size)
        except (MalformedRangeHeader, ValueError):
            return []  # the whole file


_threads: RunVar[CapacityLimiter] = RunVar("media_threads")
_MAX_THREADS: Final = 64


async def in_media_thread(call: Callable[[], T]) -> T:
    """Call what may wait for the bucket, on threads of their own: all else goes on when it does not answer."""
    try:
        threads = _threads.get()
    except LookupError:
        _threads.set(threads := CapacityLimiter(_MAX_THREADS))
    return await anyio.to_thread.run_sync(call, limiter=threads)


class _CutError(Exception):
    """A file cannot be read to its end, when its beginning is on its way."""


class _Reader:
    """Reads a version as Starlette reads a file."""

    def __init__(self, version: FileVersion) -> None:
        self._version, self._start = version, 0
        self._file: BufferedReader | None = None

    async def begin(self, start: int, end: int | None) -> None:
        """Open it from one byte up to another, while the answer can still be an error."""
        self._start = start
        try:
            self._file = await in_media_thread(partial(self._version.open, start, end))
        except OSError:
            raise FileMissingError from None

    async def seek(self, start: int) -> None:
        if self._file is None or start != self._start:
            self.close()
            self._start = start

    async def read(self, count: int) -> bytes:
        return await in_media_thread(partial(self._read, count))

    def _read(self, count: int) -> bytes:
        try:
            if self._file is None:
                self._file = self._version.open(self._start, None)
            return self._file.read(count)
        except (OSError, StorageError) as problem:
            raise _CutError(str(problem)) from problem

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None


class StoredFileResponse(RangedFileResponse):
    """A response that closes its file once it is sent. A file that cannot be read to its end closes the connection."""

    def __init__(self, file: ServedFile) -> None:
        version, time = file.version, int(file.version.changed_at)
        status = os.stat_result((stat.S_IFREG, 0, 0, 1, 0, 0, version.size, time, time, time))
        super().__init__("", headers={"ETag": version.etag}, media_type=file.content_type, stat_result=status)
        if file.disposition is not None:
            self.headers["Content-Disposition"] = file.disposition
        self._reader, self._close = _Reader(version), file.close

    @asynccontextmanager
    async def _open_file(self) -> AsyncIterator[_Reader]:  # type: ignore[override]
        yield self._reader

    async def _handle_simple(self, send: Send, send_header_only: bool, _send_pathsend: bool) -> None:
        if not send_header_only:
            await self._reader.begin(0, None)
        # Not by its path: it may have none here.
        await super()._handle_simple(send, send_header_only, False)

    async def _handle_single_range(
        self, send: Send, start: int, end: int, file_size: int, send_header_only: bool
    ) -> None:
        if not send_header_only:
            await self._reader.begin(start, end)
        await super()._handle_single_range(send, start, end, file_size, send_header_only)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file, or the part that the request asks for; 304 if the browser has it."""
        try:
            if not_modified(Request(scope), self.headers["etag"]):
                names = ("cache-control", "etag", "last-modified", "content-disposition")
                headers = {name: self.headers[name] for name in names if name in self.headers}
                await Response(None, 304, headers)(scope, receive, send)
            else:
                await super().__call__(scope, receive, send)
        except _CutError as problem:
            logger.warning("A file could not be sent to its end: %s", problem)
        finally:
            self._reader.close()
            self._close()


def stored_response(request: Request, file: ServedFile) -> Response:
    """The response with a file, or one that leads to the bucket, for as long as a link works."""
    if request.method == "GET" and (link := file.link()) is not None:
        file.close()
        return RedirectResponse(link, 307, {"Cache-Control": "no-store"})
    return StoredFileResponse(file)


def not_modified(request: Request, etag: str) -> bool:
    """Whether the browser has the same bytes already."""
    known = request.headers.get("if-none-match", "")
    return known.strip() == "*" or etag in [tag.strip().removeprefix("W/") for tag in known.split(",")]
