"""The state of a watch, without I/O: the events already yielded, whether it has ended, when to reconnect."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, Literal, TypeVar, get_args

import httpx
import orjson
from httpx_sse import ServerSentEvent

from videogen.client.errors import ApiError, ClientError, Unreachable
from videogen.client.links import absolute_links
from videogen.client.policy import Backoff
from videogen.schemas.events import EventType, RenderError, RenderProgress, RenderResult, decode, is_terminal
from videogen.schemas.exports import EVENT as EXPORT_EVENT
from videogen.schemas.exports import Export

log = logging.getLogger(__name__)
E = TypeVar("E")

# The server sends a heartbeat every 15 s. A connection that is silent for longer than `read` is dead, even if TCP
# reports no error. A page must show this within 20 s.
TIMEOUT: Final = httpx.Timeout(connect=5.0, read=18.0, write=10.0, pool=None)
LONGEST_RETRY_AFTER: Final = 60.0
"""Seconds. If the server or a proxy asks for a longer delay, the client reconnects after this one."""
RESUMED_AFTER: Final = "Videogen-Resumed-After"
RETENTION: Final = "retention"
"""The type of the messages without an id; see `WatchState.on_retention`."""
_EVENT_TYPES: Final = get_args(EventType)


@dataclass(frozen=True, slots=True)
class ConnectionChange:
    """The subscription was established, or was lost and is being restored."""

    state: Literal["connected", "reconnecting"]
    reason: str = ""


Event = RenderProgress | RenderResult | RenderError
Watched = Event | ConnectionChange
"""What a watch yields."""


def needs_attention(item: Watched) -> bool:
    """Whether nothing more will happen until the owner resolves the generation of this event."""
    return isinstance(item, RenderProgress) and item.needs_attention


@dataclass(slots=True)
class StreamState(ABC, Generic[E]):
    """What a watch subscribes to, the last event that it yielded, and whether it has ended."""

    url: str
    headers: Callable[[], Mapping[str, str]]
    """Makes the headers of the session, anew for each connection."""
    last_event_id: int | None = None
    ended: bool = field(default=False, init=False)

    def request_headers(self) -> dict[str, str]:
        """The headers of the next connection."""
        headers = {**self.headers(), "Accept": "text/event-stream", "Cache-Control": "no-store"}
        if self.last_event_id is not None:
            headers["Last-Event-ID"] = str(self.last_event_id)
        return headers

    def on_resumed(self, after: str | None) -> None:
        """Note after which event the server goes on; None where it does not say so."""

    @abstractmethod
    def accept(self, message: ServerSentEvent, links_from: httpx.URL | None = None) -> E | None:
        """The event in this message, or None if it is of an unknown type, broken, or was yielded before.

        With the address `links_from`, its links are absolute.
        """


@dataclass(slots=True)
class ExportState(StreamState[Export]):
    """Of the stream of one export: each event is its whole state."""

    def accept(self, message: ServerSentEvent, links_from: httpx.URL | None = None) -> Export | None:
        if message.event != EXPORT_EVENT:
            return None
        try:
            number, data = int(message.id), orjson.loads(message.data)
            export = Export.model_validate(absolute_links(data, links_from) if links_from else data, extra="ignore")
        except (ValueError, TypeError) as problem:
            log.warning("Left out a broken %s event (id %r): %s", message.event, message.id, problem)
            return None
        self.last_event_id, self.ended = number, export.has_ended
        return export


@dataclass(slots=True)
class WatchState(StreamState[Event]):
    """Of a stream of generations."""

    ends_with_terminal: bool = False
    """Whether the first terminal event ends the watch: true for a single generation."""
    on_retention: Callable[[Sequence[str]], None] = lambda _removed: None
    """Called where what is kept has changed, with the ids of what was removed for good."""
    _seen: dict[str, int] = field(default_factory=dict, init=False)
    _start_after: int = field(init=False)

    def __post_init__(self) -> None:
        self._start_after = -1 if self.last_event_id is None else self.last_event_id

    def on_resumed(self, after: str | None) -> None:
        """Forget the last id if the server does not know it: its database was replaced and its ids start again."""
        requested = self.last_event_id
        if requested is not None and after is not None and after.isdigit() and int(after) < requested:
            log.warning("The server does not know event %d: its database was replaced. Starting over.", requested)
            self.last_event_id = None
            self._start_after = -1
            self._seen.clear()

    def accept(self, message: ServerSentEvent, links_from: httpx.URL | None = None) -> Event | None:
        if message.event == RETENTION:
            self._note_retention(message)
            return None
        event = _decode(message, links_from)
        if event is None:
            return None
        # Checked for each generation: where only the latest progress is kept, one may overtake another.
        if event.id <= self._seen.get(event.generation_id, self._start_after):
            return None
        self._seen[event.generation_id] = event.id
        self.last_event_id = max(event.id, self.last_event_id or 0)
        self.ended = self.ends_with_terminal and is_terminal(event.type)
        return event

    def _note_retention(self, message: ServerSentEvent) -> None:
        try:
            self.on_retention(tuple(map(str, orjson.loads(message.data)["removed"])))
        except (ValueError, TypeError, KeyError) as problem:
            log.warning("Left out a broken %s message: %s", message.event, problem)


@dataclass(slots=True)
class ReconnectPolicy:
    """Decides after a lost connection: what to report and how long to wait. Each loss is reported once."""

    backoff: Backoff = field(default_factory=Backoff)
    _reported: bool = field(default=False, init=False)

    def on_item(self, item: object) -> None:
        """Note that an item was yielded. After `connected`, the next loss is reported again."""
        self._reported = self._reported and not isinstance(item, ConnectionChange)

    def after_loss(self, problem: ClientError | None) -> tuple[ConnectionChange | None, float]:
        """The change to report, if any, and the seconds to wait before the next try.

        Raises:
            ClientError: another try would fail too.
        """
        reason, delay = "the stream was closed", 0.0
        if problem is not None:
            if not (isinstance(problem, Unreachable) or (isinstance(problem, ApiError) and problem.is_temporary)):
                raise problem
            reason = problem.detail
            delay = min(getattr(problem, "retry_after", None) or 0.0, LONGEST_RETRY_AFTER)
        change = None if self._reported else ConnectionChange("reconnecting", reason)
        self._reported = True
        return change, self.backoff.next(at_least=delay)


def _decode(message: ServerSentEvent, links_from: httpx.URL | None) -> Event | None:
    """The typed event. Unknown types are ignored; a broken event is logged and ignored."""
    if message.event not in _EVENT_TYPES:
        return None
    try:
        data = orjson.loads(message.data)
        return decode(message.event, int(message.id), absolute_links(data, links_from) if links_from else data)
    except (ValueError, TypeError) as problem:
        log.warning("Left out a broken %s event (id %r): %s", message.event, message.id, problem)
        return None
