"""Event streams: a snapshot or a replay first, then whatever happens, and an end after the last terminal event."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import anyio.to_thread

from videogen.database import StoredEvent
from videogen.hub import Frame, Hub, Subscription
from videogen.store import Opening, Scope, Store

HEARTBEAT_SECONDS: Final = 15.0


class EventStream:
    """One open stream. Iterate `chunks()`; call `close()` when the reader has gone."""

    def __init__(self, hub: Hub, subscription: Subscription, opening: Opening) -> None:
        self._hub = hub
        self._subscription = subscription
        self._backlog = opening.backlog
        self._active = set(opening.active)
        self._ends = subscription.key[0] != "session"
        self._cursor = opening.cursor

    async def chunks(self, heartbeat: float = HEARTBEAT_SECONDS) -> AsyncIterator[bytes]:
        """Bytes of `text/event-stream`; a comment whenever nothing happened for `heartbeat` seconds."""
        # Without an empty line behind them: some clients take a block of nothing but these for an event.
        yield b"retry: 1000\n"
        for event in self._backlog:
            frame = self._frame(event)
            self._seen(frame.id, frame.generation_id if frame.terminal else None)
            yield frame.data
        self._backlog = []
        while not self._finished and not self._subscription.closed:
            frames = [frame for frame in await self._subscription.take(heartbeat) if frame.id > self._cursor]
            for frame in frames:
                self._seen(frame.id, frame.generation_id if frame.terminal else None)
            if frames:
                yield b"".join(frame.data for frame in frames)
            elif not self._subscription.closed:
                yield b": still here\n"

    def _frame(self, event: StoredEvent) -> Frame:
        return self._hub.frame(event)

    @property
    def _finished(self) -> bool:
        return self._ends and not self._active

    def _seen(self, event_id: int, ended: str | None) -> None:
        self._cursor = max(self._cursor, event_id)
        if ended is not None:
            self._active.discard(ended)

    def close(self) -> None:
        """Stop listening. Idempotent."""
        self._subscription.close()


async def open_stream(
    store: Store, hub: Hub, session_id: str, scope: Scope, last_event_id: int | None
) -> EventStream | None:
    """Open a stream, or return None when there is nothing more to tell, ever.

    Raises:
        NotFound: the project or the generation is not this session's.
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
    return EventStream(hub, subscription, opening)
