"""Limits of a request body that hold before anything parses it: its size, and how deep its JSON is nested."""

from __future__ import annotations

import re
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from videogen.core.errors import InvalidRequestError, PayloadTooLargeError, VideogenError
from videogen.web.problems import problem_response

OWN_LIMITS: Final = ("/api/v1/files", "/api/v1/import", "/gradio_api/upload")
"""Below the root path: routes that read their bodies in pieces, and limit them themselves."""
MAX_DEPTH: Final = 64
_ESCAPE: Final = re.compile(rb"\\.", re.DOTALL)
_STRING: Final = re.compile(rb'"[^"]*"?')
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))


class BodyLimit:
    """ASGI middleware: reads the whole body of a request, then passes the request on with it.

    A body over the limit is 413, before any of it is read where the request states its length. JSON that is nested
    more than `MAX_DEPTH` levels deep is 422: parsers, validators and `repr` recurse.
    """

    def __init__(self, app: ASGIApp, max_kb: int) -> None:
        self.app = app
        self._max_kb = max_kb

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http" or scope["path"].removeprefix(scope.get("root_path", "")) in OWN_LIMITS:
            await self.app(scope, receive, send)
            return
        try:
            body = await self._read(dict(scope["headers"]), receive)
        except VideogenError as error:
            await problem_response(error)(scope, receive, send)
            return
        if body is not None:  # else the client has left
            await self.app(scope, _with_body(body, receive), send)

    async def _read(self, headers: dict[bytes, bytes], receive: Receive) -> bytes | None:
        """The whole body; None where the connection was closed before its end.

        Raises:
            PayloadTooLargeError: it is too large; the rest is not read.
            InvalidRequestError: it is not UTF-8, or nested too deep.
        """
        length = headers.get(b"content-length", b"0")
        if b"transfer-encoding" not in headers and length == b"0":
            return b""
        limit = self._max_kb * 1024
        if length.isdigit() and int(length) > limit:
            raise self._too_large()
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > limit:
                raise self._too_large()
        if not headers.get(b"content-type", b"").startswith(b"multipart/"):
            _check_json(body)
        return bytes(body)

    def _too_large(self) -> PayloadTooLargeError:
        return PayloadTooLargeError(
            f"body: expected at most {self._max_kb} kB (VIDEOGEN_MAX_BODY_KB), got more. Send less at once."
        )


def _check_json(body: bytearray) -> None:
    if b"\0" in body:  # UTF-16, which Python's parser would take
        raise InvalidRequestError("body", "valid JSON in UTF-8", "text of another encoding")
    if is_nested_too_deep(body):
        raise InvalidRequestError("body", f"JSON nested at most {MAX_DEPTH} levels deep", "text of a deeper nesting")


def is_nested_too_deep(body: bytes | bytearray) -> bool:
    """Whether JSON has more than `MAX_DEPTH` objects and lists inside each other."""
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return False
    depth = 0
    for bracket in _STRING.sub(b"", _ESCAPE.sub(b"", body)).translate(None, _NO_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def _with_body(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body first, then whatever the server reports, such as a disconnect."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_body() -> Message:
        return first.pop() if first else await receive()

    return receive_body
