"""The merge of two sessions of one person, in one transaction: all that one has comes to the other, nothing is lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import case, delete, func, insert, select, update
from sqlmodel import SQLModel, col

from videogen.db.account_tables import LoginLinkRow, MergeRow, TransferRow
from videogen.db.database import UnitOfWork
from videogen.db.export_table import ExportRow
from videogen.db.operating_tables import BanRow, TicketRow, WebhookRow
from videogen.db.quota_table import QuotaRow
from videogen.db.tables import (
    DeviceRow,
    EventRow,
    FileRow,
    GenerationRow,
    OriginRow,
    ProjectRow,
    SessionRow,
    ShareRow,
    UploadRow,
)
from videogen.store.events import Snapshot, append_snapshots, last_event_id
from videogen.store.queue_order import update_queue_positions

MOVED: Final[tuple[type[SQLModel], ...]] = (
    *(ProjectRow, GenerationRow, FileRow, UploadRow, ShareRow, OriginRow, DeviceRow, EventRow),
    *(QuotaRow, WebhookRow, ExportRow),
)
"""Tables whose rows come to the other session."""
ENDED: Final[tuple[type[SQLModel], ...]] = (TransferRow, LoginLinkRow, TicketRow)
"""Tables of codes and links that end: whoever has one was to get what was in the session before."""


LIVE: Final = 500
"""So many moved generations are told to the open streams of the account. Of more, those streams begin anew."""


class Merge(NamedTuple):
    """Two sessions of one person that become one."""

    source: str
    """The id of the session that ends."""
    target: str
    """The id of the session that stays."""
    made: Mapping[str, Snapshot]
    """What the source has, read before the transaction."""


def merge_sessions(unit: UnitOfWork, merge: Merge, now: float, concurrency: Mapping[str, int]) -> set[str]:
    """Move all that `source` has to `target`, and delete `source`.

    The tokens of both go on to work. Each moved generation gets an event with a new id, above all that either session
    knows. A write that still names `source` comes to `target`, see `current_session`, or is refused.

    Args:
        unit: the transaction.
        merge: which sessions.
        now: seconds since the epoch.
        concurrency: how many generations of each engine render at once, by its id.

    Returns:
        the sessions whose open streams must begin anew.
    """
    source, target = merge.source, merge.target
    unit.flush()
    moved_ids = list(unit.connection.scalars(select(col(GenerationRow.id)).where(_of(GenerationRow, source))))
    last = last_event_id(unit.connection)
    _settle_collisions(unit, source, target)
    for table in ENDED:
        unit.connection.execute(delete(table).where(_of(table, source)))
    for table in MOVED:
        values: dict[str, object] = {"session_id": target}
        if table is DeviceRow:
            values["since_event"] = last
        unit.connection.execute(update(table).where(_of(table, source)).values(**values))
    _join_queues(unit, source, target)
    unit.connection.execute(update(MergeRow).where(col(MergeRow.into_id) == source).values(into_id=target))
    unit.connection.execute(insert(MergeRow).values(id=source, into_id=target))
    _keep_ban(unit, source, target)
    unit.connection.execute(delete(SessionRow).where(col(SessionRow.id) == source))
    if "session" in unit.__dict__:
        unit.session.expire_all()
    update_queue_positions(unit, now, concurrency)
    append_snapshots(unit, moved_ids, merge.made, live=len(moved_ids) <= LIVE)
    return _start_streams_anew(unit, merge, len(moved_ids))


def _start_streams_anew(unit: UnitOfWork, merge: Merge, moved: int) -> set[str]:
    if moved <= LIVE:
        return {merge.source}
    known = update(DeviceRow).where(_of(DeviceRow, merge.target)).values(since_event=last_event_id(unit.connection))
    unit.connection.execute(known)
    return {merge.source, merge.target}


def _of(table: type[SQLModel], session_id: str) -> Any:
    return table.__table__.c.session_id == session_id  # type: ignore[attr-defined]


def _settle_collisions(unit: UnitOfWork, source: str, target: str) -> None:
    """Give up what both sessions have under one name, where it may be there once only: the target's stays."""
    keys = select(col(ProjectRow.idempotency_key)).where(col(ProjectRow.session_id) == target)
    same_key = (col(ProjectRow.session_id) == source, col(ProjectRow.idempotency_key).in_(keys))
    unit.connection.execute(update(ProjectRow).where(*same_key).values(idempotency_key=None))
    origins = select(col(OriginRow.origin_id)).where(col(OriginRow.session_id) == target)
    same_origin = (col(OriginRow.session_id) == source, col(OriginRow.origin_id).in_(origins))
    unit.connection.execute(delete(OriginRow).where(*same_origin))


def _keep_ban(unit: UnitOfWork, source: str, target: str) -> None:
    """A sign-in does not lift a ban."""
    of_source, of_target = ((col(BanRow.kind) == "session", col(BanRow.target) == one) for one in (source, target))
    if unit.connection.scalar(select(col(BanRow.target)).where(*of_source)) is not None:
        unit.connection.execute(delete(BanRow).where(*of_target))
        unit.connection.execute(update(BanRow).where(*of_source).values(target=target))


def _join_queues(unit: UnitOfWork, source: str, target: str) -> None:
    """A queue that one of the two has paused stays paused: nothing begins that its owner has stopped."""
    both = (col(SessionRow.id).in_((source, target)),)
    joined = select(
        func.max(case((col(SessionRow.queue_paused), 1), else_=0)),
        func.max(col(SessionRow.last_served_at)),
        func.min(SessionRow.created_at),
    ).where(*both)
    paused, served, created = unit.connection.execute(joined).one()
    values = {"queue_paused": bool(paused), "last_served_at": served, "created_at": created}
    unit.connection.execute(update(SessionRow).where(col(SessionRow.id) == target).values(**values))


def current_session(unit: UnitOfWork, session_id: str) -> str:
    """The session that a request is for: this one, or the one that it was merged into while the request was served."""
    merged = select(col(MergeRow.into_id)).where(col(MergeRow.id) == session_id)
    return unit.connection.scalar(merged) or session_id
