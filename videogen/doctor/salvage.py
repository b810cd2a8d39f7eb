"""Reads every row of a damaged table that can still be read, in the order of the row numbers."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from videogen.db.integrity import read_only

NEAR: Final = 2_000
"""After a fault, so many row numbers are tried one by one. A damaged page has about ten to a hundred rows."""
FAR: Final = 1 << 62
"""No row number is larger."""


@contextmanager
def damaged(path: Path) -> Iterator[sqlite3.Connection]:
    """A read-only connection to a damaged file. It works even if the file is too short or its list of tables is odd."""
    with read_only(path) as connection:
        # With a writable schema, SQLite does not refuse a list of tables that has errors.
        connection.execute("PRAGMA writable_schema = ON")
        yield connection


def columns(connection: sqlite3.Connection, table: str) -> list[str]:
    """The names of a table's columns."""
    return [str(row[1]) for row in connection.execute(f'PRAGMA table_info("{table}")')]


def salvage(connection: sqlite3.Connection, table: str, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows that can be read. Rows on damaged pages and rows with invalid JSON are left out.

    Args:
        connection: the damaged database, open for reading.
        table: a table with row numbers (all tables of videogen have them).
        names: the columns to read.
    """
    chosen = ", ".join(f'"{name}"' for name in names)
    json = [f'json_valid("{name}")' for name in _json_columns(connection, table) if name in names]
    valid = " AND ".join(f"coalesce({test}, 1)" for test in json) or "1"
    scan = f'SELECT rowid, {valid}, {chosen} FROM "{table}" WHERE rowid > ? ORDER BY rowid'  # noqa: S608 - our names
    last: int | None = -1
    while last is not None:
        try:
            for number, is_valid, *row in connection.execute(scan, (last,)):
                last = number
                if is_valid:
                    yield tuple(row)
            return
        except sqlite3.DatabaseError:
            last = _next_readable(connection, scan, last)


def _json_columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [str(row[1]) for row in connection.execute(f'PRAGMA table_info("{table}")') if row[2] == "JSON"]


def _next_readable(connection: sqlite3.Connection, scan: str, last: int) -> int | None:
    """A row number after which the scan can go on; None if no more rows can be read.

    A search reads one path of the tree down to a leaf, so a damaged leaf affects only the row numbers on it.
    """

    def is_readable(number: int) -> bool:
        """Whether a search after `number` finds a row instead of the damage."""
        try:
            return connection.execute(scan, (number,)).fetchone() is not None
        except sqlite3.DatabaseError:
            return False

    for number in range(last + 1, last + NEAR):
        if is_readable(number):
            return number
    good, bad = last + NEAR, last + NEAR - 1
    while not is_readable(good):
        bad, good = good, last + (good - last) * 2
        if good > FAR:
            return None
    while good - bad > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if is_readable(middle) else (good, middle)
    return good
