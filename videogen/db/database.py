"""The SQLite database: many readers, one writer at a time, and events that are published in commit order."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

import orjson
from sqlalchemy import Connection, Engine, event, make_url
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlmodel import Session, create_engine

from videogen.core.errors import DatabaseBusyError, DatabaseDamagedError, StorageError
from videogen.db import write_turns
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
CACHE_KB: Final = 500
"""Pages that SQLite keeps for each connection."""


class UnitOfWork:
    """One write transaction, and the events to publish after its commit.

    `connection` is for fast single statements, `session` for rows as objects. What is added to the session is written
    by `flush`, at the latest when the block ends.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.events: list[StoredEvent] = []

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


def _connect(url: str, begin: Callable[[Connection], None]) -> Engine:
    """Build an engine whose transactions are started by `begin`."""
    engine = create_engine(
        url,
        connect_args={"timeout": write_turns.PATIENCE_SECONDS, "check_same_thread": False},
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
    )

    @event.listens_for(engine, "connect")
    def _pragmas(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver must not open transactions by itself
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")
        # Each of some twenty connections would keep up to 2 MB of a file that the system has in memory anyway.
        connection.execute(f"PRAGMA cache_size=-{CACHE_KB}")

    event.listen(engine, "begin", begin)
    return engine


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def storage_fault(problem: sqlite3.Error) -> StorageError:
    """The error for a failure of SQLite: what is wrong, and what to do."""
    name = _name(problem)
    if name.startswith(_BUSY):
        return DatabaseBusyError()
    if name.startswith(_DAMAGED):
        return damaged(str(problem))
    for beginning, advice in _ADVICE.items():
        if name.startswith(beginning):
            return StorageError(f"The database could not be used: {problem}. {advice}")
    return StorageError(
        f"The database could not be used: {problem}. Look at the data folder: its free space, its permissions."
    )


def _name(problem: BaseException | None) -> str:
    """SQLite's name of its error, such as SQLITE_BUSY_RECOVERY."""
    return getattr(problem, "sqlite_errorname", None) or ""


def damaged(what: str) -> DatabaseDamagedError:
    """The error for a damaged database file."""
    return DatabaseDamagedError(
        f"The database is damaged ({what}). Stop the server and run `videogen doctor`: "
        "it names the fault, and with --fix it saves what can be read."
    )


_DAMAGED: Final = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_BUSY: Final = "SQLITE_BUSY"
_ADVICE: Final = {
    "SQLITE_FULL": "The disk is full. Free some space; nothing needs a restart.",
    "SQLITE_READONLY": "Its file or its folder cannot be written. Correct the permissions of the data folder.",
}


class Database:
    """Reads see a snapshot and never wait. Writes run one after the other; listeners are called in that order."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._readers = _connect(url, _begin)
        self._writer = _connect(url, self._begin_write)
        self._turns = write_turns.WriteTurns()
        self._listeners: list[Listener] = []
        self.damage: str | None = None
        """Why the file is known to be damaged; None otherwise. Never reset."""
        self.on_write: Callable[[float, float], None] = lambda _waited, _total: None
        """Called after each write with the seconds that it waited for its turn, and that it took in all."""

    @property
    def path(self) -> Path:
        """The file."""
        return Path(make_url(self.url).database or "")

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """Raise failures of SQLite as `StorageError`, without statements and values."""
        try:
            yield
        except (DatabaseError, sqlite3.DatabaseError) as problem:
            # SQLAlchemy does not wrap the errors of opening a connection.
            error = problem.orig if isinstance(problem, DatabaseError) else problem
            # Other kinds, such as a violated constraint, have nothing to do with the file.
            if not isinstance(error, sqlite3.OperationalError) and type(error) is not sqlite3.DatabaseError:
                raise
            fault = storage_fault(error)
            if isinstance(fault, DatabaseDamagedError):
                self.damage = fault.detail
            raise fault from problem

    def _begin_write(self, connection: Connection) -> None:
        try:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {self._turns.milliseconds_left()}")
            # IMMEDIATE: a transaction that reads and then writes must have the lock from the start, or it may fail.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except OperationalError as problem:
            if _name(problem.orig).startswith(_BUSY):
                self._turns.note(held=True)
            raise
        self._turns.note(held=False)

    def listen(self, listener: Listener) -> None:
        """Call `listener` with the events of every commit, in commit order. It must be quick and must not write."""
        self._listeners.append(listener)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that reads from one snapshot; its rows can be used afterwards.

        Raises:
            StorageError: the file cannot be read.
        """
        with self._translate_errors(), Session(self._readers, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[UnitOfWork]:
        """A write transaction: committed when the block ends, rolled back when it raises.

        The listeners get the events of the unit after the commit and before the next write starts: never an event that
        is not in the database, and never two in the wrong order.

        Raises:
            DatabaseBusyError: others hold the file for too long; nothing was changed.
            StorageError: the file cannot be written (full disk, permissions, damage); nothing was changed.
        """
        asked = time.perf_counter()
        with self._turns.turn():
            begun = time.perf_counter()
            with self._translate_errors(), self._writer.begin() as connection, closing(UnitOfWork(connection)) as unit:
                yield unit
                unit.flush()
            if unit.events:
                for listener in self._listeners:
                    listener(unit.events)
        self.on_write(begun - asked, time.perf_counter() - asked)

    def close(self) -> None:
        """Close every connection. Idempotent."""
        self._readers.dispose()
        self._writer.dispose()
