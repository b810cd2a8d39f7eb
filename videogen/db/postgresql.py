"""PostgreSQL: how it is reached, how its write transactions begin, and what its errors mean.

A write transaction begins with an advisory lock that ends with it. An exclusive one excludes all other writes, of every
process, as SQLite does by itself: whatever is read in it holds until its commit. The frequent writes of workers, each
to one generation, share the lock: they run at the same time.
"""

from __future__ import annotations

import select
import time
from itertools import pairwise
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Engine, event, make_url
from sqlalchemy.engine.url import URL
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlmodel import create_engine

from videogen.core.errors import DatabaseAwayError, DatabaseBusyError, StartError, StorageError
from videogen.db import write_turns
from videogen.db.backend import NO_SNAPSHOT
from videogen.db.signals import Subscribers

try:
    import psycopg
    from psycopg.types.string import StrDumperUnknown
except ImportError as problem:
    raise StartError(
        "The database is to be PostgreSQL (VIDEOGEN_DATABASE_URL, or --to), and the driver for it is not installed. "
        "Install it: pip install 'videogen[distributed]'."
    ) from problem

# These need the driver as well.
from videogen.db.postgresql_crash import skip_lost_numbers
from videogen.db.postgresql_signals import PostgreSQLSignals

OLDEST: Final = 15
"""The oldest version of the server that is tested."""
WRITE_LOCK: Final = "8651, 0"
"""The advisory lock of write transactions."""
MIGRATION_LOCK: Final = "8651, 1"
"""The advisory lock of migrations."""
EVENT_LOCK: Final = 8652
"""With a hash of the session's id: the advisory lock of whoever appends events to a session."""
IDLE_SECONDS: Final = 5
"""A transaction whose process is silent for so long is ended by the server, so that others do not wait for a process
that is frozen or cut off."""
_NETWORK: Final[dict[str, Any]] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "application_name": "videogen",
    "options": f"-c idle_in_transaction_session_timeout={IDLE_SECONDS}s -c jit=off",
}
_ROUND_TRIPS: Final = 5
_BUSY: Final = {"55P03", "57014", "40001", "40P01"}
_AWAY: Final = ("08", "57P", "25P03", "25P04", "53300")
_ADVICE: Final = {
    "53100": "The disk of the database server is full. Free some space there; nothing needs a restart here.",
    "25006": "It takes no writes: it is a standby, or set read-only. Correct VIDEOGEN_DATABASE_URL, or the server.",
    "42501": "Give the user of VIDEOGEN_DATABASE_URL the right to it.",
}


class _TextDumper(StrDumperUnknown):
    """PostgreSQL's text has no NUL. SQLite's has; so a request with one finds nothing in either."""

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\0", "\ufffd") if "\0" in obj else obj)


class PostgreSQL:
    """A server that many processes use. Its contract is `db.backend.Backend`."""

    # What has an OFFSET stands by itself: it is there before what is selected from it, such as the id of the event.
    event_lock = (
        f"(SELECT pg_advisory_xact_lock({EVENT_LOCK}, hashtext(CAST(:session_id AS varchar))) OFFSET 0) AS locked"
    )

    def __init__(self, url: str, pool_size: int) -> None:
        """`pool_size`: how many connections this process opens at most, one of them for writes."""
        self._url, self._pool_size = driver_url(url), pool_size

    def readers(self) -> Engine:
        engine = connect(self._url, self._pool_size - 1)
        event.listen(engine, "connect", _skip_lost_numbers)
        event.listen(engine, "connect", _begin_by_statement)
        event.listen(engine, "begin", _begin_read)
        return engine

    def writer(self) -> Engine:
        engine = connect(self._url, 1)
        event.listen(engine, "connect", _skip_lost_numbers)
        event.listen(engine, "connect", _begin_by_statement)
        return engine

    def signals(self, subscribers: Subscribers) -> PostgreSQLSignals:
        return PostgreSQLSignals(self._url, _network(self._url), subscribers)

    def begin_write(
        self, connection: Connection, turns: write_turns.WriteTurns, *, exclusive: bool, durable: bool
    ) -> None:
        wait = max(turns.milliseconds_left(), 1)
        lock = "pg_advisory_xact_lock" if exclusive else "pg_advisory_xact_lock_shared"
        commit = "" if durable else "SET LOCAL synchronous_commit = off; "
        # Several statements in one message. What is read after them is read after the commit of whoever had the lock.
        connection.exec_driver_sql(f"BEGIN; {commit}SET LOCAL lock_timeout = {wait}; SELECT {lock}({WRITE_LOCK})")
        # Nobody holds the server for long, as a program may hold a file: who comes next waits again.
        turns.note(held=False)

    def fault(self, problem: Exception) -> StorageError | None:
        if isinstance(problem, PoolTimeoutError):
            return DatabaseBusyError("All connections to the database are in use. Try again soon.")
        if isinstance(problem, IntegrityError | DataError | NotSupportedError) or not isinstance(problem, DBAPIError):
            return None
        state = getattr(problem.orig, "sqlstate", None)
        if state in _BUSY:
            return DatabaseBusyError("Other writes to the database take too long. Nothing was changed: try again soon.")
        if state in _ADVICE:
            return StorageError(f"The database could not be used: {_first_line(problem)}. {_ADVICE[state]}")
        if isinstance(problem, ProgrammingError):
            return None
        # Without a statement: it refused the connection, for whatever reason.
        if state is None or state.startswith(_AWAY) or problem.connection_invalidated or problem.statement is None:
            return DatabaseAwayError()
        return StorageError(f"The database could not be used: {_first_line(problem)}.")

    def size_bytes(self, connection: Connection) -> dict[str, int]:
        size = connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one()
        return {"database": int(size)}


