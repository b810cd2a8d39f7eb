"""One subscription to an event stream: it reconnects with the last id, without a gap and without a repetition."""

from __future__ import annotations

from asyncio import sleep
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Generic

import httpx
from httpx_sse import EventSource, SSEError

from videogen.client.errors import ClientError, ProtocolError, Unreachable, from_response
from videogen.client.watch_state import (
    RESUMED_AFTER,
    TIMEOUT,
    ConnectionChange,
    E,
    ReconnectPolicy,
    StreamState,
)


class Subscription(Generic[E]):
    """Connects, reads and reconnects. `StreamState` holds what was already yielded."""

    def __init__(self, http: httpx.AsyncClient, state: StreamState[E], *, absolute_links: bool = True) -> None:
        self._http = http
        self._absolute_links = absolute_links
        self._state = state
        self._reconnects = ReconnectPolicy()

    async def events(self) -> AsyncGenerator[E | ConnectionChange, None]:
        """Yield events and changes of the connection until the stream has ended for good.

        Raises:
            ApiError: the server refuses the subscription, and will refuse it again.
            ProtocolError: the answer is not an event stream.
        """
        while True:
            loss: ClientError | None = None
            try:
                async with aclosing(self._connect()) as connection:
                    async for item in connection:
                        self._reconnects.on_item(item)
                        yield item
            except ClientError as problem:
                loss = problem
            if self._state.ended:
                return
            change, delay = self._reconnects.after_loss(loss)
            if change is not None:
                yield change
            await sleep(delay)

    async def _connect(self) -> AsyncGenerator[E | ConnectionChange, None]:
        """Yield the items of one connection, until it ends."""
        headers = self._state.request_headers()
        try:
            async with self._http.stream("GET", self._state.url, headers=headers, timeout=TIMEOUT) as response:
                if response.status_code == httpx.codes.NO_CONTENT:
                    self._state.ended = True
                    return
                if response.status_code != httpx.codes.OK:
                    await response.aread()
                    raise from_response(response)
                self._state.on_resumed(response.headers.get(RESUMED_AFTER))
                yield ConnectionChange("connected")
                async with aclosing(self._read(response)) as events:
                    async for event in events:
                        yield event
        except httpx.TransportError as problem:
            raise Unreachable(f"{type(problem).__name__}: {problem}".rstrip(": ")) from problem

    async def _read(self, response: httpx.Response) -> AsyncGenerator[E, None]:
        try:
            links_from = response.url if self._absolute_links else None
            async with aclosing(EventSource(response).aiter_sse()) as messages:
                async for message in messages:
                    if (event := self._state.accept(message, links_from)) is None:
                        continue
                    yield event
                    if self._state.ended:
                        return
        except SSEError as problem:
            raise ProtocolError(str(problem)) from problem
        finally:
            if response.num_bytes_downloaded:  # heartbeats count too
                self._reconnects.backoff.reset()
