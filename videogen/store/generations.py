"""Queries of the owner: create, read, list, change, cancel and delete generations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import String, cast
from sqlmodel import col, select

from videogen.core.errors import (
    IdempotencyConflictError,
    InvalidRequestError,
    NotFoundError,
    NotTerminalError,
)
from videogen.core.text import fold
from videogen.db.backend import contains_text, missing_reference
from videogen.db.database import UnitOfWork
from videogen.db.tables import FileRow, GenerationRow, ProjectRow, UploadRow
from videogen.schemas.generations import ListQuery
from videogen.schemas.status import TERMINAL, Status
from videogen.store.attention import REPLACED, end_parked, get_parked
from videogen.store.base import BaseStore, count_anew, get_owned, is_parked, require, visible
from videogen.store.exports import keys_in_work
from videogen.store.limits import Limits, admit
from videogen.store.merge import current_session
from videogen.store.permissions import CANCEL
from videogen.store.progress import MAY_BE_BILLED
from videogen.store.queue_order import update_queue_positions
from videogen.store.transitions import cancel
from videogen.store.trash import remove


@dataclass(frozen=True, slots=True)
class Filter:
    """Which generations to list; None means any."""

    status: tuple[Status, ...] | None = None
    text: str | None = None
    engine: str | None = None
    type: str | None = None
    favorite: bool | None = None

    @classmethod
    def of(cls, query: ListQuery) -> Filter:
        """What a request asks for. Raises InvalidRequestError: it names an unknown status."""
        names = [name.strip() for name in (query.status or "").split(",") if name.strip()]
        if unknown := [name for name in names if name not in list(Status)]:
            raise InvalidRequestError("status", f"one or several of {', '.join(Status)}", unknown[0])
        others = query.q, query.engine, query.type, query.favorite
        return cls(tuple(map(Status, names)) if query.status else None, *others)


def request_cancel(
    unit: UnitOfWork, row: GenerationRow, now: float, concurrency: Mapping[str, int]
) -> tuple[GenerationRow, bool]:
    """Cancel a generation without a worker, or store the request for its worker; see `cancel_generation`."""
    if row.status in TERMINAL or row.cancel_requested:
        return row, False
    if row.status == Status.QUEUED or is_parked(row):
        text = f"Cancelled. {MAY_BE_BILLED}" if is_parked(row) else "Cancelled before it began."
        row = cancel(unit, row, now, text)
        update_queue_positions(unit, now, concurrency)
    else:
        row.cancel_requested, row.updated_at = True, max(now, row.updated_at)
        unit.session.add(row)
        unit.notify(CANCEL, row.id)
    return row, True


def _with_owner(unit: UnitOfWork, project: ProjectRow, rows: list[GenerationRow]) -> ProjectRow:
    """The session may have been merged since the request came."""
    project.session_id = current_session(unit, project.session_id)
    for row in rows:
        row.session_id = project.session_id
    return project


def _add(unit: UnitOfWork, project: ProjectRow, rows: list[GenerationRow], files: Sequence[FileRow]) -> None:
    unit.session.add(project)
    unit.session.flush()
    unit.session.add_all(rows)
    unit.session.flush()
    for file in files:
        file.session_id = project.session_id
        unit.session.add(file)


class GenerationStore(BaseStore):
    """The generations of a session. Each query checks ownership."""

    def create_project(
        self,
        project: ProjectRow,
        rows: list[GenerationRow],
        limits: Limits,
        count: Callable[[UnitOfWork], None] = lambda _unit: None,
        replaced: str | None = None,
        files: Sequence[FileRow] = (),
    ) -> tuple[list[GenerationRow], bool]:
        """Store the generations of one submit with `files` of theirs; return them, and whether they are new.

        The same idempotency key with the same body returns the generations of the first submit. `count` is called for
        a new project within all limits. With it ends `replaced`, the id of a generation that needs attention.

        Raises:
            NeedsNoAttentionError: `replaced` does not need it.
            IdempotencyConflictError: the key was used with another body.
            LimitExceededError: too many generations are queued or running.
            InvalidRequestError: the input image was removed since it was checked.
            NotFoundError: the session was removed since it was checked.
        """
        with missing_reference(NotFoundError), self.database.write() as unit:
            if known := self._known_project(unit, _with_owner(unit, project, rows)):
                return known, False
            if replaced is not None:
                end_parked(unit, get_parked(unit.session, project.session_id, replaced), self.clock(), REPLACED)
            admit(unit, rows, limits, self.clock())
            count(unit)
            _check_inputs(unit, rows)
            _add(unit, project, rows, files)
            # Appends the first event of each new generation.
            update_queue_positions(unit, self.clock(), self.concurrency)
            for row in rows:
                unit.session.refresh(row)
            return rows, True

    def _known_project(self, unit: UnitOfWork, project: ProjectRow) -> list[GenerationRow]:
        if project.idempotency_key is None:
            return []
        same_key = ProjectRow.idempotency_key == project.idempotency_key
        query = select(ProjectRow).where(ProjectRow.session_id == project.session_id, same_key)
        known = unit.session.exec(query).first()
        if known is None:
            return []
        if known.body_hash != project.body_hash:
            raise IdempotencyConflictError
        rows = select(GenerationRow).where(GenerationRow.project_id == known.id).order_by(col(GenerationRow.seq))
        return list(unit.session.exec(rows))

    def known_project(self, project: ProjectRow) -> list[GenerationRow]:
        """The generations of an earlier submit with this idempotency key; an empty list where the key is new.

        Raises:
            IdempotencyConflictError: the key was used with another body.
        """
        with self.database.write() as unit:
            return self._known_project(unit, project)

    def get_generation(self, session_id: str, generation_id: str) -> GenerationRow:
        """One generation of this session.

        Raises:
            NotFoundError: see `get_owned`.
        """
        with self.database.read() as session:
            return get_owned(session, session_id, generation_id)

    def list_generations(
        self, session_id: str, wanted: Filter, before: int | None, limit: int
    ) -> tuple[list[GenerationRow], int | None]:
        """One page of the history, newest first, and the `before` of the next page; None after the last page.

        Args:
            session_id: the owner.
            wanted: the filter.
            before: only generations with a lower sequence number; None for the first page.
            limit: how many at most.
        """
        query = _page(select(GenerationRow), session_id, wanted, before).limit(limit + 1)
        with self.database.read() as session:
            rows = list(session.exec(query))
        more = len(rows) > limit
        return rows[:limit], rows[limit - 1].seq if more else None

    def list_ids(self, session_id: str, wanted: Filter, before: int | None, limit: int) -> tuple[list[str], int | None]:
        """The same with ids only."""
        query = _page(select(GenerationRow.id, GenerationRow.seq), session_id, wanted, before).limit(limit + 1)
        with self.database.read() as session:
            rows = session.exec(query).all()
        more = len(rows) > limit
        return [row[0] for row in rows[:limit]], rows[limit - 1][1] if more else None

    def patch_generation(self, session_id: str, generation_id: str, values: dict[str, Any]) -> GenerationRow:
        """Set columns that the owner may change. Raises NotFoundError."""
        with self.database.write() as unit:
            row = get_owned(unit.session, session_id, generation_id)
            if row.favorite and values.get("favorite") is False:
                count_anew(row, self.clock())
            unit.session.add(row.sqlmodel_update(values))
            return row

    def cancel_generation(self, session_id: str, generation_id: str) -> tuple[GenerationRow, bool]:
        """Cancel a generation without a worker, or store the request to cancel a running one, for its worker.

        Returns:
            the generation, and whether this call changed anything.

        Raises:
            NotFoundError: see `get_owned`.
        """
        now = self.clock()
        with self.database.write() as unit:
            row = get_owned(unit.session, session_id, generation_id)
            return request_cancel(unit, row, now, self.concurrency)

    def delete_generation(self, session_id: str, generation_id: str) -> list[str]:
        """Delete a generation that has ended, with its events and the rows of its files; return its id.

        Raises:
            NotFoundError: see `get_owned`.
            NotTerminalError: it is queued or running.
        """
        with self.database.write() as unit:
            row = get_owned(unit.session, session_id, generation_id)
            if row.status not in TERMINAL:
                raise NotTerminalError
            remove(unit, row, self.clock())
        return [generation_id]

    def file_keys(self, file_ids: Iterable[str]) -> dict[str, str]:
        """The storage keys of these files, by file id; a file without a row is left out."""
        query = select(FileRow.id, FileRow.key).where(col(FileRow.id).in_(list(file_ids)))
        with self.database.read() as session:
            return dict(session.exec(query).all())

    def keys_kept(self, generation_id: str) -> frozenset[str] | None:
        """The storage keys of a generation that has ended; empty after it was deleted. None while it is active."""
        with self.database.read() as session:
            status = session.exec(select(GenerationRow.status).where(GenerationRow.id == generation_id)).first()
            if status is not None and status not in TERMINAL:
                return None
            keys = session.exec(select(FileRow.key).where(FileRow.generation_id == generation_id))
            return frozenset(keys) | keys_in_work(session, generation_id)

    def files_of(self, generation_id: str) -> list[FileRow]:
        """The files of a generation, for whoever may have it already."""
        with self.database.read() as session:
            return list(session.exec(select(FileRow).where(FileRow.generation_id == generation_id)))

    def find_log(self, session_id: str, generation_id: str) -> str | None:
        """The storage key of a generation's log, or None. Raises NotFoundError: see `get_owned`."""
        with self.database.read() as session:
            get_owned(session, session_id, generation_id)
            query = select(FileRow.key).where(FileRow.generation_id == generation_id, FileRow.kind == "log")
            return session.exec(query).first()

    def get_media(self, file_id: str) -> tuple[FileRow | UploadRow, str]:
        """A file for a request with a signed link, and the title or prompt of its generation; "" for an upload.

        Raises:
            NotFoundError: there is no such file, or its generation is in the trash.
        """
        query = (
            select(FileRow, GenerationRow.title, GenerationRow.prompt)
            .join(GenerationRow, col(GenerationRow.id) == FileRow.generation_id)
            .where(FileRow.id == file_id, visible())
        )
        with self.database.read() as session:
            if (match := session.exec(query).first()) is not None:
                file, title, prompt = match
                return file, title or prompt
            return require(session.get(UploadRow, file_id)), ""


