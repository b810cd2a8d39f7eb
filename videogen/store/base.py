"""What every part of the store shares."""

from __future__ import annotations

import time
from collections.abc import Callable

from videogen.core.errors import DatabaseDamagedError
from videogen.db.database import Database


class BaseStore:
    """Queries over one database, with a clock that a test can set."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time, workers: int | None = None) -> None:
        """
        Args:
            database: all there is.
            clock: seconds since the epoch.
            workers: how many render at once, for what is told of the wait; None where nobody knows.
        """
        self.database = database
        self.clock = clock
        self.workers = workers

    def newest_time(self) -> float:
        """When the newest generation was submitted or last changed, in seconds since the epoch; 0 where none is."""
        newest = "SELECT max(created_at, updated_at) FROM generations ORDER BY seq DESC LIMIT 1"
        with self.database.read() as session:
            return float(session.connection().exec_driver_sql(newest).scalar() or 0.0)

    def ping(self) -> None:
        """Prove that the database answers.

        Raises:
            DatabaseDamagedError: some of it was found to be damaged, even if other parts still answer.
        """
        if self.database.damage is not None:
            raise DatabaseDamagedError(self.database.damage)
        with self.database.read() as session:
            session.connection().exec_driver_sql("SELECT 1")
