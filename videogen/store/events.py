"""The event log: append events, and read them for a stream that opens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any, Final, Literal, NamedTuple, cast

from sqlalchemy import ColumnElement, Connection, Row, bindparam, func, insert, text
from sqlalchemy import cast as cast_sql
from sqlmodel import col, select

from videogen.core.clock import to_datetime
from videogen.core.errors import NotFoundError
from videogen.db.backend import last_id, next_ids
from videogen.db.database import UnitOfWork
from videogen.db.signals import StoredEvent, Subject
from videogen.db.tables import EventRow, GenerationRow
from videogen.schemas.events import (
    RECORDS,
    ErrorRecord,
    EventData,
    EventRecord,
    EventType,
    ProgressRecord,
    ResultRecord,
)
from videogen.schemas.status import TERMINAL, Status
from videogen.store.base import BaseStore, is_lost, visible

START_OVER: Final = -1
"""In the place of an event id: one that is of no use here, so that the stream begins with the current state."""
Scope = tuple[Literal["session", "project", "generation"], str]
"""What a stream covers: the kind, and the id of the session, project or generation."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What a new subscriber gets from the database, read in one transaction."""

    backlog: list[StoredEvent]
    cursor: int
    """Live events have higher ids than this."""
    active: frozenset[str]
    """The generations in scope that are queued or running."""
    resumed_after: int = 0
    """The event id after which the backlog continues; 0 where the backlog is a snapshot of the current state."""


class EventStore(BaseStore):
    """Reads the event log."""

    def open_scope(self, session_id: str, scope: Scope, after: int | None) -> Opening:
        """What a subscriber needs before the live events: all events in scope with an id above `after`, in order.

        Without `after`, or with START_OVER: the newest event of each active generation in scope, which is a snapshot of
        the current state. A stream of one generation includes it also when it has ended.

        Raises:
            NotFoundError: the project or the generation is not this session's.
        """
        with self.database.read() as session:
            rows = session.exec(_generations(session_id, scope)).all()
            if scope[0] != "session" and not rows:
                raise NotFoundError
            active = frozenset(row_id for row_id, status in rows if status not in TERMINAL)
            newest = last_event_id(session.connection())
            # An id that was never given is from a database that was replaced: start with a snapshot.
            is_known = after is not None and 0 <= after <= newest and not is_lost(session, after)
            cursor = after if after is not None and is_known else 0
            if cursor or after == 0:
                trashed = select(GenerationRow.id).where(GenerationRow.session_id == session_id, ~visible())
                query = select(EventRow).where(
                    EventRow.session_id == session_id,
                    getattr(EventRow, f"{scope[0]}_id") == scope[1],
                    col(EventRow.id) > cursor,
                    col(EventRow.generation_id).not_in(trashed),
                )
            else:
                wanted = [row_id for row_id, _ in rows if row_id in active or scope[0] == "generation"]
                query = select(EventRow).where(col(EventRow.id).in_(_newest(wanted)))
            backlog = [_stored(row) for row in session.exec(query.order_by(col(EventRow.id)))]
        return Opening(backlog, max([cursor, *(event.id for event in backlog)]), active, cursor)


def last_event_id(connection: Connection) -> int:
    """The highest event id that was ever given, even if its row was deleted."""
    return last_id(connection, _EVENTS)


def _generations(session_id: str, scope: Scope) -> Any:
    """Select id and status of the generations in scope; of a session only the active ones."""
    kind, value = scope
    query = select(GenerationRow.id, GenerationRow.status).where(GenerationRow.session_id == session_id, visible())
    if kind == "session":
        return query.where(col(GenerationRow.status).not_in(TERMINAL))
    return query.where((GenerationRow.project_id if kind == "project" else GenerationRow.id) == value)


def _newest(generation_ids: list[str]) -> Any:
    """Select the newest event of each of these generations."""
    generation_id = col(EventRow.generation_id)
    return select(func.max(EventRow.id)).where(generation_id.in_(generation_ids)).group_by(generation_id)


def _stored(row: EventRow) -> StoredEvent:
    assert row.id is not None
    event_type = cast(EventType, row.type)
    data = RECORDS[event_type].model_validate(row.data, extra="ignore")
    return StoredEvent(row.id, row.session_id, row.project_id, row.generation_id, event_type, data)


# Built once: building a statement costs more than running it.
_INSERT: Final = insert(EventRow)
_EVENTS: Final = str(EventRow.__tablename__)
_TABLE: Final = GenerationRow.__table__  # type: ignore[attr-defined]
_EVENT_TABLE: Final = EventRow.__table__  # type: ignore[attr-defined]
_BATCH: Final = 500
_VERSION: Final = ("status", "updated_at", "attempt")
"""Where these columns of a generation that has ended are the same, so is its event."""
_TYPES: Final[dict[str, EventType]] = {
    Status.COMPLETED: "render_result",
    Status.FAILED: "error",
    Status.CANCELLED: "error",
}


def snapshot(row: GenerationRow | Row[Any]) -> EventRecord:
    """The data of an event that describes this row."""
    common: dict[str, Any] = {
        "generation_id": row.id,
        "project_id": row.project_id,
        "request_id": row.request_id,
        "status": row.status,
        "progress": round(row.progress, 2),
        "attempt": row.attempt,
        "at": to_datetime(row.updated_at),
    }
    match row.status:
        case Status.COMPLETED:
            return ResultRecord(**common, **_columns(row, ResultRecord))
        case Status.FAILED | Status.CANCELLED:
            retryable = bool(row.error_retryable)
            reason = {"code": row.error_code, "message": row.error_message, "retryable": retryable}
            return ErrorRecord(**common, **reason, cost=row.cost)
    return ProgressRecord(**common, **_columns(row, ProgressRecord))


