"""SQLite: how it is opened, how its write transactions begin, and what its errors mean."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

import orjson
from sqlalchemy import Connection, Engine, event, make_url
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlmodel import create_engine

from videogen.core.errors import DatabaseBusyError, DatabaseDamagedError, StorageError
from videogen.db import write_turns
from videogen.db.signals import LocalSignals, Subscribers

CACHE_KB: Final = 500
"""Pages that SQLite keeps for each connection."""


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


class SQLite:
    """A file: many readers, one writer at a time. Its contract is `db.backend.Backend`."""

    event_lock = ""

    def __init__(self, url: str) -> None:
        self._url = url

    def readers(self) -> Engine:
        engine = self._connect()
        event.listen(engine, "begin", _begin)
        return engine

    def writer(self) -> Engine:
        return self._connect()

    def _connect(self) -> Engine:
        engine = create_engine(
            self._url,
            connect_args={"timeout": write_turns.PATIENCE_SECONDS, "check_same_thread": False},
            json_serializer=lambda value: orjson.dumps(value).decode(),
            json_deserializer=orjson.loads,
        )
        event.listen(engine, "connect", _set_pragmas)
        return engine

    def signals(self, subscribers: Subscribers) -> LocalSignals:
        return LocalSignals(subscribers)

    def begin_write(
        self, connection: Connection, turns: write_turns.WriteTurns, *, exclusive: bool, durable: bool
    ) -> None:
        try:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {turns.milliseconds_left()}")
            # IMMEDIATE: a transaction that reads and then writes must have the lock from the start, or it may fail.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except OperationalError as problem:
            if _name(problem.orig).startswith(_BUSY):
                turns.note(held=True)
            raise
        turns.note(held=False)

    def fault(self, problem: Exception) -> StorageError | None:
        # SQLAlchemy does not wrap the errors of opening a connection.
        error = problem.orig if isinstance(problem, DatabaseError) else problem
        # Other kinds, such as a violated constraint, have nothing to do with the file.
        if not isinstance(error, sqlite3.OperationalError) and type(error) is not sqlite3.DatabaseError:
            return None
        return storage_fault(error)

    def size_bytes(self, _connection: Connection) -> dict[str, int]:
        path = Path(make_url(self._url).database or "")
        files = {"database": path, "wal": path.with_name(f"{path.name}-wal")}
        return {name: file.stat().st_size if file.exists() else 0 for name, file in files.items()}


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _set_pragmas(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver must not open transactions by itself
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")
    # Each of some twenty connections would keep up to 2 MB of a file that the system has in memory anyway.
    connection.execute(f"PRAGMA cache_size=-{CACHE_KB}")
