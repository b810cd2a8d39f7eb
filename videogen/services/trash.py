"""Deletion that can be undone for a while, and zips of what somebody has chosen."""

from __future__ import annotations

from collections.abc import Callable

from videogen.core.clock import to_datetime
from videogen.schemas.history import Chosen, LeftOut, Restored, Trashed
from videogen.store import Store


class Trash:
    """The trash of every session. Every method blocks on the database: call it from a thread."""

    def __init__(self, store: Store, seconds: float, on_trash: Callable[[], None]) -> None:
        """
        Args:
            store: has the rows.
            seconds: how long a deletion can be undone.
            on_trash: hears that something will have to be removed then.
        """
        self._store = store
        self._seconds = seconds
        self._on_trash = on_trash

    def trash(self, session_id: str, chosen: Chosen) -> Trashed:
        """Take these out of every view; they can be restored for a while, with all that belongs to them. Idempotent."""
        ids = chosen.unique()
        found = self._store.trash(session_id, ids, self._store.clock() + self._seconds)
        self._on_trash()
        left = [
            LeftOut(id=one, code="not_terminal" if one in found.active else "not_found")
            for one in ids
            if one not in found.until
        ]
        until = min(found.until.values(), default=None)
        return Trashed(
            ids=[one for one in ids if one in found.until],
            restorable_until=None if until is None else to_datetime(until),
            left_out=left,
        )

    def restore(self, session_id: str, chosen: Chosen) -> Restored:
        """Put these back into the history, as they were. Idempotent."""
        ids = chosen.unique()
        found = self._store.restore(session_id, ids)
        left = [LeftOut(id=one, code="not_found") for one in ids if one not in found]
        return Restored(ids=[one for one in ids if one in found], left_out=left)
