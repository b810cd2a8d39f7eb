"""The real app with simulated renderers: `python -m benchmarks.simulated_jobs FOLDER JOBS [RETENTION_HOURS]`.

200 renderer processes would measure the machine and not the app. So the app runs without workers. Threads in its
process report what 200 worker threads would report, through the same `ProgressRecorder` and the same store.

Prints `Ready on ...`. The first line on standard input starts the jobs; the answer is one JSON line,
`{"jobs": [{"token", "generation"}, ...]}`. After each further line, `START RATE STEPS KIND`, every job reports STEPS
steps: step n at START + n / RATE (seconds of CLOCK_MONOTONIC). It prints `done` when all are stored.
KIND `steps`: they are reported as engines do it, and the newest may replace one that is not stored yet.
KIND `events`: each step is an event. Its message is the time of the report, in nanoseconds of CLOCK_MONOTONIC.
"""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import orjson
from fastapi import FastAPI

from benchmarks.rows import generation, project
from videogen.core.config import AppConfig
from videogen.engines.process.protocol import Progress
from videogen.jobs.queue import EmbeddedQueue
from videogen.jobs.reporter import ProgressRecorder
from videogen.server.app import create_app
from videogen.server.run import listen, run
from videogen.services.parts import Parts
from videogen.store import Limits

FOREVER = 1_000_000
"""Steps in a render that does not end."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When each step is due."""

    start: float
    rate: float
    steps: int
    stamped: bool


def main() -> None:
    """Serve until the input ends."""
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    streams = dict.fromkeys(("max_streams_per_session", "max_streams_per_address"), 100_000)
    hours = float(sys.argv[3]) if len(sys.argv) > 3 else 0.0
    config = AppConfig(port=0, data_dir=folder, workers=0, lease_seconds=600, retention_hours=hours, **streams)
    listening = listen(config)
    app = create_app(config)
    threading.Thread(target=_read_commands, args=(app, count), daemon=True).start()
    run(app, listening)


def _read_commands(app: FastAPI, count: int) -> None:
    # Not before the first line: a server that starts treats claimed jobs as lost.
    sys.stdin.readline()
    parts: Parts = app.state.videogen.services.generations._parts
    queue = EmbeddedQueue(parts.store, lease_seconds=600)
    jobs = [_begin(parts, queue) for _ in range(count)]
    print(orjson.dumps({"jobs": [names for names, _ in jobs]}).decode(), flush=True)
    with ThreadPoolExecutor(count) as pool:
        for line in sys.stdin:
            start, rate, steps, kind = line.split()
            schedule = Schedule(float(start), float(rate), int(steps), stamped=kind == "events")
            futures = [pool.submit(render, reporter, schedule) for _, reporter in jobs]
            for future in futures:
                future.result()
            print("done", flush=True)


def _begin(parts: Parts, queue: EmbeddedQueue) -> tuple[dict[str, str], ProgressRecorder]:
    """Make a session with a generation that renders."""
    session_id, token = parts.store.create_session()
    submit = project(session_id)
    row = generation(submit)
    names = {"token": token, "generation": row.id}
    parts.store.create_project(submit, [row], Limits(1, 100_000, 1))
    lease = queue.claim("bench")
    assert lease is not None
    return names, ProgressRecorder(parts.store, parts.storage, lease, partial(queue.finish, lease))


def render(reporter: ProgressRecorder, schedule: Schedule) -> None:
    """Report each step when it is due."""
    for step in range(schedule.steps):
        late = time.monotonic() - schedule.start - step / schedule.rate
        if late < 0:
            time.sleep(-late)
        message = f"@{time.monotonic_ns()}@" if schedule.stamped else ""
        reporter.record(Progress(step=step, total=FOREVER, stage="rendering", message=message))


if __name__ == "__main__":
    main()
