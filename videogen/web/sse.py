"""An event stream as an ASGI response, without a copy or a task more than it needs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, cast

from starlette.background import BackgroundTask
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from videogen.eager import Rest, begin
from videogen.live.hub import Frame
from videogen.live.streams import EventStream
from videogen.wire import Wire

DIRECT: Final = "videogen.send"
"""Where the root leaves the server's own `send`, if it does, for those who write often."""
HEADERS: Final[Mapping[str, str]] = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}
RESUMED_AFTER: Final = "Videogen-Resumed-After"
"""Answers `Last-Event-ID`: the number after which the stream goes on. A lower one than was asked for means that
the numbers have begun again (another database), and that what was seen before does not count."""


class EventStreamResponse(Response):
    """Sends what a stream tells until it ends, the reader leaves, or the server stops."""

    def __init__(self, stream: EventStream) -> None:
        self.stream = stream
        self.status_code = 200
        self.background: BackgroundTask | None = None
        after = stream.resumed_after
        self.init_headers(HEADERS if after is None else {**HEADERS, RESUMED_AFTER: str(after)})
        # The length is unknown; the base class would declare an empty body.
        self.raw_headers = [(key, value) for key, value in self.raw_headers if key != b"content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one reader."""
        # Once the response has begun, what lies between has nothing to do any more but to pass on each write.
        writer = _Writer(self.stream, scope.get(DIRECT, send))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": self.stream.opening(), "more_body": True})
            writer.start()
            while (await receive())["type"] != "http.disconnect":
                pass
        except OSError:
            return  # the reader left in the middle of the opening
        finally:
            self.stream.close()
            writer.stop()


_END: Final[Message] = {"type": "http.response.body", "body": b"", "more_body": False}


class _Writer:
    """Writes news where they are published, in the hub's own turn; a task only takes over for a reader that is slow.

    A task for each reader and event would cost more than the write.
    """

    __slots__ = ("_behind", "_complete", "_send", "_stream", "_wire")

    def __init__(self, stream: EventStream, send: Send) -> None:
        self._stream = stream
        # An ASGI `send` is a coroutine function.
        self._send = cast(Callable[[Message], Coroutine[Any, Any, None]], send)
        self._wire: Wire | None = None
        self._behind: asyncio.Task[None] | None = None
        self._complete = False

    def start(self) -> None:
        """Write from now on: the response has begun."""
        self._wire = Wire.under(self._send)
        self._stream.listen(self._write, None if self._wire is None else self._write_at_once)
        self._write()

    def stop(self) -> None:
        """Write no more. Idempotent."""
        self._complete = True
        if self._behind is not None:
            self._behind.cancel()

    def _write_at_once(self, frame: Frame) -> bool:
        """The same for one event that goes straight to the connection, as nearly all do."""
        wire = self._wire
        if self._behind is not None or self._complete or wire is None or not wire.ready:
            return False
        if not self._stream.goes_on_with(frame):
            return False
        wire.write(frame.chunk)
        return True

    def _write(self) -> None:
        if self._behind is not None or self._complete:
            return
        try:
            rest = self._begin()
        except OSError:
            self._stream.close()  # the reader has left
        else:
            if rest is not None:
                self._behind = asyncio.create_task(self._catch_up(rest))

    def _begin(self) -> Rest | None:
        """Write what there is, as far as that comes without waiting."""
        body, rest = self._stream.take(), None
        if body:
            rest = begin(self._send({"type": "http.response.body", "body": body, "more_body": True}))
        if rest is None and self._stream.ended:
            self._complete = True
            rest = begin(self._send(_END))
        return rest

    async def _catch_up(self, rest: Rest) -> None:
        try:
            await rest
            while body := self._stream.take():
                await self._send({"type": "http.response.body", "body": body, "more_body": True})
            if self._stream.ended and not self._complete:
                self._complete = True
                await self._send(_END)
        except OSError:
            self._stream.close()  # the reader has left
        finally:
            self._behind = None
