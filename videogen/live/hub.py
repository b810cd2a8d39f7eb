"""Fan-out: delivers committed events to any number of subscribers in this process, which never slow each other."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import orjson

from videogen.core.errors import StorageError
from videogen.db.signals import StoredEvent
from videogen.schemas.events import is_terminal

logger = logging.getLogger(__name__)
HEARTBEAT_SECONDS: Final = 15.0
TICKS: Final = 15
"""Ticks in one heartbeat. One timer serves all: a timer per subscriber would be set back with each event."""
MAX_PENDING: Final = 64
"""How many events may be pending for one subscriber. With more, only the latest progress of each generation stays."""
IDS_AT_ONCE: Final = 100
"""How many ids one command to the hubs names at most: a notification of PostgreSQL has less than 8,000 bytes."""
VISITORS: Final = "visitors"
"""Kind of the key for those who have a public link to a generation: `(VISITORS, generation id)`."""
Encoder = Callable[[StoredEvent], bytes]
Key = tuple[str, str]
"""What a subscription is about: a kind and an id, such as `("generation", id)`."""


@dataclass(frozen=True, slots=True)
class EncodedEvent:
    """An event as one server-sent event, encoded once for all its subscribers."""

    id: int
    generation_id: str
    terminal: bool
    data: bytes


class Subscription:
    """The pending events of one subscriber. Use it in the event loop only."""

    __slots__ = ("_hub", "_notices", "_pending", "_waiter", "closed", "idle_ticks", "key", "session_id")

    def __init__(self, hub: Hub, session_id: str, key: Key) -> None:
        self._hub = hub
        self._pending: list[EncodedEvent] = []
        self._notices = b""
        self._waiter: asyncio.Future[None] | None = None
        self.session_id = session_id
        self.key = key
        self.closed = False
        self.idle_ticks = 0
        """Ticks of the hub since something was sent; whoever sends sets it to 0."""

    @property
    def heartbeat_is_due(self) -> bool:
        """Whether nothing was sent for a heartbeat, less one tick: it must arrive before the heartbeat has passed."""
        return self.idle_ticks >= TICKS - 1

    def push(self, event: EncodedEvent) -> None:
        """Add a pending event; drop older progress when too many are pending."""
        self._pending.append(event)
        if len(self._pending) > MAX_PENDING:
            self._pending = _conflate(self._pending)

    def take(self) -> list[EncodedEvent]:
        """The pending events, in order; none is returned twice."""
        pending, self._pending = self._pending, []
        return pending

    def notify(self, notice: bytes) -> None:
        """Add what is sent once, as it is, to whoever is there: it has no id, and is never sent again."""
        self._notices += notice
        self.wake()

    def take_notices(self) -> bytes:
        """What `notify` has added since."""
        notices, self._notices = self._notices, b""
        return notices

    def wake(self) -> None:
        """End a `wait`."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self) -> None:
        """Wait until an event is pending, a heartbeat is due, or the subscription is closed. For one task at a time."""
        if not (self._pending or self._notices or self.closed or self.heartbeat_is_due):
            # A thousand readers wake up for each event; an asyncio.Event would take longer and need more memory.
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    def close(self) -> None:
        """Leave the hub. Idempotent."""
        if not self.closed:
            self.closed = True
            self._hub.remove(self)
            self.wake()


def _conflate(events: list[EncodedEvent]) -> list[EncodedEvent]:
    latest = {event.generation_id: event.id for event in events}
    return [event for event in events if event.terminal or latest[event.generation_id] == event.id]


