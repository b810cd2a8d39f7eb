"""Restores rows that a damaged database has lost, from its indexes, other rows and the stored files."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from videogen.doctor.findings import count
from videogen.media.types import CONTENT_TYPES
from videogen.storage import Storage

_KEY: Final = re.compile(r"[^/]+/a(?P<attempt>\d+)-(?P<kind>video|image|poster)\.(?P<suffix>\w+)")


def relink(new: Path, old: sqlite3.Connection, storage: Storage | None) -> list[str]:
    """Restore lost rows, then delete the rows whose references are lost; return what was done, in words.

    Args:
        new: the database to complete.
        old: a connection to the damaged one.
        storage: lost rows of files are made again from its files; None: they are not.

    Raises:
        sqlite3.Error: the new database cannot be written.
    """
    done: list[str] = []
    with closing(sqlite3.connect(new, isolation_level=None)) as target:
        target.execute("PRAGMA foreign_keys = OFF")
        target.execute("BEGIN")
        _note(done, "session", _restore_sessions(target, old), "restored")
        _note(done, "project", target.execute(_PROJECTS).rowcount, "restored")
        if storage is not None:
            number = sum(_link_files(target, storage, row) for row in target.execute(_WITHOUT_FILE_ROWS).fetchall())
            _note(done, "file", number, "linked again")
        _note(done, "row", _delete_orphans(target), "left out, because the rows that they refer to are lost")
        target.execute("COMMIT")
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        target.execute("PRAGMA journal_mode = DELETE")
    return done


def _note(done: list[str], what: str, number: int, how: str) -> None:
    if number:
        done.append(f"{count(number, what)} {how}")


def _restore_sessions(target: sqlite3.Connection, old: sqlite3.Connection) -> int:
    """Restore the sessions that rows refer to; return how many.

    A session whose token is lost keeps its rows, but nobody can open it any more.
    """
    columns = {row[1] for row in target.execute("PRAGMA table_info(sessions)")}
    if "token_hash" in columns:
        return _restore_first_sessions(target, old)
    _restore_devices(target, old)
    return target.execute(_SESSIONS).rowcount


_SESSIONS: Final = """
INSERT OR IGNORE INTO sessions (id, created_at, last_served_at) SELECT session_id, 0, 0 FROM
(SELECT session_id FROM generations UNION SELECT session_id FROM projects UNION SELECT session_id FROM devices)
"""


def _restore_devices(target: sqlite3.Connection, old: sqlite3.Connection) -> None:
    """Restore the devices. Their indexes have the id of the session and the hash of the token."""
    sessions = {
        number: name for name, number in _pairs(old, "SELECT session_id, rowid FROM devices ORDER BY session_id")
    }
    hashes = _pairs(old, "SELECT token_hash, rowid FROM devices ORDER BY token_hash")
    lost = [(sessions[number], token) for token, number in hashes if number in sessions]
    target.executemany(_DEVICE, lost)


_DEVICE: Final = """
INSERT OR IGNORE INTO devices (id, session_id, token_hash, name, created_at, last_seen_at)
VALUES ('dev_' || lower(hex(randomblob(15))), ?, ?, '', 0, 0)
"""


def _restore_first_sessions(target: sqlite3.Connection, old: sqlite3.Connection) -> int:
    """The same for a database before revision 0007, where the indexes of the sessions have their tokens."""
    referenced = {row[0] for row in target.execute(_REFERENCED)}
    ids = dict(_pairs(old, "SELECT id, rowid FROM sessions ORDER BY id"))
    hashes = {
        number: name for name, number in _pairs(old, "SELECT token_hash, rowid FROM sessions ORDER BY token_hash")
    }
    known = {row[0] for row in target.execute("SELECT id FROM sessions")}
    rows = [(name, hashes.get(ids.get(name))) for name in sorted({*referenced, *ids} - known)]
    lost = [(name, token or f"lost {name}") for name, token in rows if token or name in referenced]
    statement = "INSERT OR IGNORE INTO sessions (id, token_hash, created_at, last_served_at) VALUES (?, ?, 0, 0)"
    return target.executemany(statement, lost).rowcount


_REFERENCED: Final = "SELECT session_id FROM generations UNION SELECT session_id FROM projects"


def _pairs(old: sqlite3.Connection, query: str) -> Iterator[tuple[Any, Any]]:
    """Yield the readable entries of an index: from its start, or from its end if the start is damaged."""
    for order in ("", " DESC"):
        try:
            yield from old.execute(query + order)
        except sqlite3.DatabaseError:
            continue
        return


_PROJECTS: Final = """
INSERT OR IGNORE INTO projects (id, session_id, request_id, body_hash, created_at)
SELECT project_id, session_id, min(request_id), '', min(created_at) FROM generations
WHERE project_id NOT IN (SELECT id FROM projects) GROUP BY project_id, session_id
"""


_WITHOUT_FILE_ROWS: Final = """
SELECT id, session_id, file_id, poster_file_id, finished_at FROM generations WHERE status = 'completed'
AND (file_id NOT IN (SELECT id FROM files) OR poster_file_id NOT IN (SELECT id FROM files))
"""


def _link_files(target: sqlite3.Connection, storage: Storage, row: tuple[Any, ...]) -> int:
    """Make the rows of a generation's result and poster from its files, those of its last attempt; return how many."""
    generation_id, session_id, file_id, poster_id, finished_at = row
    before = target.total_changes
    files = [(match, file) for file in storage.list(f"{generation_id}/") if (match := _KEY.fullmatch(file.key))]
    for match, file in sorted(files, key=lambda item: int(item[0]["attempt"]), reverse=True):
        kind, suffix = match["kind"], match["suffix"]
        if suffix not in CONTENT_TYPES:
            continue
        row_id = poster_id if kind == "poster" else file_id
        known = target.execute("SELECT 1 FROM files WHERE id = ?", (row_id,)).fetchone()
        if row_id is None or known:
            continue
        values = (row_id, session_id, generation_id, kind, file.key, CONTENT_TYPES[suffix])
        target.execute(_FILE_ROW, (*values, file.size_bytes, finished_at or 0.0))
    return target.total_changes - before


_FILE_ROW: Final = """
INSERT INTO files (id, session_id, generation_id, kind, key, content_type, size_bytes, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""


def _delete_orphans(target: sqlite3.Connection) -> int:
    """Delete rows whose references are lost, until no reference is broken; return how many.

    A row whose reference may be empty stays, with an empty reference.
    """
    removed = 0
    while broken := target.execute("PRAGMA foreign_key_check").fetchall():
        for table, number, _, key in broken:
            column = _nullable_column(target, table, key)
            statement = f'UPDATE "{table}" SET "{column}" = NULL' if column else f'DELETE FROM "{table}"'  # noqa: S608
            changed = target.execute(f"{statement} WHERE rowid = ?", (number,)).rowcount
            removed += 0 if column else changed
    return removed


def _nullable_column(target: sqlite3.Connection, table: str, key: int) -> str | None:
    """The column of a foreign key if it may be empty, else None."""
    columns = {row[1]: not row[3] for row in target.execute(f'PRAGMA table_info("{table}")')}
    column = next(row[3] for row in target.execute(f'PRAGMA foreign_key_list("{table}")') if row[0] == key)
    return str(column) if columns[column] else None