def _page(query: Any, session_id: str, wanted: Filter, before: int | None) -> Any:
    """Apply filter, order and start of a page. The index `ix_generations_history` answers all of it."""
    query = query.where(GenerationRow.session_id == session_id, visible(), *_conditions(wanted))
    if before is not None:
        query = query.where(col(GenerationRow.seq) < before)
    return query.order_by(col(GenerationRow.seq).desc())


def _check_inputs(unit: UnitOfWork, rows: list[GenerationRow]) -> None:
    used = {(field, file_id) for row in rows for field, file_id in _inputs(row).items() if file_id is not None}
    for field, file_id in sorted(used):
        if unit.session.get(UploadRow, file_id) is None:
            raise InvalidRequestError(field, "an image that is still there (upload it again)", file_id)


def _inputs(row: GenerationRow) -> dict[str, str | None]:
    return {"inputFileId": row.input_file_id, "lastFrameFileId": row.last_frame_file_id}


def _conditions(wanted: Filter) -> list[Any]:
    conditions: list[Any] = []
    if wanted.status:
        # The cast keeps SQLite from the index of statuses, which has the generations of all sessions.
        conditions.append(cast(GenerationRow.status, String).in_(wanted.status))
    exact = {name: getattr(wanted, name) for name in ("engine", "type", "favorite")}
    conditions += [getattr(GenerationRow, name) == value for name, value in exact.items() if value is not None]
    if wanted.text:
        conditions += [contains_text(col(GenerationRow.search_text), word) for word in fold(wanted.text).split()]
    return conditions
