"""The same subscription over a blocking connection."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from time import monotonic
from time import sleep as pause
from typing import Any

import httpx
from httpx_sse import EventSource, SSEError

from videogen.client.errors import ClientError, ProtocolError, Unreachable, WaitTimeout, from_response
from videogen.client.watch_state import (
    RESUMED_AFTER,
    TIMEOUT,
    ConnectionChange,
    Event,
    ReconnectPolicy,
    Watched,
    WatchState,
)


class SyncSubscription:
    """A watch over a blocking connection, which a deadline may end. See `place` for what it knows."""

    def __init__(self, http: httpx.Client, place: WatchState, deadline: float | None = None) -> None:
        self._http = http
        self._place = place
        self._deadline = deadline
        """On the clock of `time.monotonic`."""
        self._breaks = ReconnectPolicy()

    def events(self) -> Generator[Watched, None, None]:
        """Yield events and changes of the connection until the stream has ended for good.

        Raises:
            ApiError: the server refuses the subscription, and will refuse it again.
            ProtocolError: what answers there is not an event stream.
            WaitTimeout: the deadline has passed.
        """
        while True:
            lost: ClientError | None = None
            try:
                with closing(self._connect()) as connection:
                    for item in connection:
                        self._breaks.heard(item)
                        yield item
            except ClientError as problem:
                lost = problem
            if self._place.ended:
                return
            self._left()
            change, wait = self._breaks.after(lost)
            if change is not None:
                yield change
            left = self._left()
            pause(wait if left is None else min(wait, left))

    def _left(self) -> float | None:
        """Seconds until the deadline."""
        if self._deadline is None:
            return None
        left = self._deadline - monotonic()
        if left <= 0:
            raise WaitTimeout
        return left

    def _connect(self) -> Generator[Watched, None, None]:
        """One connection, from its first byte to its last."""
        options: dict[str, Any] = {"headers": self._place.request_headers(), "timeout": TIMEOUT}
        try:
            with self._http.stream("GET", self._place.url, **options) as response, self._cut_at_deadline(response):
                if response.status_code == httpx.codes.NO_CONTENT:
                    self._place.ended = True
                    return
                if response.status_code != httpx.codes.OK:
                    response.read()
                    raise from_response(response)
                self._place.resumed(response.headers.get(RESUMED_AFTER))
                yield ConnectionChange("connected")
                yield from self._read(response)
        except httpx.TransportError as problem:
            raise Unreachable(f"{type(problem).__name__}: {problem}".rstrip(": ")) from problem

    def _read(self, response: httpx.Response) -> Iterator[Event]:
        assert isinstance(response.stream, httpx.SyncByteStream)
        response.stream = _Tapped(response.stream, self._breaks.backoff.reset)
        try:
            for frame in EventSource(response).iter_sse():
                if (event := self._place.accept(frame)) is None:
                    continue
                yield event
                if self._place.ended:
                    return
        except SSEError as problem:
            raise ProtocolError(str(problem)) from problem

    @contextmanager
    def _cut_at_deadline(self, response: httpx.Response) -> Iterator[None]:
        """A read that waits for the next event cannot look at the clock: at the deadline its socket is shut."""
        left = self._left()
        stream = response.extensions.get("network_stream")
        if left is None or stream is None:
            yield
            return
        timer = threading.Timer(left, _shut, [stream.get_extra_info("socket")])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it was closed just now


class _Tapped(httpx.SyncByteStream):
    """A byte stream that tells of each arrival, comments included, before anybody parses it."""

    def __init__(self, inner: httpx.SyncByteStream, on_bytes: Callable[[], None]) -> None:
        self._inner = inner
        self._on_bytes = on_bytes

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._inner:
            self._on_bytes()
            yield chunk

    def close(self) -> None:
        self._inner.close()
