"""Fan-out: one feed of committed events into this process, and any number of listeners that never slow each other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from videogen.database import StoredEvent
from videogen.events import is_terminal

BACKLOG: Final = 64
"""How many events a listener may be behind before progress is conflated: the latest one per generation wins."""


@dataclass(frozen=True, slots=True)
class Frame:
    """An event, encoded once for all who listen."""

    id: int
    generation_id: str
    project_id: str
    terminal: bool
    data: bytes


Encoder = Callable[[StoredEvent], bytes]
VISITORS: Final = "visitors"
"""The kind of key under which those listen who have a public link to a generation: `(VISITORS, generation id)`."""


class Subscription:
    """One listener's mailbox. Belongs to the event loop."""

    def __init__(self, hub: Hub, session_id: str, key: tuple[str, str]) -> None:
        self._hub = hub
        self.session_id = session_id
        self.key = key
        self._pending: list[Frame] = []
        self._news = asyncio.Event()
        self.closed = False

    def push(self, frame: Frame) -> None:
        """Put a frame in; conflate when the reader is far behind."""
        self._pending.append(frame)
        if len(self._pending) > BACKLOG:
            self._pending = _conflate(self._pending)
        self._news.set()

    async def take(self, patience: float) -> list[Frame]:
        """Wait for news, at most `patience` seconds; return what came, in order, each once."""
        if not self._pending and not self.closed:
            try:
                async with asyncio.timeout(patience):
                    await self._news.wait()
            except TimeoutError:
                return []
        self._news.clear()
        pending, self._pending = self._pending, []
        return pending

    def close(self) -> None:
        """Leave the hub, and wake whoever waits. Idempotent."""
        self.closed = True
        self._news.set()
        self._hub.forget(self)


def _conflate(frames: list[Frame]) -> list[Frame]:
    newest = {frame.generation_id: frame.id for frame in frames}
    return [frame for frame in frames if frame.terminal or newest[frame.generation_id] == frame.id]


class Hub:
    """Delivers each committed event to the listeners of its session, project and generation, and to its visitors."""

    def __init__(self, encode: Encoder, encode_for_visitors: Encoder = lambda _event: b"") -> None:
        self._encode = encode
        self._encode_for_visitors = encode_for_visitors
        self._listeners: dict[tuple[str, str], set[Subscription]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()

    def open(self) -> None:
        """Deliver into the running event loop from now on."""
        with self._lock:
            self._loop = asyncio.get_running_loop()

    def close(self) -> None:
        """End every subscription, so that open streams end in bounded time. Idempotent."""
        with self._lock:
            self._loop = None
        for group in list(self._listeners.values()):
            for subscription in list(group):
                subscription.close()

    def close_soon(self) -> None:
        """The same from a signal handler, which must neither wait for a lock nor walk what may be half changed."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self.close)

    def publish(self, events: list[StoredEvent]) -> None:
        """Hand over committed events, in commit order, from any thread."""
        # The lock keeps a publish in the last moment from meeting a loop that was closed after the look.
        with self._lock:
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._deliver, list(events))

    def subscribe(self, session_id: str, key: tuple[str, str]) -> Subscription:
        """Listen to what concerns `key`, such as ("generation", id), of a session. Close it after use."""
        subscription = Subscription(self, session_id, key)
        if self._loop is None:
            subscription.closed = True
            return subscription
        self._listeners.setdefault(key, set()).add(subscription)
        return subscription

    def forget(self, subscription: Subscription) -> None:
        """Stop delivering to a subscription."""
        group = self._listeners.get(subscription.key)
        if group is not None:
            group.discard(subscription)
            if not group:
                del self._listeners[subscription.key]

    def end(self, key: tuple[str, str]) -> None:
        """End every subscription to `key`, from any thread."""
        with self._lock:
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._end, key)

    def _end(self, key: tuple[str, str]) -> None:
        for subscription in list(self._listeners.get(key, ())):
            subscription.close()

    @property
    def listeners(self) -> int:
        """How many listen now."""
        return sum(len(group) for group in self._listeners.values())

    def frame(self, event: StoredEvent) -> Frame:
        """Encode an event."""
        return _frame(event, self._encode)

    def visitors_frame(self, event: StoredEvent) -> Frame:
        """Encode an event for those who have no more than a link."""
        return _frame(event, self._encode_for_visitors)

    def _deliver(self, events: list[StoredEvent]) -> None:
        for event in events:
            if visitors := self._listeners.get((VISITORS, event.generation_id)):
                _push(visitors, self.visitors_frame(event), event.session_id)
            keys = (
                ("session", event.session_id),
                ("project", event.project_id),
                ("generation", event.generation_id),
            )
            groups = [group for key in keys if (group := self._listeners.get(key))]
            if not groups:
                continue
            frame = self.frame(event)
            for group in groups:
                _push(group, frame, event.session_id)


def _frame(event: StoredEvent, encode: Encoder) -> Frame:
    return Frame(event.id, event.generation_id, event.project_id, is_terminal(event.type), encode(event))


def _push(group: set[Subscription], frame: Frame, session_id: str) -> None:
    for subscription in group:
        if subscription.session_id == session_id:
            subscription.push(frame)
