"""Uploaded images: each once per session, kept while a generation starts from it, swept when none does."""

from __future__ import annotations

from typing import Any

from sqlalchemy import exists, func
from sqlmodel import col, delete, select

from videogen.core.errors import LimitExceededError, NotFoundError
from videogen.db.database import UnitOfWork
from videogen.db.tables import FileRow, GenerationRow, UploadRow
from videogen.schemas.status import Status
from videogen.store.base import BaseStore
from videogen.store.trash import in_sight


class UploadStore(BaseStore):
    """What generations may start from. Ownership is part of every query."""

    def add_upload(self, row: UploadRow, limit: int) -> tuple[UploadRow, list[UploadRow]]:
        """Store an upload; return it, and those that had to make room: the oldest that no generation starts from.

        The same picture again, in the same session, gives the row that is there, and counts as new from now on.

        Args:
            row: the upload; its file is in the storage already.
            limit: how many one session may have.

        Raises:
            LimitExceededError: there are `limit`, and all are in use.
            NotFoundError: the session is gone.
        """
        with self.database.write() as unit:
            same = select(UploadRow).where(UploadRow.session_id == row.session_id, UploadRow.digest == row.digest)
            known = unit.session.exec(same).first()
            if known is not None:
                known.created_at = row.created_at
                unit.session.add(known)
                return known, []
            removed = self._make_room(unit, row.session_id, limit)
            unit.session.add(row)
            return row, removed

    def _make_room(self, unit: UnitOfWork, session_id: str, limit: int) -> list[UploadRow]:
        mine = select(func.count()).select_from(UploadRow).where(UploadRow.session_id == session_id)
        excess = unit.session.exec(mine).one() + 1 - limit
        if excess <= 0:
            return []
        idle = select(UploadRow).where(UploadRow.session_id == session_id, _idle())
        oldest = list(unit.session.exec(idle.order_by(col(UploadRow.created_at)).limit(excess)))
        if len(oldest) < excess:
            raise LimitExceededError(
                f"At most {limit} images of one session are kept, and generations start from all of them. "
                "Delete one of those generations.",
                retry_after=60,
            )
        _delete(unit, oldest)
        return oldest

    def get_upload(self, session_id: str, upload_id: str) -> UploadRow:
        """An upload of this session.

        Raises:
            NotFoundError: there is none, or it is another session's.
        """
        query = select(UploadRow).where(UploadRow.id == upload_id, UploadRow.session_id == session_id)
        with self.database.read() as session:
            row = session.exec(query).first()
        if row is None:
            raise NotFoundError
        return row

    def get_still(self, session_id: str, file_id: str) -> tuple[FileRow, GenerationRow]:
        """The picture of a completed image generation of this session, and that generation.

        Raises:
            NotFoundError: there is none, or it is another session's.
        """
        query = (
            select(FileRow, GenerationRow)
            .join(GenerationRow, col(GenerationRow.file_id) == FileRow.id)
            .where(
                FileRow.id == file_id,
                FileRow.session_id == session_id,
                GenerationRow.session_id == session_id,
                GenerationRow.type == "image",
                GenerationRow.status == Status.COMPLETED,
                in_sight(),
            )
        )
        with self.database.read() as session:
            found = session.exec(query).first()
        if found is None:
            raise NotFoundError
        return found[0], found[1]

    def find_input(self, generation_id: str) -> UploadRow | None:
        """What a generation starts from; for its worker."""
        query = (
            select(UploadRow)
            .join(GenerationRow, col(GenerationRow.input_file_id) == UploadRow.id)
            .where(GenerationRow.id == generation_id)
        )
        with self.database.read() as session:
            return session.exec(query).first()

    def sweep_uploads(self, before: float) -> list[UploadRow]:
        """Forget the uploads from before a moment that no generation starts from; return them."""
        with self.database.write() as unit:
            idle = select(UploadRow).where(col(UploadRow.created_at) < before, _idle())
            rows = list(unit.session.exec(idle))
            _delete(unit, rows)
            return rows


def _idle() -> Any:
    return ~exists().where(col(GenerationRow.input_file_id) == UploadRow.id)


def _delete(unit: UnitOfWork, rows: list[UploadRow]) -> None:
    if rows:
        unit.session.exec(delete(UploadRow).where(col(UploadRow.id).in_([row.id for row in rows])))
        unit.session.expunge_all()
