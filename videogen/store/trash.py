"""The trash: deleted by their owner, out of every view, and restored or removed for good in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, update
from sqlmodel import col, delete, select

from videogen.db.database import UnitOfWork
from videogen.db.tables import EventRow, FileRow, GenerationRow, ProjectRow
from videogen.schemas.status import TERMINAL
from videogen.store.base import BaseStore


@dataclass(frozen=True, slots=True)
class InTrash:
    """What became of ids; one that is in neither is not the session's."""

    until: dict[str, float]
    """In the trash, and until when each can be restored (seconds since the epoch)."""
    active: frozenset[str]
    """Queued or running: these cannot be trashed."""


class TrashStore(BaseStore):
    """Deletion that can be taken back. Ownership is part of every statement."""

    def trash(self, session_id: str, ids: Sequence[str], until: float) -> InTrash:
        """Put those that have ended into the trash; one that is there keeps its time."""
        mine = (col(GenerationRow.session_id) == session_id, col(GenerationRow.id).in_(ids))
        ended = col(GenerationRow.status).in_(TERMINAL)
        fresh = update(GenerationRow).where(*mine, ended, in_sight()).values(trashed_until=until)
        found = select(GenerationRow.id, GenerationRow.trashed_until).where(*mine)
        with self.database.write() as unit:
            unit.connection.execute(fresh)
            rows = unit.connection.execute(found).all()
        now = self.clock()
        there = {row.id: row.trashed_until for row in rows if row.trashed_until is not None and row.trashed_until > now}
        return InTrash(there, frozenset(row.id for row in rows if row.trashed_until is None))

    def restore(self, session_id: str, ids: Sequence[str]) -> frozenset[str]:
        """Take these out of the trash, as they were; return which of them are in the history now."""
        mine = (col(GenerationRow.session_id) == session_id, col(GenerationRow.id).in_(ids))
        in_time = col(GenerationRow.trashed_until) > self.clock()
        with self.database.write() as unit:
            unit.connection.execute(update(GenerationRow).where(*mine, in_time).values(trashed_until=None))
            return frozenset(unit.connection.scalars(select(GenerationRow.id).where(*mine, in_sight())))

    def next_removal(self) -> float | None:
        """When the next one of the trash is due, in seconds since the epoch; None where the trash is empty."""
        with self.database.read() as session:
            due = select(func.min(GenerationRow.trashed_until)).where(~in_sight())
            return session.exec(due).one()

    def due_for_removal(self, limit: int = 100) -> list[str]:
        """Generations whose time in the trash is over, those that have waited longest first."""
        query = (
            select(GenerationRow.id)
            .where(col(GenerationRow.trashed_until) <= self.clock())
            .order_by(col(GenerationRow.trashed_until))
            .limit(limit)
        )
        with self.database.read() as session:
            return list(session.exec(query))

    def remove_trashed(self, generation_id: str) -> bool:
        """Remove one whose time in the trash is over; False for one that was restored meanwhile, which stays."""
        query = select(GenerationRow).where(
            GenerationRow.id == generation_id, col(GenerationRow.trashed_until) <= self.clock()
        )
        with self.database.write() as unit:
            row = unit.session.exec(query).first()
            if row is not None:
                remove(unit, row)
            return row is not None


def in_sight() -> Any:
    """The condition that a generation is not in the trash."""
    return col(GenerationRow.trashed_until).is_(None)


def remove(unit: UnitOfWork, row: GenerationRow) -> None:
    """Remove a generation with its events and the rows of its files, and its project with the last one."""
    for table in (EventRow, FileRow):
        unit.session.exec(delete(table).where(col(table.generation_id) == row.id))
    unit.session.delete(row)
    unit.session.flush()
    left = select(GenerationRow.id).where(GenerationRow.project_id == row.project_id)
    if unit.session.exec(left).first() is None:
        unit.session.exec(delete(ProjectRow).where(col(ProjectRow.id) == row.project_id))
