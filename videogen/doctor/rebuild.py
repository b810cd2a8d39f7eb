"""Builds a new database from the readable rows of a damaged one. The damaged file is kept."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from videogen.core.atomic_files import sync
from videogen.core.errors import StorageError
from videogen.db.integrity import check, read_only, wal_of
from videogen.db.migrate import REVISIONS, migrate
from videogen.db.sqlite import storage_fault
from videogen.doctor.relink import relink
from videogen.storage import Storage

_FIRST: Final = ("alembic_version", "sessions", "devices", "projects", "uploads", "generations", "events", "files")
"""Tables in the order of their references; other tables come after these."""
_NEEDED: Final = frozenset({"sessions", "projects", "generations", "events", "files"})
_NEAR: Final = 2_000
"""After a fault, so many row numbers are tried one by one. A damaged page has about ten to a hundred rows."""
_FAR: Final = 1 << 62
"""No row number is larger."""


def rebuild(path: Path, storage: Storage | None) -> str:
    """Replace a damaged database by a new one.

    Args:
        path: the damaged database; it is kept as `<name>.damaged-<time>`, with its write-ahead log.
        storage: lost rows of files are made again from its files; None: they are not.

    Returns:
        what was copied, restored and left out, in one sentence.

    Raises:
        StorageError: nothing can be read, or the disk is full; the damaged database is unchanged.
    """
    new = path.with_name(f"{path.name}.rebuilt")
    _delete(new)
    try:
        with _damaged(path) as old:
            copied = _copy(old, new)
            restored = relink(new, old, storage)
        verdict = check(new)
        if verdict.faults:
            raise StorageError(f"The rebuilt database is damaged: {verdict.faults[0]}. Restore a backup.")
        sync(new)
    except BaseException as problem:
        _delete(new)
        if isinstance(problem, sqlite3.Error):
            raise storage_fault(problem) from problem
        raise
    kept = _set_aside(path)
    new.replace(path)
    sync(path.parent)
    return _summary(path, kept, copied, restored)


@contextmanager
def _damaged(path: Path) -> Iterator[sqlite3.Connection]:
    """A read-only connection to a damaged file. It works even if the file is too short or its list of tables is odd."""
    with read_only(path) as connection:
        # With a writable schema, SQLite does not refuse a list of tables that has errors.
        connection.execute("PRAGMA writable_schema = ON")
        yield connection


def _copy(old: sqlite3.Connection, new: Path) -> Counter[str]:
    """Copy every readable row into a new database; return the number of rows of each table."""
    names = _tables(old)
    if not names >= _NEEDED:
        raise StorageError("The list of tables cannot be read, so no row can be copied. Restore a backup.")
    migrate(f"sqlite:///{new}", _revision(old))
    copied: Counter[str] = Counter()
    with closing(sqlite3.connect(new, isolation_level=None)) as target:
        for table in sorted(names & _tables(target) - {"alembic_version", "sqlite_sequence"}, key=_order):
            copied[table] = _copy_table(old, target, table)
        _keep_sequences(old, target)
    return copied


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {str(name) for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _revision(old: sqlite3.Connection) -> str:
    """The revision of the damaged database; the newest revision if it cannot be read."""
    try:
        row = old.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError:
        row = None
    return str(row[0]) if row and str(row[0]) in REVISIONS else REVISIONS[-1]


def _order(table: str) -> int:
    return _FIRST.index(table) if table in _FIRST else len(_FIRST)


def _copy_table(old: sqlite3.Connection, target: sqlite3.Connection, table: str) -> int:
    shared = [name for name in _columns(target, table) if name in _columns(old, table)]
    names = ", ".join(f'"{name}"' for name in shared)
    marks = ", ".join("?" for _ in shared)
    statement = f'INSERT OR IGNORE INTO "{table}" ({names}) VALUES ({marks})'  # noqa: S608 - no user input
    target.execute("BEGIN")
    before = target.total_changes
    for row in salvage(old, table, shared):
        target.execute(statement, row)
    number = target.total_changes - before
    target.execute("COMMIT")
    return number


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
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

    for number in range(last + 1, last + _NEAR):
        if is_readable(number):
            return number
    good, bad = last + _NEAR, last + _NEAR - 1
    while not is_readable(good):
        bad, good = good, last + (good - last) * 2
        if good > _FAR:
            return None
    while good - bad > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if is_readable(middle) else (good, middle)
    return good


def _keep_sequences(old: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Make sure that the new database does not use the numbers of lost rows again."""
    try:
        numbers = dict(old.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
    except sqlite3.DatabaseError:
        numbers = {}
    for table, column in (("events", "id"), ("generations", "seq")):
        (newest,) = target.execute(f'SELECT coalesce(max("{column}"), 0) FROM "{table}"').fetchone()  # noqa: S608
        number = max(int(newest), int(numbers.get(table) or newest + _GAP))
        target.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
        target.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, number))


_GAP: Final = 1_000_000
"""Numbers that are skipped if the last used number is lost."""


def _set_aside(path: Path) -> Path:
    """Give the damaged file a second name. It keeps its first name until the new file replaces it."""
    stem = f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}"
    names = (stem if number == 1 else f"{stem}+{number}" for number in range(1, 1000))
    kept = next(other for name in names if not (other := path.with_name(name)).exists())
    try:
        kept.hardlink_to(path)
    except OSError:  # this file system has no hard links
        shutil.copy2(path, kept)
    if wal_of(path).exists():
        wal_of(path).replace(wal_of(kept))
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    return kept


def _delete(new: Path) -> None:
    for path in (new, wal_of(new), new.with_name(f"{new.name}-shm"), new.with_name(f"{new.name}-journal")):
        path.unlink(missing_ok=True)


def _summary(path: Path, kept: Path, copied: Counter[str], restored: list[str]) -> str:
    rows = ", ".join(f"{number} {table}" for table, number in sorted(copied.items()) if number)
    text = f"{path.name} is rebuilt with {rows or 'no rows'}; the damaged file is kept as {kept.name}"
    return "; ".join([text, *restored])
