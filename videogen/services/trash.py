"""The trash: deleted generations can be restored for a while."""

from __future__ import annotations

from typing import Final

from videogen.core.clock import to_datetime
from videogen.db.tables import GenerationRow
from videogen.schemas.history import Chosen, LeftOut, Restored, Trashed, TrashedGeneration, TrashPage, TrashQuery
from videogen.services.generation_views import GenerationViews
from videogen.services.parts import Parts

_NO_LINKS: Final = dict.fromkeys(("preview_url", "video_url", "image_url", "poster_url"))


class TrashService:
    """Puts generations into the trash and restores them. Every method blocks on the database: call it from a thread."""

    def __init__(self, parts: Parts) -> None:
        self._store, self._workers, self._serializer = parts.store, parts.workers, parts.serializer
        self._views = GenerationViews(parts)
        self._seconds = parts.config.trash_minutes * 60

    def trash(self, session_id: str, chosen: Chosen) -> Trashed:
        """Put generations that have ended into the trash: no view shows them, and they can be restored. Idempotent."""
        ids = chosen.unique()
        trashed = self._store.trash(session_id, ids, self._store.clock() + self._seconds)
        self._workers.check_trash()
        left_out = [
            LeftOut(id=name, code="not_terminal" if name in trashed.active else "not_found")
            for name in ids
            if name not in trashed.until
        ]
        until = to_datetime(min(trashed.until.values())) if trashed.until else None
        return Trashed(ids=[name for name in ids if name in trashed.until], restorable_until=until, left_out=left_out)

    def list(self, session_id: str, query: TrashQuery, before: int | None) -> tuple[TrashPage, int | None]:
        """A page of what can be restored, newest first, and the position before which the next page begins."""
        rows, following = self._store.list_trash(session_id, before, query.limit)
        until = self._views.expiries(rows)
        return TrashPage(items=[self._serialize(row, until[row.id]) for row in rows], next_cursor=None), following

    def _serialize(self, row: GenerationRow, expires_at: float | None) -> TrashedGeneration:
        generation = self._serializer.generation(row, self._store.clock(), expires_at=expires_at)
        # Retention removes it from the trash too.
        until = to_datetime(min(filter(None, (row.trashed_until, expires_at)), default=0.0))
        return TrashedGeneration(**vars(generation) | _NO_LINKS, restorable_until=until)

    def restore(self, session_id: str, chosen: Chosen) -> Restored:
        """Put these back into the history, unchanged. Idempotent."""
        ids = chosen.unique()
        restored = self._store.restore(session_id, ids)
        left_out = [LeftOut(id=name, code="not_found") for name in ids if name not in restored]
        return Restored(ids=[name for name in ids if name in restored], left_out=left_out)
