"""Queries of uploaded images. A session has each image once; an image stays while a generation uses it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, exists, func
from sqlmodel import col, delete, select
from sqlmodel.sql.expression import SelectOfScalar

from videogen.core.errors import FileInUseError, Limit, LimitExceededError
from videogen.db.database import UnitOfWork
from videogen.db.tables import FileRow, GenerationRow, UploadRow
from videogen.schemas.status import Status
from videogen.store.base import BaseStore, require, visible
from videogen.store.merge import current_session


class UploadStore(BaseStore):
    """Input images. Each query of an owner checks ownership."""

    def add_upload(self, row: UploadRow, limit: int) -> tuple[UploadRow, list[UploadRow]]:
        """Store an upload; return it, and the oldest unused uploads that were deleted for it.

        An image that the session has already is not stored again: its row gets the new time and is returned.

        Args:
            row: the upload; its file is in the storage already.
            limit: how many uploads one session may have.

        Raises:
            LimitExceededError: the session has `limit` uploads, and all are in use.
        """
        with self.database.write() as unit:
            row.session_id = current_session(unit, row.session_id)
            known = unit.session.exec(_same(row.session_id, row.digest)).first()
            if known is not None:
                known.created_at = row.created_at
                unit.session.add(known)
                return known, []
            removed = self._delete_excess(unit, row.session_id, limit)
            unit.session.add(row)
            return row, removed

    def _delete_excess(self, unit: UnitOfWork, session_id: str, limit: int) -> list[UploadRow]:
        count = select(func.count()).select_from(UploadRow).where(UploadRow.session_id == session_id)
        excess = unit.session.exec(count).one() + 1 - limit
        if excess <= 0:
            return []
        unused = select(UploadRow).where(UploadRow.session_id == session_id, _unused())
        oldest = list(unit.session.exec(unused.order_by(col(UploadRow.created_at)).limit(excess)))
        if len(oldest) < excess:
            raise LimitExceededError(
                f"At most {limit} images of one session are kept, and generations start from all of them. "
                "Delete one of those generations.",
                60,
                Limit("images_per_session", limit, limit),
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
            return require(session.exec(query).first())

    def find_upload(self, session_id: str, digest: str) -> UploadRow | None:
        """The upload of this session whose bytes have this SHA-256, if there is one."""
        with self.database.read() as session:
            return session.exec(_same(session_id, digest)).first()

    def delete_upload(self, session_id: str, upload_id: str) -> UploadRow:
        """Delete an upload of this session and return it.

        Raises:
            NotFoundError: there is none, or it is another session's.
            FileInUseError: a generation starts from it, or ends with it.
        """
        query = select(UploadRow).where(UploadRow.id == upload_id, UploadRow.session_id == session_id)
        with self.database.write() as unit:
            row = require(unit.session.exec(query).first())
            if unit.session.exec(query.where(_unused())).first() is None:
                raise FileInUseError
            _delete(unit, [row])
            return row

    def get_still(self, session_id: str, file_id: str) -> tuple[FileRow, GenerationRow]:
        """The image of a completed generation of this session, and that generation.

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
                visible(),
            )
        )
        with self.database.read() as session:
            return require(session.exec(query).first())

    def find_input(self, generation_id: str, *, last: bool = False) -> UploadRow | None:
        """The upload that a generation starts from, or ends with (`last`), for its worker; None where there is none."""
        column = GenerationRow.last_frame_file_id if last else GenerationRow.input_file_id
        query = (
            select(UploadRow).join(GenerationRow, col(column) == UploadRow.id).where(GenerationRow.id == generation_id)
        )
        with self.database.read() as session:
            return session.exec(query).first()

    def remove_unused_uploads(self, before: float, limit: int = 100) -> list[UploadRow]:
        """Delete the uploads from before a time that no generation uses, some at once; return them."""
        unused = select(UploadRow).where(col(UploadRow.created_at) < before, _unused()).limit(limit)
        with self.database.read() as session:
            if session.exec(unused.limit(1)).first() is None:
                return []
        with self.database.write() as unit:
            rows = list(unit.session.exec(unused))
            _delete(unit, rows)
            return rows


def _same(session_id: str, digest: str) -> SelectOfScalar[UploadRow]:
    return select(UploadRow).where(UploadRow.session_id == session_id, UploadRow.digest == digest)


def _unused() -> Any:
    # One search for each: an index has each column.
    columns = (GenerationRow.input_file_id, GenerationRow.last_frame_file_id)
    return and_(*(~exists().where(col(column) == UploadRow.id) for column in columns))


def _delete(unit: UnitOfWork, rows: list[UploadRow]) -> None:
    if rows:
        unit.session.exec(delete(UploadRow).where(col(UploadRow.id).in_([row.id for row in rows])))
        unit.session.expunge_all()
