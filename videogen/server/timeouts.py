"""Ends connections that send a request too slowly, which would otherwise cost nothing to hold by the thousand.

uvicorn has no time limit for a request that is still arriving, and no limit of its headers. `TimedProtocol` overrides
the parser callbacks of its HTTP protocol, which uvicorn does not document: see `videogen.server.run`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from videogen.core.errors import HeadersTooLargeError, RequestTimeoutError, VideogenError
from videogen.web.problems import problem_response

MAX_HEADER_BYTES: Final = 64 * 1024
"""Of the first line and all headers of a request; as many again may follow a body in chunks."""
_PIECE: Final = 8 * 1024
"""Bytes that are parsed before they are counted."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Time limits of a request that is still arriving, in seconds."""

    headers: float = 20.0
    """For all of the headers, from the first byte; for the first byte of a new connection as well."""
    silence: float = 30.0
    """Between two pieces of a body."""
    bytes_per_second: float = 500.0
    """What a body must reach on average, after its first `silence` seconds."""
    answered: float = 30.0
    """For the rest of a body whose request was answered before its end, and is not read any more."""
    stopping: float = 1.0
    """For the rest of a body, once the server stops."""


Part = Literal["nothing", "request", "headers", "body", "answered body"]
"""What a connection waits for; `request` is one of which no byte is there."""


class TimedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with `Timeouts` and a limit of the headers.

    Idle connections, responses and event streams are not limited.

    While the app takes no more of a body, because its disk is slow, the time does not count.
    """

    timeouts: ClassVar = Timeouts()
    _arriving: Part = "nothing"
    _timer: asyncio.TimerHandle | None = None
    _begun = _newest = 0.0
    _received = 0
    _unparsed = 0
    """Bytes since a request began, its headers ended, or a piece of its body came; at most `_PIECE` too many."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._wait_for("request", self.timeouts.headers)

    def data_received(self, data: bytes) -> None:
        """Take bytes; also those between two requests that are not the beginning of one."""
        if self._arriving == "nothing":
            self._wait_for("request", self.timeouts.headers)
        for start in range(0, len(data), _PIECE):
            piece = data[start : start + _PIECE]
            super().data_received(piece)
            if self.transport.is_closing() or self.transport.get_protocol() is not self:
                return  # refused, or a WebSocket from now on
            self._unparsed += len(piece)
            if self._unparsed > MAX_HEADER_BYTES:
                self._refuse_headers()
                return

    def on_message_begin(self) -> None:
        """Wait for its headers."""
        super().on_message_begin()
        self._unparsed = 0
        self._wait_for("headers", self.timeouts.headers)

    def on_headers_complete(self) -> None:
        """Wait for its body."""
        super().on_headers_complete()
        self._begun = self._newest = self.loop.time()
        self._received = self._unparsed = 0
        self._wait_for("body", self.timeouts.silence)

    def on_body(self, body: bytes) -> None:
        """Count the bytes."""
        super().on_body(body)
        self._received += len(body)
        self._unparsed = 0
        self._newest = self.loop.time()

    def on_message_complete(self) -> None:
        """The request is there. Where it was answered before, uvicorn's limit of idle connections no longer runs."""
        super().on_message_complete()
        if self._arriving == "answered body":
            self._wait_for("request", self.timeouts.headers)
        else:
            self._wait_for("nothing")

    def on_response_complete(self) -> None:
        """The rest of the body is thrown away, but not for long."""
        super().on_response_complete()
        if self._arriving == "body":
            self._wait_for("answered body", self.timeouts.answered)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        super().connection_lost(exc)
        self._wait_for("nothing")

    def shutdown(self) -> None:
        """End soon if half a request is there: its handler waits for the rest."""
        super().shutdown()
        if self._arriving == "body":
            self._wait_for("answered body", self.timeouts.stopping)

    def _wait_for(self, part: Part, seconds: float = 0.0) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._arriving = part
        self._timer = None if part == "nothing" else self.loop.call_later(seconds, self._check)

    def _check(self) -> None:
        """End the connection, unless there is time left."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        unanswered = cycle is not None and not cycle.response_complete
        if self._arriving in ("request", "headers") and unanswered:
            self._wait_for(self._arriving, self.timeouts.headers)  # the response to an earlier request is still due
        elif self._arriving == "body" and (left := self._time_left()) > 0:
            self._wait_for("body", left)
        elif unanswered and self.cycle.response_started:
            self.transport.abort()
        else:
            if self._arriving in ("headers", "body"):
                self.transport.write(_TIMEOUT)
            self.transport.close()

    def _refuse_headers(self) -> None:
        """End the connection; with a response, unless it would be taken for that to an earlier request."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if cycle is not None and not cycle.response_complete:
            self.transport.abort()
        else:
            self.transport.write(_HEADERS_TOO_LARGE)
            self.transport.close()

    def _time_left(self) -> float:
        """Seconds until the body is too slow, if no more of it comes."""
        now = self.loop.time()
        if self.flow.read_paused:
            self._begun, self._newest, self._received = now, now, 0
        silent_at = self._newest + self.timeouts.silence
        slow_at = self._begun + self.timeouts.silence + self._received / self.timeouts.bytes_per_second
        return min(silent_at, slow_at) - now


def _last_response(error: VideogenError) -> bytes:
    response = problem_response(error)
    headers = [*response.raw_headers, (b"connection", b"close")]
    lines = (b"%b: %b\r\n" % header for header in headers)
    return b"".join((STATUS_LINE[error.status], *lines, b"\r\n", bytes(response.body)))


_TIMEOUT: Final = _last_response(RequestTimeoutError())
_HEADERS_TOO_LARGE: Final = _last_response(HeadersTooLargeError())