class Hub:
    """Delivers each committed event to the subscribers of its session, project and generation, and to its visitors."""

    def __init__(
        self, encode: Encoder, encode_for_visitors: Encoder = lambda _event: b"", heartbeat: float = HEARTBEAT_SECONDS
    ) -> None:
        """Make a hub; it delivers once it is opened.

        Args:
            encode: makes the bytes of an event; called once for each event that has a subscriber.
            encode_for_visitors: the same for those who have only a public link.
            heartbeat: seconds without an event after which a subscriber is due for a comment.
        """
        self.send: Callable[[str], None] = self.receive
        """Takes a command to the hubs of all processes, each of which gets it by `receive`."""
        self._encode = encode
        self._encode_for_visitors = encode_for_visitors
        self._tick_seconds = heartbeat / TICKS
        self._ticker: asyncio.TimerHandle | None = None
        self._subscribers: dict[Key, set[Subscription]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()

    def open(self) -> None:
        """Deliver in the running event loop from now on."""
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
        self._end_all()

    def _all(self) -> list[Subscription]:
        return [subscription for group in self._subscribers.values() for subscription in group]

    def _tick(self) -> None:
        if self._loop is None:
            return
        self._ticker = self._loop.call_later(self._tick_seconds, self._tick)
        for subscription in self._all():
            subscription.idle_ticks += 1
            if subscription.heartbeat_is_due:
                subscription.wake()

    def publish(self, events: list[StoredEvent]) -> None:
        """Deliver committed events, given in commit order; callable from any thread."""
        self._call_in_loop(self._deliver, [list(events)])

    def receive(self, command: str) -> None:
        """Do what a hub has sent; callable from any thread. An empty text ends all streams: something may be lost."""
        name, *arguments = orjson.loads(command) if command else ("reset",)
        self._call_in_loop(partial(_COMMANDS[name], self), arguments)

    def _send(self, name: str, *arguments: object) -> None:
        try:
            self.send(orjson.dumps((name, *arguments)).decode())
        except StorageError as problem:
            # The other processes cannot reach it either: their streams end when they can.
            logger.warning("The streams of other processes do not know of a change: %s", problem.detail)

    def push(self, key: Key, event: EncodedEvent) -> None:
        """Deliver an event that is encoded already to the subscribers of `key` alone; callable from any thread."""
        self._send("push", key, event.id, event.generation_id, event.terminal, event.data.decode())

    def end(self, key: Key) -> None:
        """End every subscription to `key`; callable from any thread."""
        self._send("end", key)

    def end_session(self, session_id: str, *, visitors: bool = False) -> None:
        """End every subscription of a session, those of its visitors only on request; callable from any thread."""
        self._send("end_session", session_id, visitors)

    def retention_changed(self, session_id: str, removed: Sequence[str]) -> None:
        """Let the open streams of a session know that what is kept has changed; callable from any thread.

        `removed`: the ids of what is gone for good. Without any, something else goes first from now on.
        """
        for start in range(0, max(len(removed), 1), IDS_AT_ONCE):
            self._send("retention", session_id, list(removed[start : start + IDS_AT_ONCE]))

    def _push_encoded(self, key: Sequence[str], event_id: int, generation_id: str, terminal: bool, data: str) -> None:
        event = EncodedEvent(event_id, generation_id, terminal, data.encode())
        for subscription in list(self._subscribers.get((key[0], key[1]), ())):
            subscription.push(event)
            subscription.wake()

    def _notify(self, session_id: str, removed: list[str]) -> None:
        notice = b"event: retention\ndata: " + orjson.dumps({"removed": removed}) + b"\n\n"
        for subscription in self._subscribers.get(("session", session_id), ()):
            subscription.notify(notice)

    def _call_in_loop(self, function: Callable[..., None], arguments: Sequence[Any]) -> None:
        # The lock keeps the loop from being closed between the check and the call.
        with self._lock:
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(function, *arguments)

    def _end(self, key: Sequence[str]) -> None:
        for subscription in list(self._subscribers.get((key[0], key[1]), ())):
            subscription.close()

    def _end_all(self) -> None:
        for subscription in self._all():
            subscription.close()

    def _end_session(self, session_id: str, visitors: bool) -> None:
        for subscription in self._all():
            if subscription.session_id == session_id and (visitors or subscription.key[0] != VISITORS):
                subscription.close()

    def subscribe(self, session_id: str, key: Key) -> Subscription:
        """Receive the events of a session that concern `key`. Close the subscription after use."""
        subscription = Subscription(self, session_id, key)
        if self._loop is None:
            subscription.closed = True
            return subscription
        self._subscribers.setdefault(key, set()).add(subscription)
        return subscription

    def remove(self, subscription: Subscription) -> None:
        """Stop delivering to a subscription."""
        group = self._subscribers.get(subscription.key)
        if group is not None:
            group.discard(subscription)
            if not group:
                del self._subscribers[subscription.key]

    @property
    def subscriber_count(self) -> int:
        """How many subscriptions are open."""
        return sum(len(group) for group in self._subscribers.values())

    def watched(self) -> set[str]:
        """The generations of which somebody has an open stream, of this one alone. Callable from any thread."""
        # One call of `list` is atomic.
        return {name for kind, name in list(self._subscribers) if kind in ("generation", VISITORS)}

    def counts(self) -> Counter[str]:
        """How many subscriptions are open, by the kind of their key. Callable from any thread."""
        counts: Counter[str] = Counter()
        for (kind, _), group in list(self._subscribers.items()):  # one call of `list` is atomic
            counts[kind] += len(group)
        return counts

    def encode(self, event: StoredEvent, *, for_visitors: bool) -> EncodedEvent:
        """Encode an event for its owner, or for those who have only a public link."""
        encode = self._encode_for_visitors if for_visitors else self._encode
        return EncodedEvent(event.id, event.generation_id, is_terminal(event.type), encode(event))

    def _deliver(self, events: list[StoredEvent]) -> None:
        woken: set[Subscription] = set()
        for event in events:
            scopes = ("session", event.session_id), ("project", event.project_id), ("generation", event.generation_id)
            woken.update(self._push(event, scopes, for_visitors=False))
            woken.update(self._push(event, [(VISITORS, event.generation_id)], for_visitors=True))
        # All events of a commit are pending before anyone is woken.
        for subscription in woken:
            subscription.wake()

    def _push(self, event: StoredEvent, keys: Iterable[Key], *, for_visitors: bool) -> list[Subscription]:
        receivers = [
            subscription
            for key in keys
            for subscription in self._subscribers.get(key, ())
            if subscription.session_id == event.session_id
        ]
        if receivers:
            encoded = self.encode(event, for_visitors=for_visitors)
            for subscription in receivers:
                subscription.push(encoded)
        return receivers


HUB: Final = "hub"
"""The channel of the commands."""
_COMMANDS: Final[dict[str, Callable[..., None]]] = {
    "push": Hub._push_encoded,
    "end": Hub._end,
    "end_session": Hub._end_session,
    "retention": Hub._notify,
    "reset": Hub._end_all,
}
