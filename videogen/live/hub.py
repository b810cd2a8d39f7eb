"""Fan-out: one feed of committed events into this process, and any number of listeners that never slow each other."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from videogen.db.database import StoredEvent
from videogen.schemas.events import is_terminal
from videogen.wire import chunk

logger = logging.getLogger(__name__)
HEARTBEAT_SECONDS: Final = 15.0
TICKS: Final = 15
"""In one heartbeat. One clock serves all: a timer for each listener would have to be set back with each event."""
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
    chunk: bytes
    """`data` as HTTP sends it in a response of unknown length."""


Encoder = Callable[[StoredEvent], bytes]
VISITORS: Final = "visitors"
"""The kind of key under which those listen who have a public link to a generation: `(VISITORS, generation id)`."""


class Subscription:
    """One listener's mailbox. Belongs to the event loop."""

    __slots__ = ("_hub", "_pending", "at_once", "closed", "key", "on_news", "quiet", "session_id")

    def __init__(self, hub: Hub, session_id: str, key: tuple[str, str]) -> None:
        self._hub = hub
        self._pending: list[Frame] = []
        self.session_id = session_id
        self.key = key
        self.closed = False
        self.quiet = 0
        """Ticks of the hub since this listener was last told something; whoever tells it something sets it to 0."""
        self.on_news: Callable[[], None] | None = None
        """Called in the event loop when there is something to take, when a sign of life is due, and on close."""
        self.at_once: Callable[[Frame], bool] | None = None
        """Takes a frame without it lying in the mailbox, and says whether it did. It neither fails nor closes this."""

    def push(self, frame: Frame) -> None:
        """Put a frame in; conflate when the reader is far behind."""
        self._pending.append(frame)
        if len(self._pending) > BACKLOG:
            self._pending = _conflate(self._pending)

    def take(self) -> list[Frame]:
        """What has come since the last call, in order, each once."""
        pending, self._pending = self._pending, []
        return pending

    def wake(self) -> None:
        """Tell the listener to look; what goes wrong there is nobody else's affair."""
        if self.on_news is not None:
            try:
                self.on_news()
            except Exception:  # the border between listeners
                logger.exception("A listener of %s failed; it is closed.", self.key)
                self.on_news = None
                self.close()

    def close(self) -> None:
        """Leave the hub, and wake whoever waits. Idempotent."""
        if not self.closed:
            self.closed = True
            self._hub.forget(self)
            self.wake()


def _conflate(frames: list[Frame]) -> list[Frame]:
    newest = {frame.generation_id: frame.id for frame in frames}
    return [frame for frame in frames if frame.terminal or newest[frame.generation_id] == frame.id]


class Hub:
    """Delivers each committed event to the listeners of its session, project and generation, and to its visitors."""

    def __init__(
        self,
        encode: Encoder,
        encode_for_visitors: Encoder = lambda _event: b"",
        heartbeat: float = HEARTBEAT_SECONDS,
    ) -> None:
        """Make a hub; it delivers once it is opened.

        Args:
            encode: makes the bytes of an event; called once for each event that anybody hears.
            encode_for_visitors: the same for those who have no more than a public link; called once for all of them.
            heartbeat: seconds after which a listener that was told nothing is due for a sign of life.
        """
        self._encode = encode
        self._encode_for_visitors = encode_for_visitors
        self._tick_seconds = heartbeat / TICKS
        self._ticker: asyncio.TimerHandle | None = None
        self._listeners: dict[tuple[str, str], set[Subscription]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()

    def open(self) -> None:
        """Deliver into the running event loop from now on."""
        with self._lock:
            self._loop = asyncio.get_running_loop()
        self._ticker = self._loop.call_later(self._tick_seconds, self._tick)

    def close(self) -> None:
        """End every subscription, so that open streams end in bounded time. Idempotent."""
        with self._lock:
            self._loop = None
        if self._ticker is not None:
            self._ticker.cancel()
            self._ticker = None
        for subscription in self._everyone():
            subscription.close()

    def _everyone(self) -> list[Subscription]:
        return [subscription for group in self._listeners.values() for subscription in group]

    def _tick(self) -> None:
        if self._loop is None:
            return
        self._ticker = self._loop.call_later(self._tick_seconds, self._tick)
        for subscription in self._everyone():
            subscription.quiet += 1
            # One tick early: what is due now must be there before the heartbeat has passed.
            if subscription.quiet >= TICKS - 1:
                subscription.wake()

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
        told: dict[Subscription, None] = {}
        # All of a commit is taken together; one event alone need not even lie in the mailbox.
        push = _hand if len(events) == 1 else _push
        for event in events:
            if visitors := self._listeners.get((VISITORS, event.generation_id)):
                push(visitors, self.visitors_frame(event), event.session_id, told)
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
                push(group, frame, event.session_id, told)
        # Only now: who is woken takes all of a commit at once, and may leave.
        for subscription in told:
            subscription.wake()


def _frame(event: StoredEvent, encode: Encoder) -> Frame:
    data = encode(event)
    return Frame(event.id, event.generation_id, event.project_id, is_terminal(event.type), data, chunk(data))


def _hand(group: set[Subscription], frame: Frame, session_id: str, told: dict[Subscription, None]) -> None:
    for subscription in group:
        if subscription.session_id == session_id:
            at_once = subscription.at_once
            if at_once is None or not at_once(frame):
                subscription.push(frame)
                told[subscription] = None


def _push(group: set[Subscription], frame: Frame, session_id: str, told: dict[Subscription, None]) -> None:
    for subscription in group:
        if subscription.session_id == session_id:
            subscription.push(frame)
            told[subscription] = None
