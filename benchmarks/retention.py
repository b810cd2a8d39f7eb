"""A stream's lateness while retention removes 10,000 generations with their files, beside its quiet value."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from benchmarks.metrics import fill_ended
from benchmarks.sse import Listeners, SimulatedServer, request_of
from benchmarks.table import Row, percentile

GENERATIONS: Final = 10_000
HOURS: Final = 1.0
QUIET_SECONDS: Final = 20
FROM_START_SECONDS: Final = 120.0
"""When they are due, after the database was filled: the server has started by then, and the quiet part is over."""
LISTENERS: Final = 10
RATE: Final = 20
RATIO: Final = 2.0
TIMEOUT_SECONDS: Final = 900.0


def measure() -> list[Row]:
    """Measure a stream before the removal, and while it goes on."""
    due = 0.0

    def prepare(folder: Path) -> None:
        nonlocal due
        fill_ended(folder, GENERATIONS, lambda: time.time() + FROM_START_SECONDS - HOURS * 3600)
        due = time.time() + FROM_START_SECONDS

    with SimulatedServer(1, prepare, HOURS) as server:
        quiet = _late(server, QUIET_SECONDS)
        if time.time() > due:
            raise RuntimeError("the server took too long to start: raise FROM_START_SECONDS")
        time.sleep(max(0.0, due - time.time()))
        begun, late, left = time.monotonic(), list[float](), GENERATIONS
        while (left := _left(server.folder)) and time.monotonic() - begun < TIMEOUT_SECONDS:
            late += _late(server, 5)
        took = time.monotonic() - begun
    if left:
        raise RuntimeError(f"{left} generations were not removed in {took:.0f} s")
    values = [[percentile(one, part) for part in (0.5, 0.99)] for one in (quiet, late)]
    ratio = values[1][1] / values[0][1]
    return [
        Row(
            f"stream while {GENERATIONS:,} generations are removed: sent -> read",
            f"p50 {values[1][0]:.1f} ms, p99 {values[1][1]:.1f} ms: {ratio:.2f} x",
            f"p99 <= {RATIO:g} x its quiet value",
            f"quiet: p50 {values[0][0]:.1f} ms, p99 {values[0][1]:.1f} ms; {took:.0f} s for all",
            ratio <= RATIO,
        )
    ]


def _late(server: SimulatedServer, seconds: int) -> list[float]:
    with Listeners(server.address, request_of(server), LISTENERS) as listeners:
        server.play(time.monotonic() + 0.2, RATE, RATE * seconds, "events")
        time.sleep(0.2)
        heard: list[float] = listeners.end()["late"]
    return heard


def _left(folder: Path) -> int:
    with closing(sqlite3.connect(f"file:{folder / 'videogen.sqlite'}?mode=ro", uri=True, timeout=30)) as connection:
        query = "SELECT count(*) FROM generations WHERE kept_from IS NOT NULL"
        return int(connection.execute(query).fetchone()[0])
