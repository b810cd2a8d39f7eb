"""Queries of the trash: deletions that can be undone for a time, and final removal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, update
from sqlmodel import col, delete, select

from videogen.db.database import UnitOfWork
from videogen.db.tables import EventRow, FileRow, GenerationRow, ProjectRow
from videogen.schemas.status import TERMINAL
from videogen.store.base import BaseStore, visible
from videogen.store.removals import note_removals


@dataclass(frozen=True, slots=True)
class InTrash:
    """The outcome of `TrashStore.trash`; an id that is in neither field is not the session's."""

    until: dict[str, float]
    """What is in the trash, and until when each can be restored (seconds since the epoch)."""
    active: frozenset[str]
    """What is queued or running, and therefore was not put into the trash."""


class TrashStore(BaseStore):
    """Deletions that can be undone. Each query of an owner checks ownership."""

    def trash(self, session_id: str, ids: Sequence[str], until: float) -> InTrash:
        """Put those of these generations that have ended into the trash; one that is there keeps its time."""
        mine = (col(GenerationRow.session_id) == session_id, col(GenerationRow.id).in_(ids))
        ended = col(GenerationRow.status).in_(TERMINAL)
        put = update(GenerationRow).where(*mine, ended, visible()).values(trashed_until=until)
        query = select(GenerationRow.id, GenerationRow.trashed_until).where(*mine)
        with self.database.write() as unit:
            unit.connection.execute(put)
            rows = unit.connection.execute(query).all()
        now = self.clock()
        there = {row.id: row.trashed_until for row in rows if row.trashed_until is not None and row.trashed_until > now}
        return InTrash(there, frozenset(row.id for row in rows if row.trashed_until is None))

    def list_trash(self, session_id: str, before: int | None, limit: int) -> tuple[list[GenerationRow], int | None]:
        """What can still be restored, newest first, and the `before` of the next page; None after the last page.

        Args:
            session_id: the owner.
            before: only generations with a lower sequence number; None for the first page.
            limit: how many at most.
        """
        query = select(GenerationRow).where(
            GenerationRow.session_id == session_id, col(GenerationRow.trashed_until) > self.clock()
        )
        if before is not None:
            query = query.where(col(GenerationRow.seq) < before)
        with self.database.read() as session:
            rows = list(session.exec(query.order_by(col(GenerationRow.seq).desc()).limit(limit + 1)))
        more = len(rows) > limit
        return rows[:limit], rows[limit - 1].seq if more else None

    def restore(self, session_id: str, ids: Sequence[str]) -> frozenset[str]:
        """Take these generations out of the trash; return which of them are in the history now."""
        mine = (col(GenerationRow.session_id) == session_id, col(GenerationRow.id).in_(ids))
        in_time = col(GenerationRow.trashed_until) > self.clock()
        with self.database.write() as unit:
            unit.connection.execute(update(GenerationRow).where(*mine, in_time).values(trashed_until=None))
            return frozenset(unit.connection.scalars(select(GenerationRow.id).where(*mine, visible())))

    def next_removal(self) -> float | None:
        """When the next removal is due, in seconds since the epoch; None where the trash is empty."""
        with self.database.read() as session:
            due = select(func.min(GenerationRow.trashed_until)).where(~visible())
            return session.exec(due).one()

    def due_for_removal(self, limit: int = 100) -> list[str]:
        """Ids of generations whose time in the trash is over, the longest overdue first."""
        query = (
            select(GenerationRow.id)
            .where(col(GenerationRow.trashed_until) <= self.clock())
            .order_by(col(GenerationRow.trashed_until))
            .limit(limit)
        )
        with self.database.read() as session:
            return list(session.exec(query))

    def remove_trashed(self, generation_id: str) -> list[str]:
        """Remove a generation whose time in the trash is over; return its id, nothing where it was restored."""
        query = select(GenerationRow).where(
            GenerationRow.id == generation_id, col(GenerationRow.trashed_until) <= self.clock()
        )
        with self.database.write() as unit:
            rows = unit.session.exec(query).all()
            for row in rows:
                remove(unit, row, self.clock())
        return [row.id for row in rows]


def remove(unit: UnitOfWork, row: GenerationRow, now: float) -> None:
    """Delete a generation with its events and the rows of its files, and its project with the last generation.

    Its files are to be removed afterwards: see `store.removals`.
    """
    note_removals(unit, [row.id], now)
    for table in (EventRow, FileRow):
        unit.session.exec(delete(table).where(col(table.generation_id) == row.id))
    unit.session.delete(row)
    unit.session.flush()
    remaining = select(GenerationRow.id).where(GenerationRow.project_id == row.project_id)
    if unit.session.exec(remaining).first() is None:
        unit.session.exec(delete(ProjectRow).where(col(ProjectRow.id) == row.project_id))
