"""Exports as jobs: claimed with a lease by one process, whose writes are fenced by the attempt; and their removal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, true, update
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from videogen.core.errors import StaleWriteError
from videogen.core.security import new_id
from videogen.db.database import UnitOfWork
from videogen.db.export_table import ExportRow
from videogen.db.tables import FileRow, GenerationRow
from videogen.schemas.exports import KINDS, ExportFormat
from videogen.store.base import BaseStore, visible
from videogen.store.exports import FILE_KIND, StoredExport, change, file_key, format_of, shown


@dataclass(frozen=True, slots=True)
class ExportJob:
    """An export that this process may make now, and its source."""

    export: StoredExport
    source_key: str
    source_bytes: int
    width: int
    height: int
    frames: int

    @property
    def row(self) -> ExportRow:
        """The export as it was when it was claimed."""
        return self.export.row

    @property
    def format(self) -> ExportFormat:
        """What is to be made."""
        return format_of(self.row)

    def key(self, attempt: int) -> str:
        """The storage key of the file that an attempt makes."""
        return file_key(self.row, attempt)


class ExportJobStore(BaseStore):
    """What a worker needs to make exports, and what removes them where the storage is full."""

    def claim_export(self, lease_seconds: float) -> ExportJob | None:
        """Claim the next export: of the session that was served longest ago, its oldest one."""
        now, other = self.clock(), aliased(ExportRow)
        served = select(func.max(other.started_at)).where(other.session_id == ExportRow.session_id).scalar_subquery()
        query = (
            select(ExportRow, GenerationRow, FileRow)
            .join(GenerationRow, col(GenerationRow.id) == ExportRow.generation_id)
            .join(FileRow, col(FileRow.id) == GenerationRow.file_id)
            .order_by(func.coalesce(served, 0.0), col(ExportRow.created_at))
        )
        with self.database.read() as session:
            unfinished = col(ExportRow.status).in_(("queued", "processing"))
            if session.exec(query.where(unfinished).limit(1)).first() is None:
                return None  # most of the time, and it costs no write
        with self.database.write() as unit:
            begun = self.lease_time(unit)
            is_lost = and_(col(ExportRow.status) == "processing", col(ExportRow.lease_until) < begun)
            may_begin = or_(col(ExportRow.status) == "queued", is_lost), visible()
            found = unit.session.exec(query.where(*may_begin).limit(1).with_for_update(of=ExportRow)).first()
            if found is None:
                return None
            row, generation, source = found
            lost = row.lost + (row.status == "processing")
            values = {"lease_until": begun + lease_seconds, "started_at": now, "lost": lost, "message": ""}
            change(row, now, status="processing", progress=0.0, attempt=row.attempt + 1, **values)
            unit.session.add(row)
            frames = max(1, round(generation.duration_seconds * generation.fps))
            size = (generation.width, generation.height, frames)
            return ExportJob(shown(row, generation), source.key, source.size_bytes, *size)

    def update_export(self, job: ExportJob, lease_seconds: float, **values: Any) -> StoredExport:
        """Write something of an export that this process makes, and renew its lease.

        Raises:
            StaleWriteError: it was deleted, or another process has it.
        """
        with self.database.write() as unit:
            row = _fenced(unit, job)
            change(row, self.clock(), lease_until=self.lease_time(unit) + lease_seconds, **values)
            unit.session.add(row)
        return StoredExport(row, job.export.title, job.export.has_audio)

    def finish_export(self, job: ExportJob, size_bytes: int) -> StoredExport:
        """Its file is in the storage. Raises StaleWriteError: see `update_export`; the file is to be removed then."""
        now, kind = self.clock(), KINDS[format_of(job.row)]
        with self.database.write() as unit:
            row = _fenced(unit, job)
            file = FileRow(
                id=new_id("fil"),
                session_id=row.session_id,
                generation_id=row.generation_id,
                kind=FILE_KIND,
                key=file_key(row, row.attempt),
                content_type=kind.content_type,
                size_bytes=size_bytes,
                created_at=now,
            )
            change(
                row, now, status="completed", progress=100.0, finished_at=now, file_id=file.id, size_bytes=size_bytes
            )
            unit.session.add(file)
            unit.session.add(row)
        return StoredExport(row, job.export.title, job.export.has_audio)

    def end_exports_of_dead(self) -> int:
        """Queue again what the last process was making, at the start; return how many that were."""
        lost = update(ExportRow).where(col(ExportRow.status) == "processing")
        values: dict[str, Any] = {"status": "queued", "version": ExportRow.version + 1, "progress": 0.0}
        with self.database.write() as unit:
            return int(unit.connection.execute(lost.values(**values)).rowcount)

    def hold_exports(self, message: str) -> list[StoredExport]:
        """Say of all that wait why they do, or with an empty message no more; return those that have changed."""
        query = select(ExportRow, GenerationRow).join(GenerationRow, col(GenerationRow.id) == ExportRow.generation_id)
        query = query.where(ExportRow.status == "queued", ExportRow.message != message)
        with self.database.read() as session:
            if session.exec(query.limit(1)).first() is None:
                return []
        with self.database.write() as unit:
            found = unit.session.exec(query).all()
            for row, _ in found:
                change(row, self.clock(), message=message)
                unit.session.add(row)
        return [shown(row, generation) for row, generation in found]

    def made_exports(self) -> list[tuple[str, str]]:
        """Id and storage key of each export file."""
        query = select(ExportRow.id, FileRow.key).join(FileRow, col(FileRow.id) == ExportRow.file_id)
        with self.database.read() as session:
            return list(session.exec(query))

    def forget_exports(self, ids: Sequence[str]) -> None:
        """Remove exports whose files are gone, for example after a restore from a snapshot, which has none."""
        if ids:
            self._remove(col(ExportRow.id).in_(ids), len(ids))

    def remove_old_exports(self, session_id: str | None, before: float, limit: int) -> list[tuple[str, int]]:
        """Remove exports of a session, or of all, that were completed before a time, the oldest first.

        Returns:
            key and size of their files, which are to be removed.
        """
        of_session = true() if session_id is None else col(ExportRow.session_id) == session_id
        return self._remove(of_session & (col(ExportRow.finished_at) < before), limit)

    def _remove(self, which: ColumnElement[bool], limit: int) -> list[tuple[str, int]]:
        query = select(ExportRow, FileRow).join(FileRow, col(FileRow.id) == ExportRow.file_id)
        query = query.where(ExportRow.status == "completed", which).order_by(col(ExportRow.finished_at))
        with self.database.write() as unit:
            rows = unit.session.exec(query.limit(limit)).all()
            for row, file in rows:
                unit.session.delete(file)
                unit.session.delete(row)
        return [(file.key, file.size_bytes) for _, file in rows]


def _fenced(unit: UnitOfWork, job: ExportJob) -> ExportRow:
    mine = ExportRow.attempt == job.row.attempt, ExportRow.status == "processing"
    row = unit.session.exec(select(ExportRow).where(ExportRow.id == job.row.id, *mine).with_for_update()).first()
    if row is None:
        raise StaleWriteError("This export was deleted, or another process makes it.")
    return row
