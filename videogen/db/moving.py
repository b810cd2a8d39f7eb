"""Copies all rows of an SQLite database into one of PostgreSQL, on which nothing starts until the copy is complete.

While it is copied, the revision that the target says it has is `<revision> moving <source> <bucket>`. Every start reads
it, of older releases too. An interrupted copy is made again as a whole, in one transaction.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Table, inspect, text
from sqlmodel import SQLModel

from videogen.core.errors import StartError
from videogen.db import account_tables as account_tables
from videogen.db import tables as tables
from videogen.db.integrity import read_only
from videogen.db.migrate import HEAD, MOVING, postgresql_transaction, require_known, run_migrations, stored_revision
from videogen.db.postgresql import MIGRATION_LOCK

OPTION: Final = "--to"
"""The option of the command line that names the target."""
APPLICATION: Final = "videogen-move"
"""The connections of a move call themselves so: those of an app that uses the target are others."""
_OF_PROCESSES: Final = ("workers",)
"""What is bound to processes that run now: not copied. The permissions to start are no tables of the metadata."""
_MAY_HAVE_ROWS: Final = ("workers", "operator_state", "installation", "tickets", "rate_counts")
"""What an app writes that was only started, or looked at."""
LEAVING_SECONDS: Final = 5.0
"""Time for the connections of a process that has just ended."""
_BATCH_ROWS: Final = 1000


def copied_tables() -> list[Table]:
    """The tables that are copied, each after those that it refers to."""
    return [table for table in SQLModel.metadata.sorted_tables if table.name not in _OF_PROCESSES]


def begin(url: str, source: str, bucket: str, *, has_files: bool) -> None:
    """Bring the target to the schema of this code, and mark it as not complete.

    Args:
        url: the database, which must be empty or what an interrupted run of the same move has left.
        source: 8 characters for the installation that is copied.
        bucket: 8 characters for the bucket.
        has_files: whether the bucket has files: allowed where an interrupted run has put them there.

    Raises:
        StartError: it cannot be used, or has something else in it; nothing was changed.
    """
    with postgresql_transaction(url, OPTION) as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
        current, _, marks = (stored_revision(connection) or "").partition(MOVING)
        require_known(current or None)
        _require_unused(connection)
        if marks and not marks.startswith(source):
            raise StartError(
                "The database of --to has the incomplete copy of another installation. Complete that one, or name an "
                "empty database."
            )
        if not marks:
            _require_empty(connection)
        if has_files and marks != f"{source} {bucket}":
            raise StartError(
                "The bucket of --storage has files already, which no interrupted run of this move has put there. "
                "Name an empty place, such as s3://bucket/another-prefix."
            )
        if marks:
            _set_revision(connection, current)
        if current != HEAD:
            run_migrations(connection)
        _set_revision(connection, f"{HEAD}{MOVING}{source} {bucket}")


def complete(url: str) -> None:
    """From here on, apps start on it. Raises StartError: the server cannot be reached."""
    with postgresql_transaction(url, OPTION) as connection:
        _set_revision(connection, HEAD)


def _set_revision(connection: Connection, revision: str) -> None:
    connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


def _require_unused(connection: Connection) -> None:
    others = "datname = current_database() AND application_name = 'videogen' AND pid <> pg_backend_pid()"
    deadline = time.monotonic() + LEAVING_SECONDS
    while connection.exec_driver_sql(f"SELECT count(*) FROM pg_stat_activity WHERE {others}").scalar():  # noqa: S608
        if time.monotonic() > deadline:
            raise StartError("Another videogen uses the database of --to. Stop it, or name an empty database.")
        time.sleep(0.1)
        connection.exec_driver_sql("SELECT pg_stat_clear_snapshot()")


def _require_empty(connection: Connection) -> None:
    there = set(inspect(connection).get_table_names()) - set(_MAY_HAVE_ROWS)
    for table in SQLModel.metadata.sorted_tables:
        query = f"SELECT EXISTS (SELECT FROM {table.name})"  # noqa: S608 - our names
        if table.name in there and connection.exec_driver_sql(query).scalar():
            raise StartError(
                f"The database of --to has data already (in the table {table.name}). If this installation was moved "
                "there, the move is complete; else name an empty database."
            )


def copy_rows(path: Path, url: str) -> None:
    """Replace all rows of the target by those of the source, in one transaction.

    The next number of each table is above all that the source has ever given.

    Raises:
        StartError: a row cannot be read or written, or the server cannot be reached; the target was not changed.
    """
    try:
        with read_only(path) as source, postgresql_transaction(url, OPTION) as target:
            source.execute("BEGIN")
            connection: psycopg.Connection[Any] = target.connection.driver_connection  # type: ignore[assignment]
            names = ", ".join(table.name for table in copied_tables())
            connection.execute(f"TRUNCATE {names}".encode())
            for table in copied_tables():
                _copy_table(source, connection, table)
    except (sqlite3.Error, psycopg.Error) as problem:
        reason = str(problem).strip().splitlines()[0]
        raise StartError(
            f"The rows could not be copied, and none was: {reason}. Look at the source with `videogen doctor`, and "
            "whether the server of --to runs; then run the command again."
        ) from problem


def _copy_table(source: sqlite3.Connection, target: psycopg.Connection[Any], table: Table) -> None:
    names = [column.name for column in table.columns]
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    found = source.execute(f"SELECT {', '.join(names)} FROM {table.name}")  # noqa: S608 - our names
    copy = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), columns)
    # As text, which PostgreSQL reads as the type of each column. JSON is a text in SQLite.
    with target.cursor() as cursor, cursor.copy(copy) as rows:
        while some := found.fetchmany(_BATCH_ROWS):
            for row in some:
                rows.write_row(row)
    number = table.autoincrement_column
    if number is not None:
        last = _last_number(source, table.name, number.name)
        setval = "SELECT setval(pg_get_serial_sequence(%s, %s), greatest(%s, 1), %s)"
        target.execute(setval, (table.name, number.name, last, last > 0))


def _last_number(source: sqlite3.Connection, table: str, column: str) -> int:
    """The highest number that was ever given."""
    given = source.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
    there = source.execute(f"SELECT max({column}) FROM {table}").fetchone()  # noqa: S608 - our names
    return max((given or (0,))[0] or 0, there[0] or 0)


def count_rows(path: Path) -> dict[str, int]:
    """How many rows each copied table of the source has."""
    with read_only(path) as source:
        return {table.name: source.execute(_count(table)).fetchone()[0] for table in copied_tables()}


def require_rows(url: str, expected: Mapping[str, int]) -> None:
    """Check that each table of the target has as many rows. Raises StartError: one has not."""
    with postgresql_transaction(url, OPTION) as target:
        for name, count in expected.items():
            found = target.exec_driver_sql(_count(SQLModel.metadata.tables[name])).scalar_one()
            if found != count:
                raise StartError(
                    f"The table {name} has {found} rows in the database of --to, and {count} here. Nothing starts "
                    "there yet. Run the command again; if it stays so, look for triggers and rules in that database."
                )


def _count(table: Table) -> str:
    return f"SELECT count(*) FROM {table.name}"  # noqa: S608 - our names
