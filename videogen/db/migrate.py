"""Migrations: bring a database to the schema of this code; refuse one that is newer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib import resources
from typing import Final

from sqlalchemy import Connection, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from videogen.core.errors import DatabaseTooNewError, StartError
from videogen.db.backend import is_postgresql

HEAD: Final = "0029"
"""The newest revision in `videogen/db/migrations/versions`; a test compares the two."""
MOVING: Final = " moving "
"""Stands in the stored revision of a database into which another one is being copied; see `db.moving`."""
REVISIONS: Final = (
    "0001",
    "0002",
    "0003",
    "0004",
    "0005",
    "0006",
    "0007",
    "0008",
    "0009",
    "0010",
    "0011",
    "0012",
    "0015",
    "0013",
    "0016",
    "0017",
    "0018",
    "0014",
    "0020",
    "0021",
    "0022",
    "0019",
    "0023",
    "0027",
    "0028",
    "0029",
)


def revision(url: str) -> str | None:
    """The schema revision of a database; None for an empty one.

    Raises:
        StartError: the file is not an SQLite database, or cannot be opened; the server cannot be reached or is too old.
    """
    if is_postgresql(url):
        with postgresql_transaction(url) as connection:
            return stored_revision(connection)
    path = make_url(url).database or ":memory:"
    try:
        with closing(sqlite3.connect(path)) as connection:
            return sqlite_revision(connection)
    except sqlite3.Error as problem:
        raise StartError(
            f"The database {path} cannot be used: {problem}. Move it away to start afresh, or restore a backup of it."
        ) from problem


def sqlite_revision(connection: sqlite3.Connection) -> str | None:
    """The same for an open database of SQLite."""
    found = connection.execute("SELECT name FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if found else None
    return str(row[0]) if row else None


def stored_revision(connection: Connection) -> str | None:
    """What the database says about its schema; None without tables of ours."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


@contextmanager
def postgresql_transaction(url: str, setting: str = "VIDEOGEN_DATABASE_URL") -> Iterator[Connection]:
    """A transaction of PostgreSQL for whoever changes the schema, which is committed at the end.

    Raises:
        StartError: the server cannot be reached or is too old; it names the `setting` that the URL is from.
    """
    from videogen.db import postgresql

    engine = postgresql.connect(postgresql.driver_url(url), 1)
    try:
        with engine.begin() as connection:
            postgresql.require_server(connection)
            yield connection
    except SQLAlchemyError as problem:
        raise postgresql.cannot_be_used(url, problem, setting) from problem
    finally:
        engine.dispose()


def migrate(url: str, target: str = HEAD) -> bool:
    """Upgrade the database to `HEAD`, or to the older revision `target`; return whether anything was done.

    Raises:
        DatabaseTooNewError: it was written by a newer release.
        StartError: it cannot be opened, or a migration failed; nothing was changed then.
    """
    current = revision(url)
    if current == target:
        return False
    require_known(current)
    if is_postgresql(url):
        from videogen.db.postgresql import MIGRATION_LOCK

        with postgresql_transaction(url) as connection:
            # Several processes may start at the same time: one of them migrates, while the others wait.
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
            current = stored_revision(connection)
            require_known(current)
            if current == target:
                return False
            run_migrations(connection, target)
            return True
    _upgrade(url, target)
    return True


def require_known(current: str | None) -> None:
    """Check a stored revision. Raises StartError: it is that of a newer release, or the database is not complete."""
    if MOVING in (current or ""):
        raise StartError(
            "The move of an installation into this database was not completed: run `videogen migrate --to URL "
            "--storage URL` again where it comes from. Until then nothing starts here."
        )
    if current is not None and current not in REVISIONS:
        raise DatabaseTooNewError(
            f"The database is at revision {current}, this videogen knows up to {HEAD}. "
            "Install the newer videogen that wrote it, or set VIDEOGEN_DATA_DIR to another folder."
        )


def run_migrations(connection: Connection, target: str = HEAD) -> None:
    """Upgrade in this transaction."""
    # Alembic is slow to import and rarely needed: at most starts the database is at HEAD.
    from alembic import command
    from alembic.config import Config

    with resources.as_file(resources.files("videogen.db.migrations")) as folder:
        config = Config()
        config.set_main_option("script_location", str(folder))
        config.attributes["connection"] = connection
        command.upgrade(config, target)


def _upgrade(url: str, target: str) -> None:
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def _plain(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")

    try:
        with engine.connect() as connection:
            # One transaction around all migrations: a failed one changes nothing.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            run_migrations(connection, target)
            connection.commit()
    except SQLAlchemyError as problem:
        raise StartError(
            f"The database {make_url(url).database} could not be brought to revision {HEAD}, and was left as it was: "
            f"{getattr(problem, 'orig', None) or problem}. Restore a backup of it, "
            "or set VIDEOGEN_DATA_DIR to another folder."
        ) from problem
    finally:
        engine.dispose()
