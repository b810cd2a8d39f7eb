"""After a crash of PostgreSQL the numbers of events go on above all that were ever given.

Progress does not wait for the disk, so a crash may lose its last moments, with the numbers that were given in them; but
streams have sent these numbers. A crash also empties an unlogged table, and ends all connections. So the next
connection finds the table empty, and skips more numbers than a moment can have. A standby that takes over has the table
empty too, and may lack as much.
"""

from __future__ import annotations

from typing import Any, Final

import psycopg

MARK: Final = "crash_mark"
"""The unlogged table. It has one row, except after a crash."""
GAP: Final = 100_000
"""More than can be given in the time that a commit may take to reach the disk, or a standby."""
_IS_MARKED: Final = f"SELECT EXISTS (SELECT FROM {MARK})"  # noqa: S608 - our name


def skip_lost_numbers(connection: psycopg.Connection[Any], write_lock: str) -> None:
    """Look for the mark on a connection that is new, and is in no transaction."""
    with connection.transaction():
        if _is_marked(connection):
            return
        # As any other write: this one excludes all others, so that only the first one skips.
        connection.execute(f"SET LOCAL lock_timeout = '5s'; SELECT pg_advisory_xact_lock({write_lock})")
        if not _is_marked(connection):
            connection.execute("SELECT setval('events_id_seq', last_value + %s) FROM events_id_seq", (GAP,))
            connection.execute(f"INSERT INTO {MARK} VALUES (true)")  # noqa: S608


def _is_marked(connection: psycopg.Connection[Any]) -> bool:
    try:
        with connection.transaction():
            return bool(connection.execute(_IS_MARKED).fetchone()[0])  # type: ignore[index]
    except (psycopg.errors.UndefinedTable, psycopg.errors.FeatureNotSupported):
        return True  # an older schema; or a standby, which gives no numbers
