"""Sends a stored file with `Range`, `ETag` and its type, or 304 where the browser has it (RFC 9110)."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import FileResponse, MalformedRangeHeader, Response
from starlette.types import Receive, Scope, Send

from videogen.services.media import ServedFile


class RangedFileResponse(FileResponse):
    """A file response that ignores a `Range` it does not understand, as RFC 9110 says; Starlette answers 400."""

    @classmethod
    def _parse_range_header(cls, http_range: str, file_size: int) -> list[tuple[int, int]]:
        try:
            return super()._parse_range_header(http_range, file_size)
        except (MalformedRangeHeader, ValueError):
            return []  # the whole file


class StoredFileResponse(RangedFileResponse):
    """A response that closes its file once it is sent."""

    def __init__(self, file: ServedFile) -> None:
        super().__init__(file.path, media_type=file.content_type, stat_result=file.status)
        self._close = file.close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file, or the part that the request asks for; 304 if the browser has it."""
        try:
            if not_modified(Request(scope), self.headers["etag"]):
                names = ("cache-control", "etag", "last-modified", "content-disposition")
                headers = {name: self.headers[name] for name in names if name in self.headers}
                await Response(None, 304, headers)(scope, receive, send)
            else:
                await super().__call__(scope, receive, send)
        finally:
            self._close()


def not_modified(request: Request, etag: str) -> bool:
    """Whether the browser has the same bytes already."""
    known = request.headers.get("if-none-match", "")
    return known.strip() == "*" or etag in [tag.strip().removeprefix("W/") for tag in known.split(",")]
