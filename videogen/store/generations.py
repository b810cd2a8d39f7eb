"""Generations as their owner sees them: made, listed, read, changed, cancelled, removed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import String, UnaryExpression, func, type_coerce
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.operators import custom_op
from sqlmodel import col, select

from videogen.core.errors import (
    IdempotencyConflictError,
    InvalidRequestError,
    LimitExceededError,
    NotFoundError,
    NotTerminalError,
)
from videogen.core.text import fold
from videogen.db.database import UnitOfWork
from videogen.db.tables import FileRow, GenerationRow, ProjectRow, UploadRow
from videogen.schemas.status import TERMINAL, Status
from videogen.store.base import BaseStore
from videogen.store.queue_order import update_queue_positions
from videogen.store.transitions import cancelled
from videogen.store.trash import in_sight, remove

ACTIVE = (Status.QUEUED, Status.PROCESSING)


@dataclass(frozen=True, slots=True)
class Filter:
    """What to list; None means any."""

    status: tuple[Status, ...] | None = None
    text: str | None = None
    engine: str | None = None
    type: str | None = None
    favorite: bool | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be queued or running."""

    per_session: int
    queue: int


class GenerationStore(BaseStore):
    """What a session owns."""

    def create_project(
        self, project: ProjectRow, rows: list[GenerationRow], limits: Limits
    ) -> tuple[list[GenerationRow], bool]:
        """Store a submit; return its generations, and whether they are new.

        The same idempotency key with the same body gives back what the first one made.

        Raises:
            IdempotencyConflictError: the key came before, with another body.
            LimitExceededError: too much is queued or running.
            InvalidRequestError: the image to start from was removed a moment ago.
        """
        try:
            with self.database.write() as unit:
                if known := self._known_project(unit, project):
                    return known, False
                self._check_limits(unit, project.session_id, len(rows), limits)
                _check_inputs(unit, rows)
                unit.session.add(project)
                unit.session.flush()
                unit.session.add_all(rows)
                unit.session.flush()
                # Tells the new ones for the first time: they had no place before.
                update_queue_positions(unit, self.clock(), self.workers)
                for row in rows:
                    unit.session.refresh(row)
                return rows, True
        except IntegrityError as problem:
            # The session was removed between its check and this write.
            raise NotFoundError from problem

    def _known_project(self, unit: UnitOfWork, project: ProjectRow) -> list[GenerationRow]:
        if project.idempotency_key is None:
            return []
        known = unit.session.exec(
            select(ProjectRow).where(
                ProjectRow.session_id == project.session_id,
                ProjectRow.idempotency_key == project.idempotency_key,
            )
        ).first()
        if known is None:
            return []
        if known.body_hash != project.body_hash:
            raise IdempotencyConflictError
        query = select(GenerationRow).where(GenerationRow.project_id == known.id).order_by(col(GenerationRow.seq))
        return list(unit.session.exec(query))

    def known_project(self, project: ProjectRow) -> list[GenerationRow]:
        """The generations that this session's idempotency key made before; none where it is new.

        Raises:
            IdempotencyConflictError: the key came before, with another body.
        """
        with self.database.write() as unit:
            return self._known_project(unit, project)

    def _check_limits(self, unit: UnitOfWork, session_id: str, more: int, limits: Limits) -> None:
        mine = (
            select(func.count())
            .select_from(GenerationRow)
            .where(GenerationRow.session_id == session_id, col(GenerationRow.status).in_(ACTIVE))
        )
        queued = select(func.count()).select_from(GenerationRow).where(GenerationRow.status == Status.QUEUED)
        if (have := unit.session.exec(mine).one()) + more > limits.per_session:
            raise LimitExceededError(
                f"At most {limits.per_session} generations of one session may be queued or running, {have} are. "
                "Wait until one has ended, or cancel one."
            )
        if (have := unit.session.exec(queued).one()) + more > limits.queue:
            raise LimitExceededError(f"The queue is full: {have} of {limits.queue} places are taken.", retry_after=30)

    def get_generation(self, session_id: str, generation_id: str) -> GenerationRow:
        """One generation of this session.

        Raises:
            NotFoundError: there is none, or it is another session's; nobody can tell which.
        """
        with self.database.read() as session:
            return _one(session.exec(_owned(session_id, generation_id)).first())

    def get_project(self, session_id: str, project_id: str) -> list[GenerationRow]:
        """The generations of a project of this session, in the order of their making.

        Raises:
            NotFoundError: there is none, or it is another session's.
        """
        query = (
            select(GenerationRow)
            .where(GenerationRow.session_id == session_id, GenerationRow.project_id == project_id, in_sight())
            .order_by(col(GenerationRow.seq))
        )
        with self.database.read() as session:
            rows = list(session.exec(query))
        if not rows:
            raise NotFoundError
        return rows

    def list_generations(
        self, session_id: str, wanted: Filter, before: int | None, limit: int
    ) -> tuple[list[GenerationRow], int | None]:
        """A page of the history, newest first, and where the next one begins (None: this was the last)."""
        query = _page(select(GenerationRow), session_id, wanted, before).limit(limit + 1)
        with self.database.read() as session:
            rows = list(session.exec(query))
        more = len(rows) > limit
        return rows[:limit], rows[limit - 1].seq if more else None

    def list_ids(self, session_id: str, wanted: Filter, before: int | None, limit: int) -> tuple[list[str], int | None]:
        """The same of the ids alone."""
        query = _page(select(GenerationRow.id, GenerationRow.seq), session_id, wanted, before).limit(limit + 1)
        with self.database.read() as session:
            rows = session.exec(query).all()
        more = len(rows) > limit
        return [row[0] for row in rows[:limit]], rows[limit - 1][1] if more else None

    def patch_generation(self, session_id: str, generation_id: str, values: dict[str, Any]) -> GenerationRow:
        """Change the title or the favourite mark.

        Raises:
            NotFoundError: it is not this session's.
        """
        with self.database.write() as unit:
            row = _one(unit.session.exec(_owned(session_id, generation_id)).first())
            for name, value in values.items():
                setattr(row, name, value)
            unit.session.add(row)
            return row

    def cancel_generation(self, session_id: str, generation_id: str) -> tuple[GenerationRow, bool]:
        """Ask for a stop; return the generation and whether this call changed anything.

        A queued one is cancelled at once. Of a running one the wish is stored, and its renderer confirms.

        Raises:
            NotFoundError: it is not this session's.
        """
        now = self.clock()
        with self.database.write() as unit:
            row = _one(unit.session.exec(_owned(session_id, generation_id)).first())
            if row.status in TERMINAL or row.cancel_requested:
                return row, False
            if row.status == Status.QUEUED:
                row = cancelled(unit, row, now, "Cancelled before it began.")
                update_queue_positions(unit, now, self.workers)
            else:
                row.cancel_requested, row.updated_at = True, max(now, row.updated_at)
                unit.session.add(row)
            return row, True

    def delete_generation(self, session_id: str, generation_id: str) -> None:
        """Remove a generation that has ended, with its events and the rows of its files.

        Raises:
            NotFoundError: it is not this session's.
            NotTerminalError: it is queued or running.
        """
        with self.database.write() as unit:
            row = _one(unit.session.exec(_owned(session_id, generation_id)).first())
            if row.status not in TERMINAL:
                raise NotTerminalError
            remove(unit, row)

    def file_keys(self, file_ids: Iterable[str]) -> dict[str, str]:
        """Where the bytes of these files are, by file id; one without a row is left out."""
        query = select(FileRow.id, FileRow.key).where(col(FileRow.id).in_(list(file_ids)))
        with self.database.read() as session:
            return dict(session.exec(query).all())

    def keys_kept(self, generation_id: str) -> frozenset[str] | None:
        """The storage keys of a generation that has ended: none when it was removed. None while it has not ended."""
        with self.database.read() as session:
            status = session.exec(select(GenerationRow.status).where(GenerationRow.id == generation_id)).first()
            if status is not None and status not in TERMINAL:
                return None
            return frozenset(session.exec(select(FileRow.key).where(FileRow.generation_id == generation_id)))

    def get_media(self, file_id: str) -> tuple[FileRow | UploadRow, str]:
        """A file, for a request whose link was signed, and what its generation is called; an upload has no name.

        Raises:
            NotFoundError: there is none, or its generation is in the trash.
        """
        query = (
            select(FileRow, GenerationRow.title, GenerationRow.prompt)
            .join(GenerationRow, col(GenerationRow.id) == FileRow.generation_id)
            .where(FileRow.id == file_id, in_sight())
        )
        with self.database.read() as session:
            if (found := session.exec(query).first()) is not None:
                return found[0], found[1] or found[2]
            upload = session.get(UploadRow, file_id)
        if upload is None:
            raise NotFoundError
        return upload, ""


