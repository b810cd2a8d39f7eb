"""The database: many readers, one writer at a time in this process, and events that are published in commit order."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import Connection, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from videogen.core.errors import DatabaseDamagedError
from videogen.db import write_turns
from videogen.db.backend import backend_of
from videogen.schemas.events import EventRecord, EventType


class Subject(NamedTuple):
    """What the log does not have of an event's generation. Times are in seconds since the epoch."""

    engine: str
    created_at: float
    started_at: float | None
    at: float
    """When the event was appended."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One row of the event log. `id` is the SSE id."""

    id: int
    session_id: str
    project_id: str
    generation_id: str
    type: EventType
    data: EventRecord
    subject: Subject | None = field(default=None, compare=False)
    """None where it was read from the log, and of an imported generation."""


Listener = Callable[[list[StoredEvent]], None]
POOL_SIZE: Final = 10


class UnitOfWork:
    """One write transaction, and the events to publish after its commit.

    `connection` is for fast single statements, `session` for rows as objects. What is added to the session is written
    by `flush`, at the latest when the block ends.
    """

    def __init__(self, connection: Connection, lock_events: Callable[[Connection, str], None] | None = None) -> None:
        """`lock_events`: see `Backend.lock_events`; None where the transaction is exclusive."""
        self.connection = connection
        self.events: list[StoredEvent] = []
        self._lock_events = lock_events

    def lock_events(self, session_id: str) -> None:
        """Append events to this session only after this call: then their ids rise in the order of the commits."""
        if self._lock_events is not None:
            self._lock_events(self.connection, session_id)

    @cached_property
    def session(self) -> Session:
        """An SQLModel session in this transaction, opened at the first use."""
        return Session(self.connection, expire_on_commit=False, autoflush=False)

    def flush(self) -> None:
        """Write the pending changes of the session."""
        if "session" in self.__dict__:
            self.session.flush()

    def close(self) -> None:
        """Close the session. The transaction ends in `Database.write`."""
        if "session" in self.__dict__:
            self.session.close()


class Database:
    """Reads see a snapshot and never wait. Writes run one after the other; listeners are called in that order."""

    def __init__(self, url: str, pool_size: int = POOL_SIZE) -> None:
        """`pool_size`: how many connections to PostgreSQL it opens at most; SQLite has no such limit.

        Raises:
            StartError: the driver for this kind of database is not installed.
        """
        self.url = url
        self._backend = backend_of(url, pool_size)
        self._readers, self._writer = self._backend.readers(), self._backend.writer()
        self._turns = write_turns.WriteTurns()
        self._listeners: list[Listener] = []
        self.damage: str | None = None
        """Why the file is known to be damaged; None otherwise. Never reset."""
        self.on_write: Callable[[float, float], None] = lambda _waited, _total: None
        """Called after each write with the seconds that it waited for its turn, and that it took in all."""

    @property
    def path(self) -> Path:
        """The file of SQLite."""
        return Path(make_url(self.url).database or "")

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """Raise failures of the database as `StorageError`, without statements and values."""
        try:
            yield
        except (SQLAlchemyError, sqlite3.DatabaseError) as problem:
            fault = self._backend.fault(problem)
            if fault is None:
                raise
            if isinstance(fault, DatabaseDamagedError):
                self.damage = fault.detail
            raise fault from problem

    def listen(self, listener: Listener) -> None:
        """Call `listener` with the events of every commit, in commit order. It must be quick and must not write."""
        self._listeners.append(listener)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that reads from one snapshot; its rows can be used afterwards.

        Raises:
            StorageError: it cannot be read.
        """
        with self._translate_errors(), Session(self._readers, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self, *, exclusive: bool = True) -> Iterator[UnitOfWork]:
        """A write transaction: committed when the block ends, rolled back when it raises.

        The listeners get the events of the unit after the commit and before the next write starts: never an event that
        is not in the database, and never two in the wrong order.

        Args:
            exclusive: False where it is right whatever else is written at the same time, such as a change of one row
                under a condition; then other processes need not wait for it. It matters on PostgreSQL alone.

        Raises:
            DatabaseBusyError: others hold the database for too long; nothing was changed.
            DatabaseAwayError: the server cannot be reached.
            StorageError: it cannot be written (full disk, permissions, damage); nothing was changed.
        """
        asked = time.perf_counter()
        with self._turns.turn():
            begun = time.perf_counter()
            with self._translate_errors(), self._writer.begin() as connection:
                self._backend.begin_write(connection, self._turns, exclusive=exclusive)
                with closing(UnitOfWork(connection, None if exclusive else self._backend.lock_events)) as unit:
                    yield unit
                    unit.flush()
            if unit.events:
                for listener in self._listeners:
                    listener(unit.events)
        self.on_write(begun - asked, time.perf_counter() - asked)

    def sizes(self) -> dict[str, int]:
        """How large the parts of the database are, in bytes."""
        with self.read() as session:
            return self._backend.size_bytes(session.connection())

    def close(self) -> None:
        """Close every connection. Idempotent."""
        self._readers.dispose()
        self._writer.dispose()
