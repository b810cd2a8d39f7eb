"""Several web processes and workers on one PostgreSQL, all on this machine.

Each figure is of processes that are there: the workers are added as the figures need them.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from benchmarks.distributed_events import EVENT_WEBS, events_rows
from benchmarks.distributed_jobs import jobs_rows
from benchmarks.hosts import Hosts
from benchmarks.sse import allow_files
from benchmarks.table import Row
from tests.support.postgresql import programs


def measure() -> list[Row]:
    """Measure with one PostgreSQL, one bucket and four web processes; a row says so where there is no PostgreSQL."""
    try:
        programs()
    except AssertionError:
        return [Row("several web processes and workers", "not measured: no PostgreSQL 15 or newer was found")]
    allow_files()
    return asyncio.run(_measure())


async def _measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        async with Hosts(Path(folder), webs=EVENT_WEBS, workers=1) as hosts:
            # Before there are more workers, which take a part of the processors also while they wait.
            events = events_rows(hosts)
            return [*await jobs_rows(hosts), *events]
