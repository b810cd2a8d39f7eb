"""The database: whole, of this version, its rows in states that can be."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from videogen.core.config import AppConfig
from videogen.db.database import Database
from videogen.db.integrity import check, is_wal_cut, read_only, wal_bytes
from videogen.db.migrate import HEAD, REVISIONS
from videogen.db.tables import GenerationRow
from videogen.doctor.findings import FIX, Finding, amount, count, fault, ok, warning
from videogen.doctor.rebuild import rebuild
from videogen.storage import DataFolder, DiskStorage
from videogen.store.events import append_event

BIG_WAL: Final = 64_000_000
"""Bytes of a write-ahead log from which on it should be looked at: SQLite folds it back at about 4 MB."""


def soundness(config: AppConfig, path: Path) -> Iterator[Finding]:
    """The file itself. Ends with a fault where nothing inside can be looked at."""
    if not path.exists():
        yield ok("database", f"{path} is not there yet; the first start makes it")
        return
    if path.stat().st_size == 0 and wal_bytes(path) == 0:
        if any((config.data_dir / "files").glob("*")):
            yield fault("database", f"{path} is empty (0 bytes), though there are files", _RESTORE.format(path=path))
        else:
            yield warning("database", f"{path} is empty (0 bytes)", "The next start fills it.")
        return
    verdict = check(path)
    if verdict.is_no_database:
        yield fault("database", f"{path}: {verdict.faults[0]}", _RESTORE.format(path=path))
    elif verdict.faults:
        what = f"{path} is damaged: {verdict.faults[0]}"
        if len(verdict.faults) > 1:
            what += f" (and {count(len(verdict.faults) - 1, 'more fault')})"
        repair = f"{FIX} saves what can be read into a new one and keeps this one; or restore a backup."
        yield fault("database", what, repair, lambda: rebuild(path, DiskStorage(DataFolder(config.data_dir).files)))
    else:
        size = path.stat().st_size
        yield ok("database", f"{path.name}, {amount(size)}, every page is sound")


_RESTORE: Final = "Restore a backup of {path}; or move it away to start afresh."


def write_ahead_log(path: Path) -> Iterator[Finding]:
    """The write-ahead log: not too big, and whole."""
    size = wal_bytes(path)
    if is_wal_cut(path):
        yield warning("write-ahead log", "it ends in the middle of a write, which SQLite leaves out", "None is needed.")
    elif size > BIG_WAL:
        yield warning(
            "write-ahead log",
            f"{amount(size)}: some reader has kept it from being folded back",
            f"{FIX}, while no server runs",
            lambda: _fold_back(path),
        )
    else:
        yield ok("write-ahead log", amount(size) if size else "none, all is in the database")


def _fold_back(path: Path) -> str:
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
    return "the write-ahead log is folded back into the database"


def schema(path: Path) -> Iterator[Finding]:
    """The revision of the schema, and the references between rows."""
    with read_only(path) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "alembic_version" not in tables:
            yield fault("schema", "the database is not one of videogen", _RESTORE.format(path=path))
            return
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        revision = str(row[0]) if row else "none"
        broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    if revision == HEAD:
        yield ok("schema", f"revision {revision}")
    elif revision in REVISIONS:
        yield warning("schema", f"revision {revision}, this videogen has {HEAD}", "videogen migrate, or start it")
    else:
        yield fault("schema", f"revision {revision}, this videogen knows up to {HEAD}", "Install a newer videogen.")
    if broken:
        tables = {str(table) for table, *_ in broken}
        yield fault(
            "references",
            f"{count(len(broken), 'row')} of {', '.join(sorted(tables))} belong to rows that are gone",
            f"{FIX} rebuilds the database with what belongs together.",
            lambda: rebuild(path, None),
        )
    else:
        yield ok("references", "every row belongs to one that is there")


def states(config: AppConfig, path: Path, holder: int | None) -> Iterator[Finding]:
    """Generations in states that cannot be."""
    with read_only(path) as connection:
        ends = connection.execute(_ENDS).fetchall()
        missing = [str(row[0]) for row in ends if row[2] == 0]
        double = [str(row[0]) for row in ends if row[2] > 1]
        early = [str(row[0]) for row in connection.execute(_EARLY)]
        empty = [str(row[0]) for row in connection.execute(_EMPTY)]
        running = [str(row[0]) for row in connection.execute(_RUNNING)]
    yield from _if_any(
        missing,
        "has ended without a terminal event: whoever follows it waits for ever",
        f"{FIX} tells its end.",
        lambda: _tell_ends(config, missing),
    )
    yield from _if_any(double, "has more than one terminal event", "Delete it, and tell us how it came to be.")
    yield from _if_any(early, "has a terminal event, but has not ended", "Cancel it, then retry it.")
    yield from _if_any(empty, "is completed without a file", "Retry it on the page: it renders again, the same seed.")
    if not (missing or double or early or empty):
        yield ok("generations", "all are in states that can be")
    if running and holder is None:
        yield ok("generations", f"{count(len(running), 'generation')} will go on with the next start")


_ENDS: Final = """
SELECT id, status, (SELECT count(*) FROM events WHERE generation_id = generations.id AND type != 'render_progress')
FROM generations WHERE status IN ('completed', 'failed', 'cancelled')
"""
_EARLY: Final = """
SELECT id FROM generations WHERE status NOT IN ('completed', 'failed', 'cancelled')
AND EXISTS (SELECT 1 FROM events WHERE generation_id = generations.id AND type != 'render_progress')
"""
_EMPTY: Final = """
SELECT id FROM generations WHERE status = 'completed'
AND NOT EXISTS (SELECT 1 FROM files WHERE files.id = generations.file_id)
"""
_RUNNING: Final = "SELECT id FROM generations WHERE status = 'processing'"


def _if_any(ids: list[str], what: str, repair: str, fix: Callable[[], str] | None = None) -> Iterator[Finding]:
    if ids:
        more = "" if len(ids) == 1 else f" (and {count(len(ids) - 1, 'other')})"
        yield fault("generations", f"{ids[0]}{more} {what}", repair, fix)


def _tell_ends(config: AppConfig, ids: list[str]) -> str:
    database = Database(config.database)
    try:
        with database.write() as unit:
            for generation_id in ids:
                row = unit.session.get(GenerationRow, _number(unit.connection, generation_id))
                if row is not None:
                    append_event(unit, row)
    finally:
        database.close()
    return f"the end of {count(len(ids), 'generation')} is told"


def _number(connection: object, generation_id: str) -> int:
    from sqlalchemy import Connection

    assert isinstance(connection, Connection)
    found = connection.exec_driver_sql("SELECT seq FROM generations WHERE id = ?", (generation_id,)).scalar()
    return int(found or 0)
