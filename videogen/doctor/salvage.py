"""Every row of a damaged table that can still be read, in the order of its numbers."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from videogen.db.integrity import read_only

NEAR: Final = 2_000
"""So many numbers after a fault are tried one by one: a damaged page holds some ten to a hundred rows."""
FAR: Final = 1 << 62


@contextmanager
def damaged(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that reads what there is, even if the file is shorter than it says, or its list of tables odd."""
    with read_only(path) as connection:
        # Where the schema may be written to, SQLite leaves it to the reader to know what is sound.
        connection.execute("PRAGMA writable_schema = ON")
        yield connection


def columns(connection: sqlite3.Connection, table: str) -> list[str]:
    """The names of a table's columns."""
    return [str(row[1]) for row in connection.execute(f'PRAGMA table_info("{table}")')]


def salvage(connection: sqlite3.Connection, table: str, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows that can be read, and leave out those on damaged pages, or with JSON that is none.

    Args:
        connection: the damaged database, open for reading.
        table: has row numbers (no table of ours is WITHOUT ROWID).
        names: which columns.
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
            last = _behind(connection, scan, last)


def _json_columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [str(row[1]) for row in connection.execute(f'PRAGMA table_info("{table}")') if row[2] == "JSON"]


def _behind(connection: sqlite3.Connection, scan: str, last: int) -> int | None:
    """The largest number known before the next row that can be read; None where there is none.

    A search goes down the tree to one leaf, so that a damaged leaf spoils only the numbers that are on it.
    """

    def reads(number: int) -> bool:
        """Whether a search that begins behind `number` meets a row, not the damage."""
        try:
            return connection.execute(scan, (number,)).fetchone() is not None
        except sqlite3.DatabaseError:
            return False

    for number in range(last + 1, last + NEAR):
        if reads(number):
            return number
    good, bad = last + NEAR, last + NEAR - 1
    while not reads(good):
        bad, good = good, last + (good - last) * 2
        if good > FAR:
            return None
    while good - bad > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if reads(middle) else (good, middle)
    return good
