"""What a commit tells: its events, and short messages on named channels. Here for one process.

`db.postgresql_signals` is the same for any number of processes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from sqlalchemy import Connection

from videogen.schemas.events import EventRecord, EventType


class Subject(NamedTuple):
    """What the log does not have of an event's generation. Times are in seconds since the epoch."""

    engine: str
    created_at: float
    started_at: float | None
    at: float
    """When the event was appended."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One row of the event log. `id` is the SSE id."""

    id: int
    session_id: str
    project_id: str
    generation_id: str
    type: EventType
    data: EventRecord
    subject: Subject | None = field(default=None, compare=False)
    """None where it was read from the log, and of an imported generation."""


class Message(NamedTuple):
    """A short text for whoever subscribes to a channel."""

    channel: str
    text: str


Listener = Callable[[list[StoredEvent]], None]
Subscriber = Callable[[str], None]


class Subscribers:
    """Who wants to know, in this process. What it calls must be quick and must not write."""

    def __init__(self) -> None:
        self.listeners: list[Listener] = []
        self.channels: dict[str, list[Subscriber]] = {}

    def pass_on(self, events: list[StoredEvent], messages: list[Message]) -> None:
        """Call all of them; the events of one commit together."""
        if events:
            for listener in self.listeners:
                listener(events)
        for channel, text in messages:
            for subscriber in self.channels.get(channel, ()):
                subscriber(text)


class Signals(Protocol):
    """Carries what a write transaction tells to the subscribers."""

    def start(self) -> None:
        """Somebody subscribes: carry from now on. Safe to repeat. Raises DatabaseAwayError: it cannot."""

    def send(self, connection: Connection, events: list[StoredEvent], messages: list[Message]) -> None:
        """Called in the transaction, at its end; nothing is written after it. It may commit."""

    def committed(self, events: list[StoredEvent], messages: list[Message]) -> None:
        """Called after the commit, before the next write of this process begins."""

    def close(self) -> None:
        """Carry nothing more. Idempotent."""


class LocalSignals:
    """Within one process: the thread that has committed calls the subscribers."""

    def __init__(self, subscribers: Subscribers) -> None:
        self.committed = subscribers.pass_on

    def start(self) -> None:
        """Nothing to do."""

    def send(self, connection: Connection, events: list[StoredEvent], messages: list[Message]) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""
