"""One subscription that survives any break: it comes back with the last id, without a gap or a double."""

from __future__ import annotations

from asyncio import sleep as pause
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing

import httpx
from httpx_sse import EventSource, SSEError

from videogen.client.errors import ClientError, ProtocolError, Unreachable, from_response
from videogen.client.watch_state import (
    RESUMED_AFTER,
    TIMEOUT,
    ConnectionChange,
    Event,
    ReconnectPolicy,
    Watched,
    WatchState,
)


class Subscription:
    """A watch over an asynchronous connection. See `place` for what it knows."""

    def __init__(self, http: httpx.AsyncClient, place: WatchState) -> None:
        self._http = http
        self._place = place
        self._breaks = ReconnectPolicy()

    async def events(self) -> AsyncGenerator[Watched, None]:
        """Yield events and changes of the connection until the stream has ended for good.

        Raises:
            ApiError: the server refuses the subscription, and will refuse it again.
            ProtocolError: what answers there is not an event stream.
        """
        while True:
            lost: ClientError | None = None
            try:
                async with aclosing(self._connect()) as connection:
                    async for item in connection:
                        self._breaks.heard(item)
                        yield item
            except ClientError as problem:
                lost = problem
            if self._place.ended:
                return
            change, wait = self._breaks.after(lost)
            if change is not None:
                yield change
            await pause(wait)

    async def _connect(self) -> AsyncGenerator[Watched, None]:
        """One connection, from its first byte to its last."""
        headers = self._place.request_headers()
        try:
            async with self._http.stream("GET", self._place.url, headers=headers, timeout=TIMEOUT) as response:
                if response.status_code == httpx.codes.NO_CONTENT:
                    self._place.ended = True
                    return
                if response.status_code != httpx.codes.OK:
                    await response.aread()
                    raise from_response(response)
                self._place.resumed(response.headers.get(RESUMED_AFTER))
                yield ConnectionChange("connected")
                async with aclosing(self._read(response)) as events:
                    async for event in events:
                        yield event
        except httpx.TransportError as problem:
            raise Unreachable(f"{type(problem).__name__}: {problem}".rstrip(": ")) from problem

    async def _read(self, response: httpx.Response) -> AsyncGenerator[Event, None]:
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _Tapped(response.stream, self._breaks.backoff.reset)
        try:
            async with aclosing(EventSource(response).aiter_sse()) as frames:
                async for frame in frames:
                    if (event := self._place.accept(frame)) is None:
                        continue
                    yield event
                    if self._place.ended:
                        return
        except SSEError as problem:
            raise ProtocolError(str(problem)) from problem


class _Tapped(httpx.AsyncByteStream):
    """A byte stream that tells of each arrival, comments included, before anybody parses it."""

    def __init__(self, inner: httpx.AsyncByteStream, on_bytes: Callable[[], None]) -> None:
        self._inner = inner
        self._on_bytes = on_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._inner:
            self._on_bytes()
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()
