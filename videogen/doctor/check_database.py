"""Checks the database: the file, its schema, and the states of its rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlmodel import select

from videogen.core.config import AppConfig
from videogen.core.errors import StartError
from videogen.core.security import Signer
from videogen.db.database import Database
from videogen.db.integrity import check, is_wal_cut, read_only, wal_bytes
from videogen.db.migrate import HEAD, MOVING, REVISIONS, postgresql_transaction
from videogen.db.migrate import revision as stored_revision
from videogen.db.tables import GenerationRow
from videogen.doctor.findings import FIX, Finding, amount, count, fault, ok, warning
from videogen.doctor.rebuild import rebuild
from videogen.storage import DataFolder, DiskStorage
from videogen.store.events import append_event

SLOW_SECONDS: Final = 0.01
"""A slower answer of a database server is a warning."""
BIG_WAL: Final = 64_000_000
"""A write-ahead log with more bytes is a warning. SQLite normally writes it back at about 4 MB."""


def integrity(config: AppConfig, path: Path) -> Iterator[Finding]:
    """Check the file itself."""
    if not path.exists():
        yield ok("database", f"{path} does not exist yet; the first start makes it")
        return
    if path.stat().st_size == 0 and wal_bytes(path) == 0:
        if any((config.data_dir / "files").glob("*")):
            yield fault("database", f"{path} is empty (0 bytes), but there are files", _RESTORE.format(path=path))
        else:
            yield warning("database", f"{path} is empty (0 bytes)", "The next start makes its tables.")
        return
    verdict = check(path)
    if verdict.is_no_database:
        yield fault("database", f"{path}: {verdict.faults[0]}", _RESTORE.format(path=path))
    elif verdict.faults:
        what = f"{path} is damaged: {verdict.faults[0]}"
        if len(verdict.faults) > 1:
            what += f" (and {count(len(verdict.faults) - 1, 'more fault')})"
        repair = f"{FIX} copies all readable rows into a new file and keeps the damaged one; or restore a backup."
        yield fault("database", what, repair, lambda: rebuild(path, DiskStorage(DataFolder(config.data_dir).files)))
    else:
        size = path.stat().st_size
        yield ok("database", f"{path.name}, {amount(size)}, no page is damaged")


_RESTORE: Final = "Restore a backup of {path}; or move it away to start with an empty database."


def write_ahead_log(path: Path) -> Iterator[Finding]:
    """Check the size of the write-ahead log, and that it is complete."""
    size = wal_bytes(path)
    if is_wal_cut(path):
        what = "it ends in the middle of a write; SQLite ignores that write"
        yield warning("write-ahead log", what, "Nothing needs to be done.")
    elif size > BIG_WAL:
        what, repair = f"{amount(size)}: it was not written back into the database", f"{FIX}, while no server runs"
        yield warning("write-ahead log", what, repair, lambda: _write_back(path))
    else:
        yield ok("write-ahead log", amount(size) if size else "none")


def _write_back(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return "the write-ahead log was written back into the database"


def schema(path: Path) -> Iterator[Finding]:
    """Check the revision of the schema, and the references between rows."""
    with read_only(path) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "alembic_version" not in tables:
            yield fault("schema", "the database belongs to another application", _RESTORE.format(path=path))
            return
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        revision = str(row[0]) if row else "none"
        broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    yield _revision(revision)
    if broken:
        tables = {str(table) for table, *_ in broken}
        what = f"{count(len(broken), 'row')} of {', '.join(sorted(tables))} refer to rows that do not exist"
        yield fault("references", what, f"{FIX} rebuilds the database without them.", lambda: rebuild(path, None))
    else:
        yield ok("references", "every reference leads to a row")


def _revision(found: str) -> Finding:
    if found == HEAD:
        return ok("schema", f"revision {found}")
    if MOVING in found:
        repair = "Run `videogen migrate --to URL --storage URL` again where it comes from."
        return fault("schema", "the move of an installation into this database was not completed", repair)
    if found in REVISIONS:
        repair = "Run `videogen migrate`, or start the server."
        return warning("schema", f"revision {found}, this videogen has {HEAD}", repair)
    return fault("schema", f"revision {found}, this videogen knows up to {HEAD}", "Install a newer videogen.")


def server(config: AppConfig) -> Iterator[Finding]:
    """Check a database that is PostgreSQL: it checks its own files, and has no reference that leads nowhere."""
    try:
        # Imported here: an installation on SQLite has no driver.
        from videogen.db.postgresql import measure

        found = stored_revision(config.database)
        version, seconds = measure(config.database)
    except StartError as problem:
        yield fault("database", problem.detail.rstrip("."), "Correct VIDEOGEN_DATABASE_URL; see docs/scaling.md.")
        return
    answers = f"PostgreSQL {version} answers in {seconds * 1000:.1f} ms"
    if seconds > SLOW_SECONDS:
        yield warning("database", answers, "Each submit waits for several answers: move the database nearer.")
    else:
        yield ok("database", answers)
    if found is None:
        yield ok("schema", "there are no tables yet; the first start makes them")
    else:
        yield _revision(found)
        if found == HEAD:
            yield _key(config)


def _key(config: AppConfig) -> Finding:
    with postgresql_transaction(config.database) as connection:
        digest = connection.exec_driver_sql("SELECT key_digest FROM installation").scalar()
    if digest in (None, Signer(config.secret_key.encode()).derive("installation")):
        return ok(
            "secret", "it is the key of this database" if digest else "the first start makes it the database's key"
        )
    what = "VIDEOGEN_SECRET_KEY is not the key with which this database was first used, so nothing starts"
    return fault("secret", what, "Set that one, as in all processes; docs/scaling.md says how to change it.")


def generations(config: AppConfig, path: Path, holder: int | None) -> Iterator[Finding]:
    """Find generations in impossible states."""
    with read_only(path) as connection:
        ends = connection.execute(_ENDS).fetchall()
        unended = [str(row[0]) for row in ends if row[1] == 0]
        double = [str(row[0]) for row in ends if row[1] > 1]
        early = [str(row[0]) for row in connection.execute(_EARLY)]
        empty = [str(row[0]) for row in connection.execute(_EMPTY)]
        running, parked = (connection.execute(query).fetchall() for query in (_RUNNING, _PARKED))
    yield from _if_any(
        unended,
        "has ended without a terminal event, so its event streams never end",
        f"{FIX} stores the event.",
        lambda: _store_terminal_events(config, unended),
    )
    yield from _if_any(double, "has more than one terminal event", "Delete it, and report this as a bug.")
    yield from _if_any(early, "has a terminal event, but is not ended", "Cancel it, then retry it.")
    repair = "Press Retry on its page: it renders again with the same seed."
    yield from _if_any(empty, "is completed without a file", repair)
    if not (unended or double or early or empty):
        yield ok("generations", "all have possible states")
    if running and holder is None:
        yield ok("generations", f"{count(len(running), 'generation')} will continue at the next start")
    if parked:
        unknown = f"not known whether a service has the job of {count(len(parked), 'generation')}: the owner decides"
        yield ok("generations", unknown)


_ENDS: Final = """
SELECT id, (SELECT count(*) FROM events WHERE generation_id = generations.id AND type != 'render_progress')
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
_RUNNING: Final = "SELECT id FROM generations WHERE status = 'processing' AND stage != 'needs_attention'"
_PARKED: Final = "SELECT id FROM generations WHERE status = 'processing' AND stage = 'needs_attention'"


def _if_any(ids: list[str], what: str, repair: str, fix: Callable[[], str] | None = None) -> Iterator[Finding]:
    if ids:
        more = "" if len(ids) == 1 else f" (and {count(len(ids) - 1, 'other')})"
        yield fault("generations", f"{ids[0]}{more} {what}", repair, fix)


def _store_terminal_events(config: AppConfig, ids: list[str]) -> str:
    with closing(Database(config.database)) as database, database.write() as unit:
        for generation_id in ids:
            append_event(unit, unit.session.exec(select(GenerationRow).where(GenerationRow.id == generation_id)).one())
    return f"stored the terminal event of {count(len(ids), 'generation')}"
