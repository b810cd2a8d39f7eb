"""Event streams: a snapshot or a replay first, then live events, and an end after the last terminal event."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import anyio.to_thread

from videogen.db.signals import StoredEvent
from videogen.live.hub import VISITORS, EncodedEvent, Hub, Key, Subscription
from videogen.store import Opening

_Key = TypeVar("_Key", bound=Key)
_RETRY = b"retry: 1000\n"
"""Without an empty line after it: some clients take a block of nothing else for an event."""
_HEARTBEAT = b": still here\n"


class EventStream:
    """One open stream: `read()` until it returns nothing, then `close()`."""

    __slots__ = ("_active", "_backlog", "_cursor", "_ends", "_expiry", "_hub", "_subscription", "resumed_after")

    def __init__(self, hub: Hub, subscription: Subscription, opening: Opening, last_event_id: int | None) -> None:
        self._hub = hub
        self._subscription = subscription
        self._backlog: list[StoredEvent] | None = list(opening.backlog)
        self._active = set(opening.active)
        self._ends = subscription.key[0] != "session"
        self._cursor = opening.cursor
        self._expiry: asyncio.TimerHandle | None = None
        self.resumed_after = None if last_event_id is None else opening.resumed_after
        """The event id after which it goes on: the one that was asked for, or 0 where that id was never given out."""

    async def read(self) -> bytes:
        """The next bytes to send, as soon as there are any; empty once the stream has ended.

        The first call returns the retry time with the snapshot or the replay.
        """
        if self._backlog is not None:
            backlog, self._backlog = self._backlog, None
            for_visitors = self._subscription.key[0] == VISITORS
            return _RETRY + self._send([self._hub.encode(event, for_visitors=for_visitors) for event in backlog])
        while True:
            events = self._subscription.take()
            # Events from before the opening were in the backlog.
            if events and events[0].id <= self._cursor:
                events = [event for event in events if event.id > self._cursor]
            if events:
                return self._send(events)
            if notices := self._subscription.take_notices():
                self._subscription.idle_ticks = 0
                return notices
            if self.ended:
                return b""
            if self._subscription.heartbeat_is_due:
                self._subscription.idle_ticks = 0
                return _HEARTBEAT
            await self._subscription.wait()

    @property
    def ended(self) -> bool:
        """Whether nothing more will come: everything in scope has ended, or the server stops."""
        return self._subscription.closed or (self._ends and not self._active)

    def end_after(self, seconds: float) -> None:
        """End the stream in so many seconds; at once where they are negative."""
        self._expiry = asyncio.get_running_loop().call_later(max(seconds, 0.0), self._subscription.close)

    def close(self) -> None:
        """Unsubscribe. Idempotent."""
        if self._expiry is not None:
            self._expiry.cancel()
        self._subscription.close()

    def _send(self, events: list[EncodedEvent]) -> bytes:
        for event in events:
            self._cursor = max(self._cursor, event.id)
            if event.terminal:
                self._active.discard(event.generation_id)
        self._subscription.idle_ticks = 0
        return events[0].data if len(events) == 1 else b"".join([event.data for event in events])


async def open_stream(
    open_scope: Callable[[str, _Key, int | None], Opening],
    hub: Hub,
    session_id: str,
    key: _Key,
    last_event_id: int | None,
) -> EventStream | None:
    """Subscribe to `key`, then read the opening with `open_scope`, such as `Store.open_scope`, which may raise.

    Returns:
        the stream, or None when nothing will ever come.
    """
    # Subscribe before reading, so that no event is missed in between; the cursor drops what comes twice.
    subscription = hub.subscribe(session_id, key)
    try:
        opening = await anyio.to_thread.run_sync(open_scope, session_id, key, last_event_id)
    except BaseException:
        subscription.close()
        raise
    if key[0] != "session" and not opening.active and not opening.backlog:
        subscription.close()
        return None
    return EventStream(hub, subscription, opening, last_event_id)
