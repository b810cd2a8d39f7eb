"""The trash: deleted generations can be restored for a while."""

from __future__ import annotations

from collections.abc import Callable

from videogen.core.clock import to_datetime
from videogen.schemas.history import Chosen, LeftOut, Restored, Trashed
from videogen.store import Store


class TrashService:
    """Puts generations into the trash and restores them. Every method blocks on the database: call it from a thread."""

    def __init__(self, store: Store, seconds: float, on_trash: Callable[[], None]) -> None:
        """
        Args:
            store: has the rows.
            seconds: how long a generation can be restored.
            on_trash: called when generations were put into the trash, so that they are removed in time.
        """
        self._store = store
        self._seconds = seconds
        self._on_trash = on_trash

    def trash(self, session_id: str, chosen: Chosen) -> Trashed:
        """Put generations that have ended into the trash: no view shows them, and they can be restored. Idempotent."""
        ids = chosen.unique()
        trashed = self._store.trash(session_id, ids, self._store.clock() + self._seconds)
        self._on_trash()
        left_out = [
            LeftOut(id=generation_id, code="not_terminal" if generation_id in trashed.active else "not_found")
            for generation_id in ids
            if generation_id not in trashed.until
        ]
        until = min(trashed.until.values(), default=None)
        return Trashed(
            ids=[generation_id for generation_id in ids if generation_id in trashed.until],
            restorable_until=None if until is None else to_datetime(until),
            left_out=left_out,
        )

    def restore(self, session_id: str, chosen: Chosen) -> Restored:
        """Put these back into the history, unchanged. Idempotent."""
        ids = chosen.unique()
        restored = self._store.restore(session_id, ids)
        left_out = [
            LeftOut(id=generation_id, code="not_found") for generation_id in ids if generation_id not in restored
        ]
        return Restored(ids=[generation_id for generation_id in ids if generation_id in restored], left_out=left_out)
