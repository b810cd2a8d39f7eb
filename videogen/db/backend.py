"""What differs between the databases, behind one interface; and the SQL that has to be written differently for them.

Everything else is one code: the tables, the migrations and the queries of the store.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol

from sqlalchemy import Boolean, Connection, Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from videogen.core.errors import StorageError
from videogen.db.signals import Signals, Subscribers
from videogen.db.sqlite import SQLite
from videogen.db.write_turns import WriteTurns

POSTGRESQL: Final = "postgresql"
NO_SNAPSHOT: Final = "no_snapshot"
"""The option of a reading connection whose statements may each see another moment."""
_MISSING_REFERENCE: Final = ("SQLITE_CONSTRAINT_FOREIGNKEY", "23503")


class Backend(Protocol):
    """One kind of database."""

    def readers(self) -> Engine:
        """Connections whose transactions see the database as it is at one moment; see `NO_SNAPSHOT`."""

    def writer(self) -> Engine:
        """Connections for writes, of which one is used at a time."""

    def signals(self, subscribers: Subscribers) -> Signals:
        """What carries the signals of commits to these subscribers."""

    def begin_write(self, connection: Connection, turns: WriteTurns, *, exclusive: bool, durable: bool) -> None:
        """Begin a write transaction; wait for other processes at most as long as `turns` allows.

        With `exclusive`, nobody else writes until its end. Without it, others that ask for the same may write as well.
        Without `durable`, a crash of the server may lose it, whole.
        """

    event_lock: str
    """SQL of a FROM clause for whoever appends an event to the session `:session_id` in a transaction that is not
    exclusive; empty where there is no such. Until its end nobody else appends to this session, so that the ids of a
    session's events rise in the order of the commits."""

    def fault(self, problem: Exception) -> StorageError | None:
        """The error for a failure of the database itself; None where the statement was at fault."""

    def size_bytes(self, connection: Connection) -> dict[str, int]:
        """How large the parts of the database are."""


def is_postgresql(url: str) -> bool:
    """Whether a URL is one of PostgreSQL."""
    return url.startswith(POSTGRESQL)


def backend_of(url: str, pool_size: int) -> Backend:
    """The backend for a URL. Raises StartError: the package for it is not installed."""
    if is_postgresql(url):
        # Imported here: only an installation with PostgreSQL has the driver.
        from videogen.db.postgresql import PostgreSQL

        return PostgreSQL(url, pool_size)
    return SQLite(url)


def is_missing_reference(problem: IntegrityError) -> bool:
    """Whether a statement failed because a row that it refers to is not there (any more)."""
    name = getattr(problem.orig, "sqlite_errorname", None) or getattr(problem.orig, "sqlstate", None)
    return name in _MISSING_REFERENCE


@contextmanager
def missing_reference(error: type[Exception]) -> Iterator[None]:
    """Raise this error where a row that is referred to is not there (any more)."""
    try:
        yield
    except IntegrityError as problem:
        if not is_missing_reference(problem):
            raise
        raise error from problem


class contains_text(FunctionElement[bool]):
    """The SQL condition that the first text contains the second one. PostgreSQL has an index for it."""

    inherit_cache = True
    type = Boolean()


@compiles(contains_text)
def _instr(element: contains_text, compiler: SQLCompiler, **options: Any) -> str:
    text, part = element.clauses
    return f"instr({compiler.process(text, **options)}, {compiler.process(part, **options)}) > 0"


@compiles(contains_text, POSTGRESQL)
def _like(element: contains_text, compiler: SQLCompiler, **options: Any) -> str:
    text, part = (compiler.process(clause, **options) for clause in element.clauses)
    for special in ("!", "%%", "_"):
        part = f"replace({part}, '{special}', '!{special}')"
    return f"{text} LIKE '%%' || {part} || '%%' ESCAPE '!'"


def last_id(connection: Connection, table: str) -> int:
    """The highest id of a table that was ever given, even if its row was deleted."""
    if connection.dialect.name == POSTGRESQL:
        query = f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {table}_id_seq"  # noqa: S608 - our names
        return int(connection.exec_driver_sql(query).scalar_one())
    last = connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).scalar()
    return int(last or 0)


def next_ids(connection: Connection, table: str, count: int) -> Sequence[int]:
    """Ids for so many new rows of a table, in rising order. The transaction must be exclusive."""
    if connection.dialect.name == POSTGRESQL:
        query = "SELECT nextval(%s::regclass) FROM generate_series(1, %s)"
        return [int(row[0]) for row in connection.exec_driver_sql(query, (f"{table}_id_seq", count))]
    last = last_id(connection, table)
    return range(last + 1, last + 1 + count)


def skip_ids(connection: Connection, table: str, count: int) -> int:
    """Let the next id of a table be so many higher. Returns the last one that was given."""
    last = last_id(connection, table)
    if connection.dialect.name == POSTGRESQL:
        connection.exec_driver_sql("SELECT setval(%s::regclass, %s)", (f"{table}_id_seq", last + count))
        return last
    connection.exec_driver_sql("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
    connection.exec_driver_sql("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, last + count))
    return last
