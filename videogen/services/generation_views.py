"""The public form of stored generations, with what is stored about them elsewhere: their files, and their links."""

from __future__ import annotations

from collections.abc import Sequence

from videogen.db.tables import GenerationRow
from videogen.schemas.generations import Generation
from videogen.services.parts import Parts


class GenerationViews:
    """Reads what a public form needs beside the row. Every method blocks on the database: call it from a thread."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._store = parts, parts.store

    def one(self, row: GenerationRow) -> Generation:
        """The public form of a row."""
        return self.all([row])[0]

    def all(self, rows: Sequence[GenerationRow]) -> list[Generation]:
        """The public forms of rows, in their order."""
        now, until = self._store.clock(), self.expiries(rows)
        file_ids = {file_id for row in rows for file_id in (row.file_id, row.poster_file_id) if file_id}
        keys = self._store.file_keys(file_ids) if file_ids else {}
        missing = frozenset(file_ids - {name for name, key in keys.items() if not self._parts.storage.is_lost(key)})
        return [self._parts.serializer.generation(row, now, missing, until[row.id]) for row in rows]

    def expiries(self, rows: Sequence[GenerationRow]) -> dict[str, float | None]:
        """Until when each is kept, in seconds since the epoch, by id; None: for ever, or it has not ended."""
        rules = self._parts.rules
        ended = [row.id for row in rows if rules.seconds and rules.keeps_shared and row.kept_from is not None]
        shared = self._store.shared_ids(ended) if ended else frozenset()
        return {row.id: rules.expires_at(row, is_shared=row.id in shared) for row in rows}