def _columns(row: GenerationRow | Row[Any], record: type[EventRecord]) -> dict[str, Any]:
    names = _OWN_FIELDS[record]
    return dict(zip(names, attrgetter(*names)(row), strict=True))


# Computed once: reading the fields of a model takes longer than building it.
_OWN_FIELDS: Final[dict[type[EventRecord], tuple[str, ...]]] = {
    record: tuple(name for name in record.model_fields if name not in EventData.model_fields)
    for record in RECORDS.values()
}


PROGRESS_COLUMNS: Final = (
    *("id", "session_id", "project_id", "request_id", "status", "progress", "attempt"),
    *("engine", "created_at", "started_at", "updated_at", *_OWN_FIELDS[ProgressRecord]),
)
"""What `append_event` needs of a generation that has not ended."""


def append_event(unit: UnitOfWork, row: GenerationRow, *, imported: bool = False) -> None:
    """Store an event that describes the row as it is now; it is published after the commit.

    One that was `imported` has ended elsewhere, and does not count here.
    """
    event_type = _TYPES.get(row.status, "render_progress")
    data = snapshot(row)
    event_id = _append(unit, _values(row, event_type, data))
    subject = None if imported else Subject(row.engine, row.created_at, row.started_at, row.updated_at)
    unit.events.append(StoredEvent(event_id, row.session_id, row.project_id, row.id, event_type, data, subject))


def _append(unit: UnitOfWork, values: dict[str, Any]) -> int:
    """Insert an event; return its id, which is given once nobody else can append to its session."""
    if unit.event_lock:
        return int(unit.connection.execute(_insert_locked(unit.event_lock), values).scalar_one())
    return int(unit.connection.execute(_INSERT, values).inserted_primary_key[0])  # type: ignore[index]


@cache
def _insert_locked(lock: str) -> Any:
    # One message to the server. What is selected is read after the lock is taken, and the id is made after that.
    columns = [column for column in _EVENT_TABLE.c if column.name != "id"]
    values = select(*(cast_sql(bindparam(one.name, type_=one.type), one.type) for one in columns))
    return insert(_EVENT_TABLE).from_select(columns, values.select_from(text(lock))).returning(_EVENT_TABLE.c.id)


class Snapshot(NamedTuple):
    """An event that describes a generation as it was, before it has a number."""

    version: tuple[Any, ...]
    """The columns by which it is known whether the generation is still as it was."""
    data: EventRecord
    values: dict[str, Any]


def make_snapshots(connection: Connection, *where: ColumnElement[bool]) -> dict[str, Snapshot]:
    """A snapshot of each generation, by id. For very many this takes a second: make them before a transaction."""
    made = {}
    for row in connection.execute(_TABLE.select().where(*where, _TABLE.c.trashed_until.is_(None))):
        data = snapshot(row)
        values = _values(row, _TYPES.get(row.status, "render_progress"), data)
        made[row.id] = Snapshot(tuple(attrgetter(*_VERSION)(row)), data, values)
    return made


def append_snapshots(
    unit: UnitOfWork, generation_ids: Sequence[str], made: Mapping[str, Snapshot], *, live: bool = True
) -> None:
    """Store an event for each of these generations that describes it as it is, in the order of their submits.

    They count as imported: nothing has happened to them. What is in the trash has none.

    Args:
        unit: the transaction, which must be exclusive.
        generation_ids: of one session.
        made: snapshots from before the transaction; those that are out of date, or not there, are made anew.
        live: whether they are published.
    """
    columns = [_TABLE.c[name] for name in ("id", "session_id", "seq", *_VERSION)]
    rows: list[Row[Any]] = []
    snapshots = dict(made)
    for start in range(0, len(generation_ids), _BATCH):
        some = _TABLE.c.id.in_(generation_ids[start : start + _BATCH])
        found = unit.connection.execute(select(*columns).where(some, _TABLE.c.trashed_until.is_(None))).all()
        kept = {row.id for row in found if row.status in TERMINAL and row.id in made}
        old = [row.id for row in found if row.id not in kept or made[row.id].version != tuple(row[3:])]
        snapshots |= make_snapshots(unit.connection, _TABLE.c.id.in_(old)) if old else {}
        rows += found
    if not rows:
        return
    rows.sort(key=attrgetter("seq"))
    session_id, numbers = rows[0].session_id, next_ids(unit.connection, _EVENTS, len(rows))
    ordered = [(number, snapshots[row.id]) for number, row in zip(numbers, rows, strict=True)]
    values = [{**one.values, "id": number, "session_id": session_id} for number, one in ordered]
    unit.connection.execute(_INSERT, values)
    for value, (_, one) in zip(values, ordered, strict=True) if live else ():
        owner = (session_id, value["project_id"], value["generation_id"])
        unit.events.append(StoredEvent(value["id"], *owner, value["type"], one.data))


def _values(row: GenerationRow | Row[Any], event_type: EventType, data: EventRecord) -> dict[str, Any]:
    return {
        "session_id": row.session_id,
        "project_id": row.project_id,
        "generation_id": row.id,
        "type": event_type,
        "data": data.model_dump(mode="json", by_alias=True),
        "created_at": row.updated_at,
    }
