"""Answers of providers: their bodies, which are bounded in size and time, and what an error in them means."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from videogen.engines.remote.provider import Answer, FaultKind, RemoteFault

MAX_ANSWER: Final = 32 << 20
"""Bytes of an answer that is no result."""
MAX_EVENT: Final = 1 << 20
"""Bytes of one server-sent event."""
_KINDS: Final[Mapping[int, FaultKind]] = {
    401: "key", 403: "key", 402: "credit", 404: "not_found", 410: "not_found", 408: "server", 429: "rate_limit",
    451: "moderation",
}  # fmt: skip
_BLANK_LINE: Final = re.compile(rb"\n\n|\r\r|\n\r\n")
_MAX_DEPTH: Final = 8
"""How deep in an answer its error is looked for."""


def read_body(response: httpx.Response, seconds: float, limit: int = MAX_ANSWER) -> bytes:
    """The body of an answer.

    Args:
        response: whose body is not read yet.
        seconds: how long it may take.
        limit: bytes that it may have, also after it is decompressed.

    Raises:
        RemoteFault: it is too large, too slow, or in a form that was not asked for.
    """
    ends, body = time.monotonic() + seconds, bytearray()
    for chunk in _decompressed(response, limit):
        body += chunk
        if len(body) > limit or time.monotonic() > ends:
            raise RemoteFault("server", "Its answer was too large or too slow.")
    return bytes(body)


def bounded_events(response: httpx.Response) -> httpx.Response:
    """A response whose server-sent events are not read any further if one is larger than `MAX_EVENT`.

    Raises:
        RemoteFault: it is compressed, which was not asked for.
    """
    if _encoding(response):
        raise RemoteFault("server", "Its stream is compressed, which was not asked for.")
    assert isinstance(response.stream, httpx.SyncByteStream)
    response.stream = _BoundedEvents(response.stream)
    return response


class _BoundedEvents(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        size, tail = 0, b""
        for chunk in self._stream:
            size = 0 if _BLANK_LINE.search(tail + chunk) else size + len(chunk)
            if size > MAX_EVENT:
                raise RemoteFault("server", "An event of its stream was too large.")
            tail = chunk[-2:]
            yield chunk

    def close(self) -> None:
        self._stream.close()


def _encoding(response: httpx.Response) -> str:
    encoding: str = response.headers.get("content-encoding", "").strip().lower()
    return "" if encoding == "identity" else encoding


def _decompressed(response: httpx.Response, limit: int) -> Iterator[bytes]:
    """The chunks of a body. Some gateways compress though nobody asked for it: gzip is read, but bounded."""
    encoding = _encoding(response)
    if not encoding:
        yield from response.iter_raw()
        return
    if encoding not in ("gzip", "x-gzip"):
        raise RemoteFault("server", "Its answer is compressed, which was not asked for.")
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        for chunk in response.iter_raw():
            yield unpacker.decompress(chunk, limit + 1)
    except zlib.error:
        raise RemoteFault("server", "Its answer is compressed, and broken.") from None


def kind_of_status(status: int) -> FaultKind:
    """What an error status means where the provider's module does not know better."""
    return _KINDS.get(status, "invalid" if 400 <= status < 500 else "server")


def error_text(answer: Answer) -> str:
    """The text of an error in the forms that APIs use: problem+json, `error.message`, `detail`, a list of faults."""
    return _text(answer.json, _MAX_DEPTH)


def _text(value: Any, depth: int) -> str:
    if isinstance(value, str) or depth == 0:
        return value if isinstance(value, str) else ""
    if isinstance(value, dict):
        keys = ("detail", "message", "msg", "error", "title", "errors")
        return next((found for key in keys if (found := _text(value.get(key), depth - 1))), "")
    if isinstance(value, list):
        return "; ".join(filter(None, (_text(one, depth - 1) for one in value)))
    return ""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds of a Retry-After header. A date in it is compared with the provider's own clock."""
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - parsedate_to_datetime(headers["date"])).total_seconds())
    except (ValueError, TypeError, KeyError, OverflowError):
        return None
