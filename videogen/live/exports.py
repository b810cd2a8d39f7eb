"""The stream of one export: its state as it is stored, then each change, and an end once it has ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import anyio.to_thread

from videogen.live.hub import EncodedEvent, Hub, Key, Subscription

_RETRY: Final = b"retry: 1000\n"
_HEARTBEAT: Final = b": still here\n"


def export_key(export_id: str) -> Key:
    """What a subscription to one export is about."""
    return ("export", export_id)


class ExportStream:
    """One open stream: `read()` until it returns nothing, then `close()`.

    Each event is a whole state. A slow reader gets the newest ones.
    """

    resumed_after: Final = None

    def __init__(self, subscription: Subscription, first: EncodedEvent | None, after: int) -> None:
        """
        Args:
            subscription: where the changes arrive.
            first: the state to begin with; None where the reader has it.
            after: the id of the newest event that the reader has then.
        """
        self._subscription, self._first, self._after = subscription, first, after
        self._ended = False

    async def read(self) -> bytes:
        """The next bytes to send; empty once the stream has ended."""
        if self._first is not None:
            first, self._first = self._first, None
            self._ended = first.terminal
            return _RETRY + first.data
        while not self._ended:
            if events := [event for event in self._subscription.take() if event.id > self._after]:
                self._after, self._ended = events[-1].id, events[-1].terminal
                self._subscription.idle_ticks = 0
                return b"".join(event.data for event in events)
            if self._subscription.closed:
                break
            if self._subscription.heartbeat_is_due:
                self._subscription.idle_ticks = 0
                return _HEARTBEAT
            await self._subscription.wait()
        return b""

    def close(self) -> None:
        """Unsubscribe. Idempotent."""
        self._subscription.close()


async def open_export_stream(
    read: Callable[[], EncodedEvent], hub: Hub, session_id: str, export_id: str, last_event_id: int | None
) -> ExportStream | None:
    """Subscribe to an export of a session, then read its state with `read`, which may raise.

    Returns:
        the stream; None where it has ended, and the reader has its last event.
    """
    # Subscribe before reading, so that no change is missed in between.
    subscription = hub.subscribe(session_id, export_key(export_id))
    try:
        state = await anyio.to_thread.run_sync(read)
    except BaseException:
        subscription.close()
        raise
    is_known = state.id == last_event_id
    if is_known and state.terminal:
        subscription.close()
        return None
    return ExportStream(subscription, None if is_known else state, state.id)
