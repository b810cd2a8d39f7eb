"""The use cases around exports of one result: ask for a format, follow it, remove it."""

from __future__ import annotations

from collections.abc import Sequence

from videogen.db.tables import FileRow
from videogen.live.exports import ExportStream, export_key, open_export_stream
from videogen.live.hub import EncodedEvent
from videogen.schemas.exports import Export, ExportFormat, ExportList
from videogen.services.admin import Bans
from videogen.services.parts import Parts
from videogen.services.storage_limits import StorageLimits
from videogen.services.visitor_limits import RateLimits
from videogen.store import StoredExport


class ResultExportService:
    """Exports of a session's results. Every method but `stream` blocks: call it from a thread."""

    def __init__(self, parts: Parts, rates: RateLimits, storage_limits: StorageLimits) -> None:
        self._parts, self._store, self._serializer = parts, parts.store, parts.serializer
        self._rates, self._storage_limits, self._bans = rates, storage_limits, Bans(parts)
        parts.exporter.publish = self._publish

    def create(self, session_id: str, generation_id: str, wanted: ExportFormat, address: str) -> tuple[Export, bool]:
        """Ask for a result in a format: the same export again, unless it failed or its file is gone.

        Returns:
            the export, and whether this call has queued it.

        Raises:
            NotFoundError: the generation is not this session's.
            NotTerminalError: it has not ended.
            InvalidRequestError: it has no video.
            LimitExceededError: too many exports wait, were asked for lately, or the storage is full.
        """
        known = next((one for one in self._list(session_id, generation_id) if one.row.format == wanted), None)
        gone = self._gone(known)
        if known is None or known.row.status == "failed" or gone is not None:
            self._bans.check(address, session_id)
            self._storage_limits.check(session_id)
            self._rates.count("exports", address, session_id)
        stored, new = self._store.request_export(session_id, generation_id, wanted, gone)
        if new:
            self._publish([stored])
        self._parts.in_use.note(generation_id)
        return self._serializer.export(stored), new

    def list(self, session_id: str, generation_id: str) -> ExportList:
        """The exports of a generation, the oldest first. Raises NotFoundError where it is not this session's."""
        return ExportList(items=[self._serializer.export(one) for one in self._list(session_id, generation_id)])

    def get(self, session_id: str, export_id: str) -> Export:
        """One export. Raises NotFoundError where it is not this session's."""
        return self._serializer.export(self._store.get_export(session_id, export_id))

    def delete(self, session_id: str, export_id: str) -> None:
        """Remove an export and its file; one that is being made stops. Raises NotFoundError."""
        key = self._store.delete_export(session_id, export_id)
        if key is not None:
            self._parts.storage.delete(key)
        self._parts.hub.end(export_key(export_id))

    async def stream(self, session_id: str, export_id: str, last_event_id: int | None) -> ExportStream | None:
        """Open the stream of an export; None when nothing more will come. Raises NotFoundError."""

        def read() -> EncodedEvent:
            return self._serializer.export_event(self._store.get_export(session_id, export_id))

        return await open_export_stream(read, self._parts.hub, session_id, export_id, last_event_id)

    def _list(self, session_id: str, generation_id: str) -> Sequence[StoredExport]:
        return self._store.list_exports(session_id, generation_id)

    def _gone(self, known: StoredExport | None) -> str | None:
        """The id of the file of an export where it is not in the storage any more."""
        if known is None or known.row.file_id is None:
            return None
        file, _ = self._store.get_media(known.row.file_id)
        return known.row.file_id if not isinstance(file, FileRow) or self._parts.storage.is_lost(file.key) else None

    def _publish(self, changed: Sequence[StoredExport]) -> None:
        for one in changed:
            self._parts.hub.push(export_key(one.row.id), self._serializer.export_event(one))