def driver_url(url: str) -> URL:
    """The URL with the name of the driver, as SQLAlchemy wants it."""
    return make_url(url).set(drivername="postgresql+psycopg")


def connect(url: URL, pool_size: int) -> Engine:
    """An engine with at most so many connections. What the URL sets by itself stays as it is."""
    engine = create_engine(
        url,
        connect_args=_network(url),
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=write_turns.PATIENCE_SECONDS,
        # A server that was restarted has closed all of them.
        pool_pre_ping=True,
    )
    engine.dialect.do_ping = _is_open  # type: ignore[assignment, method-assign]
    event.listen(engine, "connect", _adapt_text)
    return engine


def _network(url: URL) -> dict[str, Any]:
    """How connections are made, but for what the URL sets by itself."""
    return {name: value for name, value in _NETWORK.items() if name not in url.query}


def _is_open(connection: Any) -> bool:
    """Whether a connection that waited in the pool still stands, without a message to the server.

    Nothing is sent to it while it waits. So what can be read is the end that the server, or the network, has given it.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return not poll.poll(0)


def _begin_by_statement(connection: psycopg.Connection[Any], _record: object) -> None:
    # The driver's own BEGIN is a message by itself; see `begin_write`.
    connection.autocommit = True


def _adapt_text(connection: psycopg.Connection[Any], _record: object) -> None:
    connection.adapters.register_dumper(str, _TextDumper)


def _skip_lost_numbers(connection: psycopg.Connection[Any], _record: object) -> None:
    skip_lost_numbers(connection, WRITE_LOCK)


def _begin_read(connection: Connection) -> None:
    if not connection.get_execution_options().get(NO_SNAPSHOT):
        connection.exec_driver_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")


def _first_line(problem: DBAPIError) -> str:
    return str(problem.orig).strip().splitlines()[0].rstrip(".")


def require_server(connection: Connection) -> None:
    """Check the version of the server. Raises StartError: it is too old."""
    version = int((connection.dialect.server_version_info or (0,))[0])
    if version < OLDEST:
        raise StartError(
            f"The database server of VIDEOGEN_DATABASE_URL is PostgreSQL {version}; videogen needs {OLDEST} or newer."
        )


def measure(url: str) -> tuple[str, float]:
    """The version of a server, and the shortest of a few round trips to it, in seconds.

    Raises:
        StartError: it cannot be reached.
    """
    engine = connect(driver_url(url), 1)
    try:
        with engine.connect() as connection:
            times = [time.perf_counter()]
            for _ in range(_ROUND_TRIPS):
                connection.exec_driver_sql("SELECT 1")
                times.append(time.perf_counter())
            version = ".".join(map(str, connection.dialect.server_version_info or ()))
    except DBAPIError as problem:
        raise cannot_be_used(url, problem) from problem
    finally:
        engine.dispose()
    return version, min(after - before for before, after in pairwise(times))


def cannot_be_used(url: str, problem: Exception, setting: str = "VIDEOGEN_DATABASE_URL") -> StartError:
    """The error for a server that cannot be reached, or that refuses the database of a setting."""
    where = make_url(url)
    reason = _first_line(problem) if isinstance(problem, OperationalError | DBAPIError) else str(problem)
    name = f"{where.host or 'the local socket'}{f':{where.port}' if where.port else ''}/{where.database or ''}"
    return StartError(
        f"The PostgreSQL database {name} cannot be used: {reason}. Look at {setting}, and whether the server runs."
    )
