"""Workers with simulated renderers on a common database: `python -m benchmarks.simulated_worker URL NAME JOBS`.

The renderers of many hosts would measure this machine and not the app. So threads report what they would report,
through the same `ProgressRecorder`, store and queue; each process has one connection for writes, as a worker has.

Prints one JSON line, `{"token", "generation"}`: of the session that has its JOBS, and of the first one of them, which
all run. Then each line on standard input is a command, and `done N` the answer:
`events START RATE STEPS`: every job reports STEPS steps, RATE a second, from START (seconds of CLOCK_MONOTONIC); the
jobs take turns within each step. Each step is an event whose message is the time of the report, in nanoseconds.
`jobs SECONDS`: generations are submitted, claimed and completed one after the other, N of them.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, cast

import orjson

from benchmarks.rows import generation, project
from benchmarks.simulated_jobs import Schedule, render
from videogen.core.security import new_id
from videogen.db.database import Database
from videogen.db.tables import FileRow, GenerationRow
from videogen.jobs.base import Lease
from videogen.jobs.procrastinate_queue import ProcrastinateQueue
from videogen.jobs.reporter import ProgressRecorder
from videogen.storage import Storage
from videogen.store import Limits, Result, Store

NO_STORAGE = cast(Storage, None)
"""A report of progress has no file."""


class SimulatedWorker:
    """One process's part: a session, and an engine that nobody else renders."""

    def __init__(self, url: str, name: str) -> None:
        self.store = Store(Database(url))
        self.queue = ProcrastinateQueue(self.store, lease_seconds=600, engines=[name])
        self.session, self.token = self.store.create_session()
        self._name = name

    def begin(self) -> tuple[GenerationRow, Lease]:
        """Submit a generation, and claim it."""
        parent = project(self.session)
        row = generation(parent)
        row.engine = self._name
        self.store.create_project(parent, [row], Limits(100_000, 100_000, 100_000))
        lease = self.queue.claim(self._name)
        assert lease is not None
        return row, lease

    def recorder(self, lease: Lease) -> ProgressRecorder:
        """What writes the messages of its renderer."""
        return ProgressRecorder(self.store, NO_STORAGE, lease, partial(self.queue.finish, lease))

    def complete(self, row: GenerationRow, lease: Lease) -> None:
        """Store a result."""
        file: dict[str, Any] = {"session_id": self.session, "generation_id": row.id, "created_at": time.time()}
        video = FileRow(id=new_id("fil"), kind="video", key=row.id, content_type="video/mp4", size_bytes=1, **file)
        self.queue.finish(lease, Result(video, None, row.width, row.height, row.fps or 24, 1.0))


def main() -> None:
    """Begin the jobs, then obey until the input ends."""
    worker = SimulatedWorker(*sys.argv[1:3])
    count = int(sys.argv[3])
    begun = [worker.begin() for _ in range(count)]
    recorders = [worker.recorder(lease) for _, lease in begun]
    print(orjson.dumps({"token": worker.token, "generation": begun[0][0].id}).decode(), flush=True)
    with ThreadPoolExecutor(count) as pool:
        for line in sys.stdin:
            kind, *values = line.split()
            number = _events(pool, recorders, *values) if kind == "events" else _jobs(worker, float(values[0]))
            print(f"done {number}", flush=True)


def _events(pool: ThreadPoolExecutor, recorders: list[ProgressRecorder], start: str, rate: str, steps: str) -> int:
    """Report."""
    for future in [
        pool.submit(
            render,
            recorder,
            Schedule(float(start) + index / float(rate) / len(recorders), float(rate), int(steps), stamped=True),
        )
        for index, recorder in enumerate(recorders)
    ]:
        future.result()
    return len(recorders) * int(steps)


def _jobs(worker: SimulatedWorker, seconds: float) -> int:
    number, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        worker.complete(*worker.begin())
        number += 1
    return number


if __name__ == "__main__":
    main()
