"""Event streams: a snapshot or a replay first, then whatever happens, and an end after the last terminal event."""

from __future__ import annotations

from collections.abc import Callable

import anyio.to_thread

from videogen.db.database import StoredEvent
from videogen.live.hub import TICKS, Frame, Hub, Subscription
from videogen.store import Opening, Scope, Store


class EventStream:
    """One open stream: `opening()` once, then `take()` on each `on_news`, until it `ended`; `close()` it after use."""

    __slots__ = ("_active", "_backlog", "_cursor", "_ends", "_hub", "_subscription", "resumed_after")

    def __init__(self, hub: Hub, subscription: Subscription, opening: Opening, last_event_id: int | None) -> None:
        self._hub = hub
        self._subscription = subscription
        self._backlog = opening.backlog
        self._active = set(opening.active)
        self._ends = subscription.key[0] != "session"
        self._cursor = opening.cursor
        self.resumed_after = None if last_event_id is None else opening.resumed_after
        """The number after which it goes on: what the listener asked for, or 0 where that number was never given."""

    def opening(self) -> bytes:
        """What comes first: how long to wait before a reconnect, and the snapshot or the replay."""
        # Without an empty line behind it: some clients take a block of nothing but this for an event.
        frames = [self._frame(event) for event in self._backlog]
        self._backlog = []
        return b"retry: 1000\n" + self._told(frames)

    def listen(self, on_news: Callable[[], None], at_once: Callable[[Frame], bool] | None = None) -> None:
        """Have `on_news` called, in the event loop, whenever `take()` or `ended` may tell something new.

        A single event is offered to `at_once` first, which may tell it then and there, if `goes_on_with` says so.
        """
        self._subscription.on_news = on_news
        self._subscription.at_once = at_once

    def goes_on_with(self, frame: Frame) -> bool:
        """Whether nothing is to be thought about: it is news, and not the end. Then it counts as told."""
        if frame.terminal or frame.id <= self._cursor:
            return False
        self._cursor = frame.id
        self._subscription.quiet = 0
        return True

    def take(self) -> bytes:
        """What there is to tell now: events, else a comment when one is due, else nothing."""
        frames = self._subscription.take()
        # They come in order, and only the first of all may have been in the opening already.
        if frames and frames[0].id <= self._cursor:
            frames = [frame for frame in frames if frame.id > self._cursor]
        if frames:
            return self._told(frames)
        if self._subscription.quiet >= TICKS - 1 and not self.ended:
            self._subscription.quiet = 0
            return b": still here\n"
        return b""

    def _frame(self, event: StoredEvent) -> Frame:
        return self._hub.frame(event)

    @property
    def ended(self) -> bool:
        """Whether nothing more will come: all that it is about has ended, or the server stops."""
        return self._subscription.closed or (self._ends and not self._active)

    def _told(self, frames: list[Frame]) -> bytes:
        for frame in frames:
            if frame.terminal:
                self._active.discard(frame.generation_id)
        if frames:
            self._cursor = max(self._cursor, frames[-1].id)
        self._subscription.quiet = 0
        return frames[0].data if len(frames) == 1 else b"".join([frame.data for frame in frames])

    def close(self) -> None:
        """Stop listening. Idempotent."""
        self._subscription.on_news = self._subscription.at_once = None
        self._subscription.close()


async def open_stream(
    store: Store, hub: Hub, session_id: str, scope: Scope, last_event_id: int | None
) -> EventStream | None:
    """Open a stream, or return None when there is nothing more to tell, ever.

    Raises:
        NotFoundError: the project or the generation is not this session's.
    """
    # Listen before reading, so that nothing falls between the two; what comes twice is dropped by its number.
    subscription = hub.subscribe(session_id, scope)
    try:
        opening = await anyio.to_thread.run_sync(store.open_scope, session_id, scope, last_event_id)
    except BaseException:
        subscription.close()
        raise
    if scope[0] != "session" and not opening.active and not opening.backlog:
        subscription.close()
        return None
    return EventStream(hub, subscription, opening, last_event_id)
