"""What every part of the store shares."""

from __future__ import annotations

import time
from collections.abc import Callable

from videogen.database import Database


class BaseStore:
    """Queries over one database, with a clock that a test can set."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self.database = database
        self.clock = clock

    def ping(self) -> None:
        """Prove that the database answers."""
        with self.database.read() as session:
            session.connection().exec_driver_sql("SELECT 1")
