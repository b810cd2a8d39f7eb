"""Integrity checks of the database file: with a time limit at every start, and without one in `videogen doctor`."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from videogen.core.errors import StartError

START_SECONDS: Final = 1.0
"""The time limit at a start, enough for about 250 MB. A larger database is checked again in the background."""
MAX_FAULTS: Final = 20
_STEPS: Final = 2_000
_WAL_HEAD, _FRAME_HEAD = 32, 24
_NONE_OF_OURS: Final = "file is not a database"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a check. `faults` are messages of SQLite; `complete` is False where the time limit ended it."""

    faults: tuple[str, ...] = ()
    complete: bool = True

    @property
    def is_no_database(self) -> bool:
        """Whether the file is not an SQLite database at all."""
        return any(_NONE_OF_OURS in fault for fault in self.faults)


@contextmanager
def read_only(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that changes nothing. (Closing a normal one may move the WAL into the database.)"""
    # Without a WAL nobody has it open. In mode "ro" SQLite would create one, which might belong to the wrong user.
    mode = "mode=ro" if wal_of(path).exists() else "immutable=1"
    with closing(sqlite3.connect(f"file:{quote(str(path))}?{mode}", uri=True, timeout=10)) as connection:
        yield connection


def check(path: Path, seconds: float | None = None) -> Verdict:
    """Check a database file for damage.

    Args:
        path: a file that exists.
        seconds: the time limit; None for no limit.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    try:
        with read_only(path) as connection:
            if deadline is not None:
                connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
            rows = connection.execute(f"PRAGMA quick_check({MAX_FAULTS})").fetchall()
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as problem:
        if getattr(problem, "sqlite_errorname", "") == "SQLITE_INTERRUPT":
            return Verdict(complete=False)
        return Verdict((str(problem),))
    lines = (line for (text,) in rows for line in str(text).splitlines())
    return Verdict(tuple(line for line in lines if line != "ok" and not line.startswith("***")))


def require_sound(path: Path, *, has_files: bool, seconds: float = START_SECONDS) -> bool:
    """Refuse to start on a damaged database, since writing to it would make the damage worse.

    Args:
        path: the database file, which need not exist.
        has_files: whether the storage has files of generations, so that an empty database is a lost one.
        seconds: the time limit of the check.

    Returns:
        whether all of it was checked.

    Raises:
        StartError: it is damaged, not a database, or empty although it should not be.
    """
    if not path.exists():
        return True
    if path.stat().st_size == 0:
        if has_files and wal_bytes(path) == 0:
            raise StartError(
                f"The database {path} is empty (0 bytes), but there are files of generations beside it. "
                "Restore a backup of it; or move it away to start afresh."
            )
        return True
    verdict = check(path, seconds)
    if verdict.is_no_database:
        raise StartError(
            f"The database {path} cannot be used: {verdict.faults[0]}. Restore a backup of it; or move it away to "
            "start afresh."
        )
    if verdict.faults:
        raise StartError(
            f"The database {path} is damaged: {verdict.faults[0]}. Run `videogen doctor` for the details, and "
            "`videogen doctor --fix` to save what can be read into a new one (the damaged file is kept); or restore "
            "a backup."
        )
    return verdict.complete


def wal_bytes(path: Path) -> int:
    """The size of the write-ahead log of a database in bytes; 0 if there is none."""
    try:
        return wal_of(path).stat().st_size
    except OSError:
        return 0


def wal_of(path: Path) -> Path:
    """The path of the write-ahead log of a database."""
    return path.with_name(f"{path.name}-wal")


def is_wal_cut(path: Path) -> bool:
    """Whether the write-ahead log ends within a frame. SQLite ignores an incomplete frame.

    The layout is that of https://www.sqlite.org/fileformat2.html#the_write_ahead_log.
    """
    size = wal_bytes(path)
    if size == 0:
        return False
    with wal_of(path).open("rb") as file:
        head = file.read(_WAL_HEAD)
    if len(head) < _WAL_HEAD:
        return True
    return (size - _WAL_HEAD) % (int.from_bytes(head[8:12]) + _FRAME_HEAD) != 0
