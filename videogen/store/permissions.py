"""Permissions to start a generation: jobs of procrastinate, on PostgreSQL alone.

Each permits one start on the queue of its engine; which generation starts is decided when it is used. In every
committed state each engine has at least as many waiting permissions as generations that may start: whatever changes
the second number is an exclusive transaction, and ends with `top_up`. With SQLite nothing is written.

A permission is inserted, used and deleted by procrastinate's own functions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import Connection

from videogen.db.backend import POSTGRESQL
from videogen.db.database import UnitOfWork

TASK: Final = "videogen.start"
START: Final = "start"
"""The channel of the names of queues that have got permissions; an empty text is for all queues."""
CANCEL: Final = "cancel"
"""The channel of the ids of generations whose workers have to end them."""
_NAME_BYTES: Final = 63 - len("procrastinate_queue_v1#")
"""Procrastinate notifies a channel with the name of the queue. PostgreSQL refuses a longer one, and so the insert."""

_WAITING: Final = (
    "SELECT queue_name, count(*) FROM procrastinate_jobs WHERE status = 'todo' AND task_name = %(task)s GROUP BY 1"
)
_INSERT: Final = """
SELECT procrastinate_defer_jobs_v1(array_agg(
    ROW(name, %(task)s, 0, NULL, NULL, '{}'::jsonb, NULL)::procrastinate_job_to_defer_v1))
FROM unnest(%(names)s::varchar[]) AS name
"""
_USE: Final = """
SELECT procrastinate_finish_job_v1(id, 'succeeded', true)
FROM procrastinate_fetch_job_v2(ARRAY[%(name)s]::varchar[], NULL) WHERE id IS NOT NULL
"""
_END: Final = """
SELECT procrastinate_finish_job_v1(id, 'succeeded', true) FROM procrastinate_jobs
WHERE status = 'todo' AND task_name = %(task)s AND queue_name <> ALL(%(without)s::varchar[])
    AND (%(only)s::varchar[] IS NULL OR queue_name = ANY(%(only)s::varchar[]))
"""


def queue_name(engine: str) -> str:
    """The name of procrastinate's queue for an engine: its id, or where that is too long a part and a hash of it."""
    if len(engine.encode()) <= _NAME_BYTES:
        return engine
    digest = hashlib.sha256(engine.encode()).hexdigest()[:12]
    return f"{engine.encode()[: _NAME_BYTES - 13].decode(errors='ignore')}#{digest}"


def waiting(connection: Connection) -> dict[str, int]:
    """How many permissions wait, by the name of the queue."""
    return {row[0]: row[1] for row in connection.exec_driver_sql(_WAITING, {"task": TASK})}


def missing(connection: Connection, startable: Mapping[str, int]) -> list[str]:
    """The names of queues that have less permissions than generations that may start, each once for every one."""
    there = waiting(connection) if startable else {}
    return [
        queue_name(engine)
        for engine, count in startable.items()
        for _ in range(count - there.get(queue_name(engine), 0))
    ]


def top_up(unit: UnitOfWork, startable: Mapping[str, int]) -> None:
    """Add the permissions that are missing. The transaction must be exclusive.

    Args:
        unit: the transaction that has changed what may start.
        startable: how many generations may start now, by engine.
    """
    if unit.connection.dialect.name == POSTGRESQL and (names := missing(unit.connection, startable)):
        unit.connection.exec_driver_sql(_INSERT, {"task": TASK, "names": names})
        for name in sorted(set(names)):
            unit.notify(START, name)


def use(unit: UnitOfWork, engine: str) -> bool:
    """Use up one permission of an engine; False where it has none."""
    return unit.connection.exec_driver_sql(_USE, {"name": queue_name(engine)}).first() is not None


def end_unused(unit: UnitOfWork, without: Collection[str], only: Collection[str] | None) -> None:
    """End the permissions for which nothing may start: all but those of the engines `without`; of `only` these."""
    names = {
        "without": [queue_name(engine) for engine in without],
        "only": None if only is None else [queue_name(engine) for engine in only],
    }
    unit.connection.exec_driver_sql(_END, names | {"task": TASK})
