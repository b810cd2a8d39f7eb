"""How many there are of everything, of all sessions together: for the metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import case, func, select
from sqlmodel import col

from videogen.db.tables import FileRow, GenerationRow, SessionRow, UploadRow
from videogen.schemas.status import NEEDS_ATTENTION, TERMINAL, Status
from videogen.store.base import BaseStore, sum_of
from videogen.store.queue_order import PAUSED

ACTIVE: Final = tuple(status for status in Status if status not in TERMINAL)


@dataclass(frozen=True, slots=True)
class ActiveCount:
    """The generations of one engine in one state: queued, paused, processing or needs_attention."""

    engine: str
    state: str
    count: int
    oldest: float
    """When the oldest of them was submitted, in seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Totals:
    """All that is stored."""

    generations: dict[str, int]
    """By status; those in the trash too."""
    sessions: int
    files: int
    file_bytes: int


class CountStore(BaseStore):
    """Counts rows. No query of an owner."""

    def active_counts(self) -> list[ActiveCount]:
        """What is queued or runs, by engine. An index finds the rows, however many have ended."""
        stage = col(GenerationRow.stage)
        state = case((stage.in_((PAUSED, NEEDS_ATTENTION)), stage), else_=col(GenerationRow.status)).label("state")
        columns = (col(GenerationRow.engine), state, func.count(), func.min(GenerationRow.created_at))
        query = select(*columns).where(col(GenerationRow.status).in_(ACTIVE)).group_by(columns[0], "state")
        with self.database.read() as session:
            return [ActiveCount(*row) for row in session.connection().execute(query)]

    def totals(self) -> Totals:
        """Everything. Indexes have all numbers, but each is read whole: a million rows take a quarter of a second."""
        by_status = select(col(GenerationRow.status), func.count()).group_by(col(GenerationRow.status))
        with self.database.read() as session:
            connection = session.connection()
            generations = {row[0]: row[1] for row in connection.execute(by_status)}
            sessions = connection.scalar(select(func.count()).select_from(SessionRow)) or 0
            sizes = [
                connection.execute(select(func.count(), sum_of(table.size_bytes))).one()
                for table in (FileRow, UploadRow)
            ]
        return Totals(generations, sessions, sum(size[0] for size in sizes), sum(size[1] for size in sizes))
