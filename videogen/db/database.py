"""The database: many readers, one writer at a time in this process, and events that are published in commit order."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from videogen.core.errors import DatabaseDamagedError
from videogen.db import write_turns
from videogen.db.backend import NO_SNAPSHOT, backend_of
from videogen.db.signals import Listener, Message, StoredEvent, Subscriber, Subscribers

POOL_SIZE: Final = 10


class UnitOfWork:
    """One write transaction, and the events to publish after its commit.

    `connection` is for fast single statements, `session` for rows as objects. What is added to the session is written
    by `flush`, at the latest when the block ends.
    """

    def __init__(self, connection: Connection, event_lock: str = "") -> None:
        """`event_lock`: see `Backend.event_lock`; empty where the transaction is exclusive."""
        self.connection = connection
        self.events: list[StoredEvent] = []
        self.messages: list[Message] = []
        self.event_lock = event_lock

    def notify(self, channel: str, text: str) -> None:
        """Send a text of at most 7,000 bytes to whoever subscribes to the channel, in all processes, at the commit."""
        self.messages.append(Message(channel, text))

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
        self._lookers = self._readers.execution_options(**{NO_SNAPSHOT: True})
        self._turns = write_turns.WriteTurns()
        self._subscribers = Subscribers()
        self._signals = self._backend.signals(self._subscribers)
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
        """Call `listener` with the events of every commit, in commit order. It must be quick and must not write.

        On PostgreSQL these are the commits of all processes, a moment after them.

        Raises:
            DatabaseAwayError: the server cannot be reached.
        """
        self._subscribers.listeners.append(listener)
        self._signals.start()

    def subscribe(self, channel: str, subscriber: Subscriber) -> None:
        """Call `subscriber` with every text that is sent to the channel; it must be as quick as a listener.

        An empty text means that others may have been lost: the connection to the server was broken.

        Raises:
            DatabaseAwayError: the server cannot be reached.
        """
        self._subscribers.channels.setdefault(channel, []).append(subscriber)
        self._signals.start()

    def signal(self, channel: str, text: str) -> None:
        """Send a text by itself; see `UnitOfWork.notify`. Raises StorageError: the server cannot be reached."""
        with self.write(exclusive=False, durable=False) as unit:
            unit.notify(channel, text)

    @contextmanager
    def read(self, *, snapshot: bool = True) -> Iterator[Session]:
        """A session that reads from one snapshot; its rows can be used afterwards.

        Args:
            snapshot: False where each statement may see another moment: then none waits for the begin and the end of a
                transaction. It matters on PostgreSQL alone.

        Raises:
            StorageError: it cannot be read.
        """
        engine = self._readers if snapshot else self._lookers
        with self._translate_errors(), Session(engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self, *, exclusive: bool = True, durable: bool = True) -> Iterator[UnitOfWork]:
        """A write transaction: committed when the block ends, rolled back when it raises.

        The listeners get the events of the unit after the commit, in the order of commits: never an event that is not
        in the database, and never two of a session in the wrong order.

        Args:
            exclusive: False where it is right whatever else is written at the same time, such as a change of one row
                under a condition; then other processes need not wait for it. It matters on PostgreSQL alone.
            durable: False where it does not matter if the last such writes are lost with the power: then it does not
                wait for the disk. It matters on PostgreSQL alone.

        Raises:
            DatabaseBusyError: others hold the database for too long; nothing was changed.
            DatabaseAwayError: the server cannot be reached.
            StorageError: it cannot be written (full disk, permissions, damage); nothing was changed.
        """
        asked = time.perf_counter()
        with self._turns.turn():
            begun = time.perf_counter()
            with self._translate_errors(), self._writer.begin() as connection:
                self._backend.begin_write(connection, self._turns, exclusive=exclusive, durable=durable)
                with closing(UnitOfWork(connection, "" if exclusive else self._backend.event_lock)) as unit:
                    yield unit
                    unit.flush()
                    self._signals.send(connection, unit.events, unit.messages)
            self._signals.committed(unit.events, unit.messages)
        self.on_write(begun - asked, time.perf_counter() - asked)

    def sizes(self) -> dict[str, int]:
        """How large the parts of the database are, in bytes."""
        with self.read() as session:
            return self._backend.size_bytes(session.connection())

    def close(self) -> None:
        """Close every connection. Idempotent."""
        self._signals.close()
        self._readers.dispose()
        self._writer.dispose()
