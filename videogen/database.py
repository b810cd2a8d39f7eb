"""One SQLite database: many readers, one writer at a time, and word of every commit, in commit order."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, event
from sqlmodel import Session, create_engine

BUSY_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as the database has it. `data` is JSON-able; files are named in it by id, not yet by link."""

    id: int
    session_id: str
    project_id: str
    generation_id: str
    type: str
    data: dict[str, Any]


Listener = Callable[[list[StoredEvent]], None]


@dataclass(slots=True)
class UnitOfWork:
    """One write transaction: an SQLModel session, and the events to tell once it is committed."""

    session: Session
    events: list[StoredEvent] = field(default_factory=list)


def _connect(url: str, begin: str) -> Engine:
    """Build an engine whose transactions open with `begin`."""
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _pragmas(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver must not open transactions by itself
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


class Database:
    """Reads see a snapshot and never wait; writes take turns, and listeners hear of them in that order."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._readers = _connect(url, "BEGIN")
        # IMMEDIATE: a transaction that reads and then writes must hold the lock from the start, or it fails half-way.
        self._writer = _connect(url, "BEGIN IMMEDIATE")
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Call `listener` with the events of every commit, in commit order. It must be quick and must not write."""
        self._listeners.append(listener)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading; its rows stay usable afterwards."""
        with Session(self._readers, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[UnitOfWork]:
        """A write transaction: committed when the block ends, undone when it raises.

        Events added to the unit are told to the listeners after the commit, and before the next write begins,
        so that nobody hears of an event that is not in the database, or hears two in the wrong order.
        """
        with self._lock:
            with Session(self._writer, expire_on_commit=False, autoflush=False) as session:
                unit = UnitOfWork(session)
                yield unit
                session.commit()
            if unit.events:
                for listener in self._listeners:
                    listener(unit.events)

    def close(self) -> None:
        """Close every connection. Idempotent."""
        self._readers.dispose()
        self._writer.dispose()
