"""An event stream as an ASGI response."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final, TypeAlias

from starlette.background import BackgroundTask
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from videogen.live.exports import ExportStream
from videogen.live.streams import EventStream

AnyStream: TypeAlias = EventStream | ExportStream
HEADERS: Final[Mapping[str, str]] = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}
RESUMED_AFTER: Final = "Videogen-Resumed-After"
"""Answers `Last-Event-ID`: the event id after which the stream goes on. A lower id than the one asked for means that
the ids have begun again (another database), and that earlier events do not count."""


class EventStreamResponse(Response):
    """Sends a stream until it ends, the reader leaves, or the server stops.

    A slow reader only blocks its own task; meanwhile the hub keeps its pending events.
    """

    def __init__(self, stream: AnyStream) -> None:
        self.stream = stream
        self.status_code = 200
        self.background: BackgroundTask | None = None
        after = stream.resumed_after
        self.init_headers(HEADERS if after is None else {**HEADERS, RESUMED_AFTER: str(after)})
        # The length is unknown; the base class would declare an empty body.
        self.raw_headers = [(key, value) for key, value in self.raw_headers if key != b"content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one reader."""
        # A task of its own wakes up for each event without all the callers of this function.
        writer = asyncio.create_task(self._write(send))
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
            self.stream.close()
            await writer
        finally:
            self.stream.close()
            writer.cancel()

    async def _write(self, send: Send) -> None:
        with suppress(OSError):  # the reader has left
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            try:
                while chunk := await self.stream.read():
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            finally:
                # After this, `receive` reports a disconnect.
                await send({"type": "http.response.body", "body": b"", "more_body": False})


def stream_response(stream: AnyStream | None) -> Response:
    """The response for a stream; 204, after which an EventSource does not reconnect, where there is none."""
    return Response(status_code=204) if stream is None else EventStreamResponse(stream)