def _owned(session_id: str, generation_id: str) -> Any:
    mine = (GenerationRow.id == generation_id, GenerationRow.session_id == session_id)
    return select(GenerationRow).where(*mine, in_sight())


def _page(query: Any, session_id: str, wanted: Filter, before: int | None) -> Any:
    """What a filter finds, newest first, before a place; answered by `ix_generations_history` alone."""
    query = query.where(GenerationRow.session_id == session_id, in_sight(), *_conditions(wanted))
    if before is not None:
        query = query.where(col(GenerationRow.seq) < before)
    return query.order_by(col(GenerationRow.seq).desc())


def _check_inputs(unit: UnitOfWork, rows: list[GenerationRow]) -> None:
    for input_id in {row.input_file_id for row in rows} - {None}:
        if unit.session.get(UploadRow, input_id) is None:
            raise InvalidRequestError("inputFileId", "an image that is still there (upload it again)", input_id)


def _one(row: GenerationRow | None) -> GenerationRow:
    if row is None:
        raise NotFoundError
    return row


def _conditions(wanted: Filter) -> list[Any]:
    found: list[Any] = []
    if wanted.status:
        # With a plus, SQLite does not take the index of statuses for it, which knows everybody's.
        status: Any = UnaryExpression(type_coerce(GenerationRow.status, String), operator=custom_op("+"))
        found.append(status.in_(wanted.status))
    if wanted.engine is not None:
        found.append(GenerationRow.engine == wanted.engine)
    if wanted.type is not None:
        found.append(GenerationRow.type == wanted.type)
    if wanted.favorite is not None:
        found.append(GenerationRow.favorite == wanted.favorite)
    if wanted.text:
        found += [func.instr(col(GenerationRow.search_text), word) > 0 for word in fold(wanted.text).split()]
    return found
