"""Where a watch stands, whichever way its bytes come: what it has handed on, whether it is over, when to try again."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

import httpx
import orjson
from httpx_sse import ServerSentEvent
from pydantic import BaseModel, ValidationError

from videogen.client.decode import prune
from videogen.client.errors import ApiError, ClientError, Unreachable
from videogen.client.policy import Backoff
from videogen.schemas.events import EventType, RenderError, RenderProgress, RenderResult, decode, is_terminal

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
class WatchState:
    """What a watch listens to and the last event that it handed on. No I/O: it is told what came."""

    url: str
    headers: Mapping[str, str]
    last_event_id: int | None = None
    ends_with_terminal: bool = False
    """Whether one terminal event is the end of it: true for a single generation."""
    ended: bool = field(default=False, init=False)
    _seen: dict[str, int] = field(default_factory=dict, init=False)
    _floor: int = field(init=False)

    def __post_init__(self) -> None:
        self._floor = -1 if self.last_event_id is None else self.last_event_id

    def request_headers(self) -> dict[str, str]:
        """What the next connection must send."""
        headers = {**self.headers, "Accept": "text/event-stream", "Cache-Control": "no-store"}
        if self.last_event_id is not None:
            headers["Last-Event-ID"] = str(self.last_event_id)
        return headers

    def resumed(self, after: str | None) -> None:
        """Start over where the server does: its numbers began again, so that ours say nothing any more."""
        asked = self.last_event_id
        if asked is not None and after is not None and after.isdigit() and int(after) < asked:
            log.warning("The server does not know event %d: its database was replaced. Starting over.", asked)
            self.last_event_id = None
            self._floor = -1
            self._seen.clear()

    def accept(self, frame: ServerSentEvent) -> Event | None:
        """The event in this frame, or None when it is unknown, broken or was handed on before."""
        event = _decode(frame)
        if event is None:
            return None
        # Each generation for itself: where only the latest progress of each is kept, one may overtake.
        if event.id <= self._seen.get(event.generation_id, self._floor):
            return None
        self._seen[event.generation_id] = event.id
        self.last_event_id = max(event.id, self.last_event_id or 0)
        self.ended = self.ends_with_terminal and is_terminal(event.type)
        return event


@dataclass(slots=True)
class ReconnectPolicy:
    """What follows when a connection has ended: what to tell, how long to wait. Each loss is told once."""

    backoff: Backoff = field(default_factory=Backoff)
    _told: bool = field(default=False, init=False)

    def heard(self, item: Watched) -> None:
        """Something was handed on; a connection that stands may be lost anew."""
        self._told = self._told and not isinstance(item, ConnectionChange)

    def after(self, problem: ClientError | None) -> tuple[ConnectionChange | None, float]:
        """What to tell of the loss, if anything, and the seconds to wait before the next try.

        Raises:
            ClientError: there is no point in trying again.
        """
        reason, wait = "the stream was closed", 0.0
        if problem is not None:
            if not (isinstance(problem, Unreachable) or (isinstance(problem, ApiError) and problem.is_temporary)):
                raise problem
            reason = problem.detail
            wait = min(getattr(problem, "retry_after", None) or 0.0, LONGEST_RETRY_AFTER)
        change = None if self._told else ConnectionChange("reconnecting", reason)
        self._told = True
        return change, self.backoff.next(at_least=wait)


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
