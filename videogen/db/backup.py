"""A copy of the database while it is in use: complete, checked, and no write of the app waits for it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from videogen.core.errors import StorageError
from videogen.db.integrity import MAX_FAULTS, read_only

_KEYS: Final = {
    "files": "SELECT key FROM files WHERE kind NOT IN ('preview', 'export')",
    "uploads": "SELECT key FROM uploads",
}


def copy_database(path: Path, target: Path) -> None:
    """Copy a database to a new file by SQLite's backup API, as it is at one moment, and check the copy.

    All pages in one step: that is one read transaction, during which writers go on (WAL), and the step runs without
    the interpreter's lock. Small steps would begin again with each write.

    Raises:
        StorageError: it cannot be read, the copy cannot be written, or the copy is damaged.
    """
    try:
        with read_only(path) as source, closing(sqlite3.connect(target)) as copy:
            copy.execute("PRAGMA synchronous=OFF")
            source.backup(copy)
            # The copy is one file: nobody needs a write-ahead log beside it.
            copy.execute("PRAGMA journal_mode=DELETE")
            faults = [str(row[0]) for row in copy.execute(f"PRAGMA integrity_check({MAX_FAULTS})")]
    except sqlite3.Error as problem:
        raise StorageError(f"The database could not be copied: {problem}.") from problem
    if faults != ["ok"]:
        raise StorageError(f"The copy of the database is damaged: {faults[0]}. Run `videogen doctor`.")


def file_keys(path: Path) -> list[str]:
    """The keys of all files that a database names, the newest first; without previews and exports."""
    with read_only(path) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return [
            str(key)
            for table, query in _KEYS.items()
            if table in tables
            for (key,) in connection.execute(f"{query} ORDER BY created_at DESC")
        ]


class ChangeWatch:
    """Notices commits to a database, by whatever connection or process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def version(self) -> int:
        """A number that is another one after each commit. Cheap.

        Raises:
            StorageError: the database cannot be read.
        """
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(self._path, check_same_thread=False)
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.Error as problem:
            raise StorageError(f"The database could not be read: {problem}.") from problem

    def close(self) -> None:
        """Close the connection. Idempotent."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
