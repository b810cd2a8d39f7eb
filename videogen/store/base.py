"""What all parts of the store share: the database, the clock, and the query that checks ownership."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Float, and_
from sqlmodel import Session, col, func, select

from videogen.core.errors import DatabaseDamagedError, NotFoundError
from videogen.db.backend import is_postgresql
from videogen.db.database import Database, UnitOfWork
from videogen.db.tables import GenerationRow, RestoreRow
from videogen.schemas.status import NEEDS_ATTENTION, Status

Row = TypeVar("Row")


class BaseStore:
    """Queries over one database."""

    def __init__(
        self, database: Database, clock: Callable[[], float] = time.time, concurrency: Mapping[str, int] | None = None
    ) -> None:
        """
        Args:
            database: holds all rows.
            clock: seconds since the epoch.
            concurrency: how many generations of each engine render at once, by its id, for the expected waits.
        """
        self.database = database
        self.clock = clock
        self.concurrency = {} if concurrency is None else concurrency

    def lease_time(self, unit: UnitOfWork) -> float:
        """The time in the clock of leases, which all processes have in common, in seconds since the epoch."""
        if not is_postgresql(self.database.url):
            return self.clock()
        return float(unit.connection.scalar(select(database_clock())) or 0.0)

    def newest_time(self) -> float:
        """When the newest generation was submitted or last changed, in seconds since the epoch; 0 without any."""
        newest = select(GenerationRow.created_at, GenerationRow.updated_at).order_by(col(GenerationRow.seq).desc())
        with self.database.read() as session:
            return max(session.exec(newest.limit(1)).first() or (0.0,))

    def ping(self) -> None:
        """Check that the database answers.

        Raises:
            DatabaseDamagedError: a part of it is damaged, even if other parts still answer.
        """
        if self.database.damage is not None:
            raise DatabaseDamagedError(self.database.damage)
        with self.database.read() as session:
            session.connection().exec_driver_sql("SELECT 1")


def database_clock() -> Any:
    """SQL of PostgreSQL for the time of the database, in seconds since the epoch."""
    return func.date_part("epoch", func.clock_timestamp(), type_=Float)


def visible() -> Any:
    """The SQL condition that a generation is not in the trash."""
    return col(GenerationRow.trashed_until).is_(None)


def has_worker() -> Any:
    """The SQL condition that a worker holds a generation, or held it when the server ended."""
    return and_(col(GenerationRow.status) == Status.PROCESSING, col(GenerationRow.stage) != NEEDS_ATTENTION)


def is_parked(row: GenerationRow) -> bool:
    """Whether a generation waits in the stage `needs_attention` for its owner."""
    return row.status == Status.PROCESSING and row.stage == NEEDS_ATTENTION


def get_owned(session: Session, session_id: str, generation_id: str) -> GenerationRow:
    """Read a generation of this session.

    Raises:
        NotFoundError: there is none, it is another session's, or it is in the trash. All look the same.
    """
    query = select(GenerationRow).where(GenerationRow.id == generation_id, GenerationRow.session_id == session_id)
    return require(session.exec(query.where(visible())).first())


def count_anew(row: GenerationRow, now: float) -> None:
    """Let the retention of a generation count from now: until now it was kept for ever, or somebody keeps it."""
    if row.kept_from is not None:
        row.kept_from = now


def require(row: Row | None) -> Row:
    """Return the row of a query. Raises NotFoundError where there is none."""
    if row is None:
        raise NotFoundError
    return row


def count_generations(session: Session, *conditions: Any) -> int:
    """How many generations meet all conditions."""
    return session.exec(select(func.count()).select_from(GenerationRow).where(*conditions)).one()


def sum_of(column: Any) -> Any:
    """The SQL for the sum of a column of sizes; 0 without rows. PostgreSQL's own sum of them is no integer."""
    return func.coalesce(func.sum(column), 0).cast(BigInteger)


def is_lost(session: Session, event_id: int) -> bool:
    """Whether an event number was given out after a snapshot that the database was restored from since."""
    lost = select(RestoreRow.id).where(RestoreRow.events_after < event_id, col(RestoreRow.events_until) >= event_id)
    return session.exec(lost.limit(1)).first() is not None
