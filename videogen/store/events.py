"""Stored events: what was told, so that it can be told again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import func
from sqlmodel import Session, col, select

from videogen.core.errors import NotFound
from videogen.database import StoredEvent
from videogen.models import EventRow, GenerationRow
from videogen.schemas.status import TERMINAL
from videogen.store.base import BaseStore
from videogen.store.trash import in_sight

Scope = tuple[Literal["session", "project", "generation"], str]
"""What a stream is about: its kind, and the id of the session, project or generation."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What the database says to a new listener, all read at one moment."""

    backlog: list[StoredEvent]
    cursor: int
    """What comes next has a higher number than this."""
    active: frozenset[str]
    """The generations in scope that were queued or running at that moment."""
    resumed_after: int = 0
    """The number after which the backlog goes on; 0 when it is the current state instead."""


class EventStore(BaseStore):
    """The journal, read."""

    def open_scope(self, session_id: str, scope: Scope, after: int | None) -> Opening:
        """What a listener must hear before the live events: all in scope after the number `after`, once, in order.

        Without `after`: the newest event of each generation in scope, in order. Every event is a full snapshot, so
        that this is the current state. Generations that have ended are left out then, but for a stream of one
        generation, which tells its end.

        Raises:
            NotFound: the project or the generation is not this session's.
        """
        with self.database.read() as session:
            rows = session.exec(_generations(session_id, scope)).all()
            if scope[0] != "session" and not rows:
                raise NotFound
            active = frozenset(row_id for row_id, status in rows if status not in TERMINAL)
            newest = _newest_ever(session)
            # A number that was never given comes from a database that was since replaced: start over.
            cursor = after if after is not None and after <= newest else 0
            if cursor or after == 0:
                query = select(EventRow).where(
                    EventRow.session_id == session_id,
                    _in_scope(scope),
                    col(EventRow.id) > cursor,
                    col(EventRow.generation_id).not_in(_trashed(session_id)),
                )
            else:
                wanted = [row_id for row_id, _ in rows if row_id in active or scope[0] == "generation"]
                query = select(EventRow).where(col(EventRow.id).in_(_newest(wanted)))
            backlog = [_stored(row) for row in session.exec(query.order_by(col(EventRow.id)))]
        return Opening(backlog, max([cursor, *(event.id for event in backlog)]), active, cursor)


def _newest_ever(session: Session) -> int:
    """The highest number that was ever given; the rows may be gone, but not this."""
    table = EventRow.__tablename__
    found = session.connection().exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).scalar()
    return int(found or 0)


def _generations(session_id: str, scope: Scope) -> Any:
    """Select id and status of the generations in scope; of a whole session only what is active."""
    kind, value = scope
    query = select(GenerationRow.id, GenerationRow.status).where(GenerationRow.session_id == session_id, in_sight())
    if kind == "session":
        return query.where(col(GenerationRow.status).not_in(TERMINAL))
    return query.where((GenerationRow.project_id if kind == "project" else GenerationRow.id) == value)


def _trashed(session_id: str) -> Any:
    return select(GenerationRow.id).where(GenerationRow.session_id == session_id, ~in_sight())


def _newest(generation_ids: list[str]) -> Any:
    """Select the newest event of each of these generations."""
    return (
        select(func.max(EventRow.id))
        .where(col(EventRow.generation_id).in_(generation_ids))
        .group_by(col(EventRow.generation_id))
    )


def _in_scope(scope: Scope) -> Any:
    kind, value = scope
    columns = {
        "session": EventRow.session_id,
        "project": EventRow.project_id,
        "generation": EventRow.generation_id,
    }
    return columns[kind] == value


def _stored(row: EventRow) -> StoredEvent:
    assert row.id is not None
    return StoredEvent(row.id, row.session_id, row.project_id, row.generation_id, row.type, row.data)
