"""Limits of a request body that hold before anything parses it: its size, its time, how deep its JSON is nested."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from typing import ClassVar, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from videogen.core.addresses import visitor_name
from videogen.core.errors import (
    InvalidRequestError,
    LimitExceededError,
    PayloadTooLargeError,
    RequestTimeoutError,
    ServerBusyError,
    VideogenError,
)
from videogen.web.bodies import whole_number
from videogen.web.problems import problem_response

OWN_LIMITS: Final = (
    *("/api/v1/files", "/api/v1/files/settings", "/api/v1/import", "/imports"),
    "/gradio_api/upload",
)
"""Below the root path: routes that read their bodies in pieces, and limit them themselves."""
MAX_DEPTH: Final = 64
_ESCAPE: Final = re.compile(rb"\\.", re.DOTALL)
_STRING: Final = re.compile(rb'"[^"]*"?')
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))


class BodyLimit:
    """ASGI middleware: reads the whole body of a request, then passes the request on with it.

    A body over the limit is 413, before any of it is read where the request states its length. JSON that is nested
    more than `MAX_DEPTH` levels deep is 422: parsers, validators and `repr` recurse. A body that takes too long is 408.
    Where the bodies that are still arriving have too many bytes, a request is 429 (of its address) or 503 (of all).
    """

    seconds: ClassVar = 60.0
    """In which a whole body must arrive."""
    bytes_per_address: ClassVar = 8 * 1024 * 1024
    bytes_of_all: ClassVar = 64 * 1024 * 1024

    def __init__(self, app: ASGIApp, max_kb: int) -> None:
        self.app = app
        self._max_kb = max_kb
        self._arriving: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http" or scope["path"].removeprefix(scope.get("root_path", "")) in OWN_LIMITS:
            await self.app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self.seconds):
                body = await self._read(scope, receive)
        except TimeoutError:
            await problem_response(RequestTimeoutError())(scope, receive, send)
            return
        except VideogenError as error:
            await problem_response(error)(scope, receive, send)
            return
        if body is not None:  # else the client has left
            await self.app(scope, _with_body(body, receive), send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes | None:
        """The whole body; None where the connection was closed before its end.

        Raises:
            PayloadTooLargeError: it is too large; the rest is not read.
            LimitExceededError, ServerBusyError: too many bytes of other bodies are held.
            InvalidRequestError: it is not UTF-8, or nested too deep.
        """
        headers = dict(scope["headers"])
        # Of several headers, the routes read another one than `dict` keeps.
        types = [value for name, value in scope["headers"] if name == b"content-type"]
        is_multipart = bool(types) and all(value.lower().startswith(b"multipart/") for value in types)
        length = whole_number(headers.get(b"content-length", b""))
        if b"transfer-encoding" not in headers and not length:
            return b""
        limit = self._max_kb * 1024
        if length > limit:
            raise self._too_large()
        body = bytearray()
        more = True
        address = visitor_name((scope.get("client") or ("",))[0])
        try:
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                piece = message.get("body", b"")
                if len(body) + len(piece) > limit:
                    raise self._too_large()
                self._take(address, len(piece))
                body += piece
                more = message.get("more_body", False)
        finally:
            self._give_back(address, len(body))
        if not is_multipart:
            _check_json(body)
        return bytes(body)

    def _take(self, address: str, size: int) -> None:
        """Count bytes of a body that is still arriving."""
        of_address = self._arriving[address] + size
        if of_address > max(self.bytes_per_address, self._max_kb * 1024):
            raise LimitExceededError(
                "Too many unfinished request bodies come from your address. Finish them first, or try again later."
            )
        if self._arriving.total() + size > max(self.bytes_of_all, self._max_kb * 1024):
            raise ServerBusyError
        self._arriving[address] = of_address

    def _give_back(self, address: str, size: int) -> None:
        self._arriving[address] -= size
        if not self._arriving[address]:
            del self._arriving[address]

    def _too_large(self) -> PayloadTooLargeError:
        return PayloadTooLargeError(
            f"The request must have at most {self._max_kb} kB (VIDEOGEN_MAX_BODY_KB). Send less at once."
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
