"""Builds a new database from the readable rows of a damaged one. The damaged file is kept."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Final

from videogen.core.atomic_files import sync
from videogen.core.errors import StorageError
from videogen.db.database import storage_fault
from videogen.db.integrity import check, wal_of
from videogen.db.migrate import REVISIONS, migrate
from videogen.doctor import relink
from videogen.doctor.salvage import columns, damaged, salvage
from videogen.storage import Storage

_FIRST: Final = ("alembic_version", "sessions", "projects", "uploads", "generations", "events", "files")
"""Tables in the order of their references; other tables come after these."""
_NEEDED: Final = frozenset({"sessions", "projects", "generations", "events", "files"})


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
        copied = _copy(path, new)
        restored = relink.relink(new, path, storage)
        verdict = check(new)
        if verdict.faults:
            raise StorageError(f"The rebuilt database is damaged: {verdict.faults[0]}. Restore a backup.")
        sync(new)
    except sqlite3.Error as problem:
        _delete(new)
        raise storage_fault(problem) from problem
    except BaseException:
        _delete(new)
        raise
    kept = _set_aside(path)
    new.replace(path)
    sync(path.parent)
    return _summary(path, kept, copied, restored)


def _copy(path: Path, new: Path) -> Counter[str]:
    """Copy every readable row into a new database; return the number of rows of each table."""
    with damaged(path) as old:
        names = [str(name) for (name,) in old.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        if not set(names) >= _NEEDED:
            raise StorageError("The list of tables cannot be read, so no row can be copied. Restore a backup.")
        revision = _revision(old)
        migrate(f"sqlite:///{new}", revision)
        copied: Counter[str] = Counter()
        with closing(sqlite3.connect(new, isolation_level=None)) as target:
            known = {str(name) for (name,) in target.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            for table in sorted(set(names) & known - {"alembic_version", "sqlite_sequence"}, key=_order):
                copied[table] = _copy_table(old, target, table)
            _keep_sequences(old, target)
    return copied


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
    shared = [name for name in columns(target, table) if name in columns(old, table)]
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
