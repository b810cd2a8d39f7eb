"""What a restore from a snapshot leaves to do: event numbers that must not come twice, and jobs without a result."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import update
from sqlmodel import col, desc, select

from videogen.db.backend import skip_ids
from videogen.db.database import UnitOfWork
from videogen.db.tables import EventRow, GenerationRow, RestoreRow
from videogen.schemas.generations import Attention
from videogen.schemas.status import NEEDS_ATTENTION, TERMINAL, Status
from videogen.store.base import BaseStore, is_parked
from videogen.store.queue_order import update_queue_positions
from videogen.store.transitions import cancel, transition, update_queued

EVENT_GAP: Final = 1_000_000
"""More event numbers than can have been given out after a snapshot."""
_QUEUED_AGAIN: Final = {"lease_owner": None, "lease_until": 0.0, "stage": "queued", "eta_seconds": None}
_FROM_THE_START: Final = {
    "checkpoint": None,
    "checkpoint_progress": 0.0,
    "checkpoint_step": 0,
    "progress": 0.0,
    "step": 0,
}


class RestoreStore(BaseStore):
    """Reads and writes what is known of restores."""

    def record_restore(self, snapshot_at: float, *, is_complete: bool) -> None:
        """Note that this database is that of a snapshot. Later events get numbers that nobody has seen."""
        with self.database.write() as unit:
            last = skip_ids(unit.connection, str(EventRow.__tablename__), EVENT_GAP)
            unit.session.add(
                RestoreRow(
                    snapshot_at=snapshot_at,
                    restored_at=self.clock(),
                    is_complete=is_complete,
                    events_after=last,
                    events_until=last + EVENT_GAP,
                )
            )

    def last_restore(self) -> RestoreRow | None:
        """The last restore; None where there was none."""
        with self.database.read() as session:
            return session.exec(select(RestoreRow).order_by(desc(RestoreRow.id)).limit(1)).first()

    def settle_restore(self, remote: Collection[str], reason: str) -> int:
        """Decide about each generation without a result, once after a restore; return how many there were.

        One of a local engine is queued from its start: its checkpoint was not kept. One of a service, by the ids
        `remote`, is followed by its stored id; without one it needs attention, as it may have been sent since.

        Args:
            remote: the ids of the engines whose jobs are at a service.
            reason: one sentence for the owners.
        """
        now = self.clock()
        with self.database.write() as unit:
            restores = unit.session.exec(select(RestoreRow).where(col(RestoreRow.is_settled).is_(False))).all()
            if not restores:
                return 0
            is_complete = all(one.is_complete for one in restores)
            rows = unit.session.exec(select(GenerationRow).where(col(GenerationRow.status).not_in(TERMINAL))).all()
            for row in rows:
                is_remote = row.engine in remote or "job" in (row.checkpoint or {})
                may_be_sent = is_remote and not _is_sent(row) and not (is_complete and _is_new(row))
                _settle(unit, row, now, reason, may_be_sent=may_be_sent, is_remote=is_remote)
            unit.connection.execute(update(RestoreRow).values(is_settled=True))
            update_queue_positions(unit, now, self.concurrency)
            return len(rows)


def _is_sent(row: GenerationRow) -> bool:
    """Whether the id of its job at a service is stored."""
    return bool(((row.checkpoint or {}).get("job") or {}).get("sent"))


def _is_new(row: GenerationRow) -> bool:
    """Whether nothing was done for it yet, so that it was not sent."""
    return row.status == Status.QUEUED and row.checkpoint is None


def _settle(
    unit: UnitOfWork, row: GenerationRow, now: float, reason: str, *, may_be_sent: bool, is_remote: bool
) -> None:
    if is_parked(row):
        return
    if row.cancel_requested:
        cancel(unit, row, now, "Cancelled.")
    elif may_be_sent:
        values: dict[str, Any] = _QUEUED_AGAIN | {
            "stage": NEEDS_ATTENTION,
            "message": f"{reason} It is not known whether the service has this job.",
            "attention": Attention().model_dump(mode="json"),
            "queue_position": None,
        }
        if row.status == Status.PROCESSING:
            transition(unit, row.id, Status.QUEUED, now, _QUEUED_AGAIN)
        transition(unit, row.id, Status.PROCESSING, now, values)
    else:
        rest = {} if is_remote else _FROM_THE_START
        values = _QUEUED_AGAIN | rest | {"message": reason}
        if row.status == Status.PROCESSING:
            transition(unit, row.id, Status.QUEUED, now, values)
        else:
            update_queued(unit, row.id, now, values)
