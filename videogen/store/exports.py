"""Exports: results in other formats, as jobs with a lease and an attempt, and as files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import case, func
from sqlmodel import Session, col, select

from videogen.core.errors import InvalidRequestError, Limit, LimitExceededError, NotTerminalError
from videogen.core.security import new_id
from videogen.db.database import UnitOfWork
from videogen.db.export_table import ExportRow
from videogen.db.tables import FileRow, GenerationRow
from videogen.schemas.exports import KINDS, ExportFormat
from videogen.schemas.status import TERMINAL, Status
from videogen.store.base import BaseStore, get_owned, require, visible

FILE_KIND: Final = "export"
"""The kind of the row of an export's file."""
MAX_ACTIVE: Final = 10
"""Exports of one session that wait or are made."""
MAX_WAITING: Final = 200
"""Exports of all that wait or are made."""
EXPORTS: Final = "exports"
"""The channel on which the workers of exports hear of a new one."""
_ACTIVE: Final = ("queued", "processing")


@dataclass(frozen=True, slots=True)
class StoredExport:
    """An export with what is shown of its generation."""

    row: ExportRow
    title: str
    """The title of the generation; without one its prompt."""
    has_audio: bool


def file_key(row: ExportRow, attempt: int) -> str:
    """The storage key of the file that an attempt makes."""
    return f"{row.generation_id}/{row.id}-{attempt}.{KINDS[format_of(row)].ending}"


def format_of(row: ExportRow) -> ExportFormat:
    """The format of a row; the API has checked it."""
    return row.format  # type: ignore[return-value]


class ExportStore(BaseStore):
    """Exports of a session for its owner, and the jobs for the worker, whose writes are fenced by the attempt."""

    def request_export(
        self, session_id: str, generation_id: str, wanted: ExportFormat, gone: str | None = None
    ) -> tuple[StoredExport, bool]:
        """The export of a result in a format; it is queued where there is none, or the last one failed.

        Args:
            session_id: the owner.
            generation_id: whose result.
            wanted: the format.
            gone: the id of a file that is not in the storage any more: its export is made again.

        Returns:
            the export, and whether this call has queued it.

        Raises:
            NotFoundError: the generation is not this session's.
            NotTerminalError: it has not ended.
            InvalidRequestError: it has no video.
            LimitExceededError: too many exports wait already.
        """
        now = self.clock()
        with self.database.write() as unit:
            generation = get_owned(unit.session, session_id, generation_id)
            _check(generation)
            query = select(ExportRow).where(ExportRow.generation_id == generation_id, ExportRow.format == wanted)
            row = unit.session.exec(query).first()
            if row is not None and row.status != "failed" and (gone is None or row.file_id != gone):
                return shown(row, generation), False
            _admit(unit, session_id)
            if row is None:
                row = _new(generation, wanted, now)
            else:
                _begin_again(unit, row, now)
            unit.session.add(row)
            unit.notify(EXPORTS, row.id)
            return shown(row, generation), True

    def list_exports(self, session_id: str, generation_id: str) -> list[StoredExport]:
        """The exports of a generation, the oldest first. Raises NotFoundError where it is not this session's."""
        with self.database.read() as session:
            generation = get_owned(session, session_id, generation_id)
            query = select(ExportRow).where(ExportRow.generation_id == generation_id)
            return [shown(row, generation) for row in session.exec(query.order_by(col(ExportRow.created_at)))]

    def get_export(self, session_id: str, export_id: str) -> StoredExport:
        """One export. Raises NotFoundError where it is not this session's, or its generation is in the trash."""
        with self.database.read() as session:
            row, generation = require(session.exec(_owned(session_id, export_id)).first())
            return shown(row, generation)

    def delete_export(self, session_id: str, export_id: str) -> str | None:
        """Remove an export, also while it is made; return the key of its file. Raises NotFoundError."""
        with self.database.write() as unit:
            row, _ = require(unit.session.exec(_owned(session_id, export_id)).first())
            key = _forget_file(unit, row)
            unit.session.delete(row)
            return key


def keys_in_work(session: Session, generation_id: str) -> set[str]:
    """The storage keys of what is being made of a generation: the files may be there before their rows."""
    query = select(ExportRow).where(ExportRow.generation_id == generation_id, ExportRow.status == "processing")
    return {file_key(row, row.attempt) for row in session.exec(query)}


def _owned(session_id: str, export_id: str) -> Any:
    query = select(ExportRow, GenerationRow).join(GenerationRow, col(GenerationRow.id) == ExportRow.generation_id)
    return query.where(ExportRow.id == export_id, ExportRow.session_id == session_id, visible())


def shown(row: ExportRow, generation: GenerationRow) -> StoredExport:
    """A row with what is shown of its generation."""
    return StoredExport(row, generation.title or generation.prompt, generation.has_audio)


def _check(generation: GenerationRow) -> None:
    if generation.status not in TERMINAL:
        raise NotTerminalError("This generation is still queued or running. Export it once it is completed.")
    if generation.status != Status.COMPLETED or generation.file_id is None:
        raise InvalidRequestError("generation", "a completed one, which has a result to export", generation.status)
    if generation.type != "video":
        raise InvalidRequestError("generation", "a video; a picture has no other formats, download it", generation.type)


def _admit(unit: UnitOfWork, session_id: str) -> None:
    own = case((col(ExportRow.session_id) == session_id, 1))
    count = select(func.count(own), func.count()).select_from(ExportRow).where(col(ExportRow.status).in_(_ACTIVE))
    mine, everybodys = unit.session.exec(count).one()
    if mine >= MAX_ACTIVE:
        raise LimitExceededError(
            f"At most {MAX_ACTIVE} exports of one session may wait or be made, {mine} do. Wait until one has ended.",
            limit=Limit("exports_per_session", MAX_ACTIVE, mine),
        )
    if everybodys >= MAX_WAITING:
        raise LimitExceededError(
            f"Too many exports wait: at most {MAX_WAITING} of all. Try again later.",
            30,
            Limit("exports", MAX_WAITING, everybodys),
        )


def _new(generation: GenerationRow, wanted: ExportFormat, now: float) -> ExportRow:
    return ExportRow(
        id=new_id("exp"),
        session_id=generation.session_id,
        generation_id=generation.id,
        format=wanted,
        created_at=now,
        updated_at=now,
    )


def _begin_again(unit: UnitOfWork, row: ExportRow, now: float) -> None:
    _forget_file(unit, row)
    change(row, now, status="queued", progress=0.0, message="", lost=0, file_id=None, size_bytes=None)
    change(row, now, error_code=None, error_message=None, finished_at=None)


def _forget_file(unit: UnitOfWork, row: ExportRow) -> str | None:
    """Delete the row of its file; return the file's key."""
    file = unit.session.get(FileRow, row.file_id) if row.file_id else None
    if file is None:
        return None
    unit.session.delete(file)
    return file.key


def change(row: ExportRow, now: float, **values: Any) -> None:
    """Change columns of a row: this is one event."""
    for name, value in values.items():
        setattr(row, name, value)
    row.version += 1
    row.updated_at = now
