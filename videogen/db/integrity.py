"""Whether a database file is whole: asked at every start in bounded time, and by the doctor for as long as it takes."""

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
"""How long a start looks at a database. About 250 MB can be read in this time; more is looked at in the background."""
MAX_FAULTS: Final = 20
_STEPS: Final = 2_000
_WAL_HEAD, _FRAME_HEAD = 32, 24
_NONE_OF_OURS: Final = "file is not a database"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found. `faults` are SQLite's own words; `complete` tells whether all of the file was looked at."""

    faults: tuple[str, ...] = ()
    complete: bool = True

    @property
    def is_no_database(self) -> bool:
        """Whether the file is something else altogether."""
        return any(_NONE_OF_OURS in fault for fault in self.faults)


@contextmanager
def read_only(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that changes nothing, not even by closing (which else would move the WAL into the database)."""
    # Without a WAL nobody has it open; and SQLite would make one, which might then belong to the wrong user.
    how = "mode=ro" if wal_of(path).exists() else "immutable=1"
    with closing(sqlite3.connect(f"file:{quote(str(path))}?{how}", uri=True, timeout=10)) as connection:
        yield connection


def check(path: Path, seconds: float | None = None) -> Verdict:
    """Look for damage in a database file that exists.

    Args:
        path: the file.
        seconds: how long at most; None: as long as it takes.
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
    faults = tuple(line for (text,) in rows for line in str(text).splitlines() if line != "ok")
    return Verdict(tuple(fault for fault in faults if not fault.startswith("***")) if faults else ())


def require_sound(path: Path, *, has_files: bool, seconds: float = START_SECONDS) -> bool:
    """Stop a start on a database that is damaged: writing to it would make it worse.

    Args:
        path: the database file; it need not exist.
        has_files: whether there are files of generations, which an empty database would not know.
        seconds: how long to look at most.

    Returns:
        whether all of it was looked at.

    Raises:
        StartError: it is damaged, no database, or was emptied.
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
            f"The database {path} is damaged: {verdict.faults[0]}. Run `videogen doctor` for all that is known, and "
            "`videogen doctor --fix` to save what can be read into a new one (the damaged file is kept); or restore "
            "a backup."
        )
    return verdict.complete


def wal_bytes(path: Path) -> int:
    """The size of the write-ahead log beside a database; 0 where there is none."""
    try:
        return wal_of(path).stat().st_size
    except OSError:
        return 0


def wal_of(path: Path) -> Path:
    """The write-ahead log beside a database."""
    return path.with_name(f"{path.name}-wal")


def is_wal_cut(path: Path) -> bool:
    """Whether the write-ahead log ends within a frame. SQLite leaves out what is not whole.

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
