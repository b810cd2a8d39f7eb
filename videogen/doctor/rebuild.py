"""A damaged database made anew out of what can still be read. The damaged file is kept."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Final

from videogen.core.errors import StorageError
from videogen.db.database import storage_fault
from videogen.db.integrity import check, wal_of
from videogen.db.migrate import REVISIONS, migrate
from videogen.doctor import relink
from videogen.doctor.salvage import columns, damaged, salvage
from videogen.storage import Storage
from videogen.storage.disk import sync

_FIRST: Final = ("alembic_version", "sessions", "projects", "uploads", "generations", "events", "files")
"""Parents before their children; what is not named comes last."""
_NEEDED: Final = frozenset({"sessions", "projects", "generations", "events", "files"})


def rebuild(path: Path, storage: Storage | None) -> str:
    """Put a new database in the place of a damaged one.

    Args:
        path: the damaged one; it ends up beside the new one as `<name>.damaged-<time>`, with its write-ahead log.
        storage: lost rows of files are made again from its files; None: they are not.

    Returns:
        what was saved and what was not, in one sentence.

    Raises:
        StorageError: nothing could be read, or there is no room for the new one; the damaged one is as it was.
    """
    new = path.with_name(f"{path.name}.rebuilt")
    _discard(new)
    try:
        saved = _copy(path, new)
        mended = relink.mend(new, path, storage)
        verdict = check(new)
        if verdict.faults:
            raise StorageError(f"The rebuilt database is not sound: {verdict.faults[0]}. Restore a backup.")
        sync(new)
    except sqlite3.Error as problem:
        _discard(new)
        raise storage_fault(problem) from problem
    except BaseException:
        _discard(new)
        raise
    kept = _set_aside(path)
    new.replace(path)
    sync(path.parent)
    return _told(path, kept, saved, mended)


def _copy(path: Path, new: Path) -> Counter[str]:
    """Fill a new database with every row that can be read; return how many, by table."""
    with damaged(path) as old:
        names = [str(name) for (name,) in old.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        if not set(names) >= _NEEDED:
            raise StorageError("The list of its tables cannot be read, so nothing can be saved. Restore a backup.")
        revision = _revision(old)
        migrate(f"sqlite:///{new}", revision)
        saved: Counter[str] = Counter()
        with closing(sqlite3.connect(new, isolation_level=None)) as target:
            known = {str(name) for (name,) in target.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            for table in sorted(set(names) & known - {"alembic_version", "sqlite_sequence"}, key=_order):
                saved[table] = _fill(old, target, table)
            _keep_numbers(old, target)
    return saved


def _revision(old: sqlite3.Connection) -> str:
    """The revision of the damaged database; the newest where that cannot be read."""
    try:
        row = old.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError:
        row = None
    return str(row[0]) if row and str(row[0]) in REVISIONS else REVISIONS[-1]


def _order(table: str) -> int:
    return _FIRST.index(table) if table in _FIRST else len(_FIRST)


def _fill(old: sqlite3.Connection, target: sqlite3.Connection, table: str) -> int:
    shared = [name for name in columns(target, table) if name in columns(old, table)]
    names = ", ".join(f'"{name}"' for name in shared)
    marks = ", ".join("?" for _ in shared)
    statement = f'INSERT OR IGNORE INTO "{table}" ({names}) VALUES ({marks})'  # noqa: S608 - names of our own tables
    target.execute("BEGIN")
    before = target.total_changes
    for row in salvage(old, table, shared):
        target.execute(statement, row)
    number = target.total_changes - before
    target.execute("COMMIT")
    return number


def _keep_numbers(old: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Numbers that were given away are not given again, even if their rows are lost."""
    try:
        numbers = dict(old.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
    except sqlite3.DatabaseError:
        numbers = {}
    for table, column in (("events", "id"), ("generations", "seq")):
        (newest,) = target.execute(f'SELECT coalesce(max("{column}"), 0) FROM "{table}"').fetchone()  # noqa: S608
        number = max(int(newest), int(numbers.get(table) or newest + _LEAP))
        target.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
        target.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, number))


_LEAP: Final = 1_000_000
"""How far numbers leap where nobody can tell which was the last."""


def _set_aside(path: Path) -> Path:
    """Give the damaged file a second name: it keeps its own until the new one takes it, in one step."""
    stem = f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}"
    kept = next(place for number in range(1, 1000) if not (place := path.with_name(_numbered(stem, number))).exists())
    try:
        kept.hardlink_to(path)
    except OSError:  # not every file system knows second names
        shutil.copy2(path, kept)
    if wal_of(path).exists():
        wal_of(path).replace(wal_of(kept))
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    return kept


def _numbered(stem: str, number: int) -> str:
    return stem if number == 1 else f"{stem}+{number}"


def _discard(new: Path) -> None:
    for place in (new, wal_of(new), new.with_name(f"{new.name}-shm"), new.with_name(f"{new.name}-journal")):
        place.unlink(missing_ok=True)


def _told(path: Path, kept: Path, saved: Counter[str], mended: list[str]) -> str:
    what = ", ".join(f"{number} {table}" for table, number in sorted(saved.items()) if number)
    told = f"{path.name} is rebuilt with {what or 'no rows'}; the damaged one is kept as {kept.name}"
    return "; ".join([told, *mended]) if mended else told
