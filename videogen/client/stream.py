"""One subscription that survives any break: it comes back with the last id, without a gap or a double."""

from __future__ import annotations

import logging
from asyncio import sleep as pause
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

import httpx
import orjson
from httpx_sse import EventSource, ServerSentEvent, SSEError
from pydantic import BaseModel, ValidationError

from videogen.client.backoff import Backoff
from videogen.client.errors import ApiError, ProtocolError, Unreachable, from_response
from videogen.client.tolerant import prune
from videogen.events import EventType, RenderError, RenderProgress, RenderResult, decode, is_terminal

log = logging.getLogger(__name__)

# The server says something every 15 s; a connection that is silent for longer than `read` is dead, whatever TCP
# thinks. Whoever looks at a page should know it within 20 s.
TIMEOUT: Final = httpx.Timeout(connect=5.0, read=18.0, write=10.0, pool=None)
LONGEST_RETRY_AFTER: Final = 60.0
"""Seconds; a server (or a proxy's error page) that asks for more is asked again after this."""
RESUMED_AFTER: Final = "Videogen-Resumed-After"
_MODELS: Final[dict[str, type[BaseModel]]] = {
    "render_progress": RenderProgress,
    "render_result": RenderResult,
    "error": RenderError,
}
assert set(_MODELS) == set(get_args(EventType))


@dataclass(frozen=True, slots=True)
class ConnectionChange:
    """The subscription was established, or was lost and is being restored."""

    state: Literal["connected", "reconnecting"]
    reason: str = ""


Event = RenderProgress | RenderResult | RenderError
Watched = Event | ConnectionChange
"""What a watch yields."""


@dataclass(slots=True)
class Subscription:
    """Where a watch stands: what it listens to and the last event that it handed on."""

    http: httpx.AsyncClient
    url: str
    headers: dict[str, str]
    last_event_id: int | None = None
    ends_with_terminal: bool = False
    """Whether one terminal event is the end of it: true for a single generation."""
    backoff: Backoff = field(default_factory=Backoff)
    _seen: dict[str, int] = field(default_factory=dict, init=False)
    _floor: int = field(init=False)
    _ended: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._floor = -1 if self.last_event_id is None else self.last_event_id

    async def events(self) -> AsyncGenerator[Watched, None]:
        """Yield events and changes of the connection until the stream has ended for good.

        Raises:
            ApiError: the server refuses the subscription, and will refuse it again.
            ProtocolError: what answers there is not an event stream.
        """
        told = False
        while True:
            reason, wait = "the stream was closed", 0.0
            try:
                async with aclosing(self._connect()) as connection:
                    async for item in connection:
                        told = told and not isinstance(item, ConnectionChange)
                        yield item
                if self._ended:
                    return
            except ApiError as refusal:
                if not refusal.is_temporary:
                    raise
                reason, wait = refusal.detail, min(refusal.retry_after or 0.0, LONGEST_RETRY_AFTER)
            except Unreachable as problem:
                reason = problem.detail
            if not told:
                told = True
                yield ConnectionChange("reconnecting", reason)
            await pause(self.backoff.next(at_least=wait))

    async def _connect(self) -> AsyncGenerator[Watched, None]:
        """One connection, from its first byte to its last."""
        headers = {**self.headers, "Accept": "text/event-stream", "Cache-Control": "no-store"}
        if self.last_event_id is not None:
            headers["Last-Event-ID"] = str(self.last_event_id)
        try:
            async with self.http.stream("GET", self.url, headers=headers, timeout=TIMEOUT) as response:
                if response.status_code == httpx.codes.NO_CONTENT:
                    self._ended = True
                    return
                if response.status_code != httpx.codes.OK:
                    await response.aread()
                    raise from_response(response)
                self._follow_numbers(response.headers.get(RESUMED_AFTER))
                yield ConnectionChange("connected")
                async with aclosing(self._read(response)) as events:
                    async for event in events:
                        yield event
        except httpx.TransportError as problem:
            raise Unreachable(f"{type(problem).__name__}: {problem}".rstrip(": ")) from problem

    def _follow_numbers(self, resumed_after: str | None) -> None:
        """Start over where the server does: its numbers began again, so that ours say nothing any more."""
        asked = self.last_event_id
        if asked is not None and resumed_after is not None and resumed_after.isdigit() and int(resumed_after) < asked:
            log.warning("The server does not know event %d: its database was replaced. Starting over.", asked)
            self.last_event_id = None
            self._floor = -1
            self._seen.clear()

    async def _read(self, response: httpx.Response) -> AsyncGenerator[Event, None]:
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _Tapped(response.stream, self.backoff.reset)
        try:
            async with aclosing(EventSource(response).aiter_sse()) as frames:
                async for frame in frames:
                    event = self._accept(frame)
                    if event is None:
                        continue
                    yield event
                    if self.ends_with_terminal and is_terminal(event.type):
                        self._ended = True
                        return
        except SSEError as problem:
            raise ProtocolError(str(problem)) from problem

    def _accept(self, frame: ServerSentEvent) -> Event | None:
        """The event in this frame, or None when it is unknown, broken or was handed on before."""
        event = _decode(frame)
        if event is None:
            return None
        # Each generation for itself: where only the latest progress of each is kept, one may overtake.
        if event.id <= self._seen.get(event.generation_id, self._floor):
            return None
        self._seen[event.generation_id] = event.id
        self.last_event_id = max(event.id, self.last_event_id or 0)
        return event


def _decode(frame: ServerSentEvent) -> Event | None:
    """Read a frame; an unknown type is none of ours, a broken one is told in the log and left out."""
    model = _MODELS.get(frame.event)
    if model is None:
        return None
    try:
        return decode(frame.event, int(frame.id), prune(model, orjson.loads(frame.data)))
    except (ValidationError, ValueError) as problem:
        log.warning("Left out a broken %s event (id %r): %s", frame.event, frame.id, problem)
        return None


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
