"""The real app with renderers made of threads: `python -m benchmarks.stage FOLDER JOBS`.

200 renderer processes would measure the machine and not the app. So the app runs without workers, and threads
beside it say what 200 worker threads would say, through the same `ProgressRecorder` and the same store.

Prints `Ready on ...`. A first line on standard input begins the jobs; one JSON line answers it,
`{"jobs": [{"token", "generation"}, ...]}`. Each further line, `START RATE STEPS KIND`, has every job report STEPS
steps, RATE a second, step n at START + n / RATE (seconds of CLOCK_MONOTONIC), and prints `done` once all are stored.
Of KIND `steps`, they are reported as engines do it, and the newest may take the place of one that was not stored yet.
Of KIND `events` each is an event, whose message is the moment at which it was said, in nanoseconds of CLOCK_MONOTONIC.
"""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import orjson

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
class Pace:
    """When which step is due."""

    start: float
    rate: float
    steps: int
    stamped: bool


def main() -> None:
    """Serve until the input ends."""
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    config = AppConfig(port=0, data_dir=folder, workers=0, lease_seconds=600)
    taken = listen(config)
    app = create_app(config)
    parts: Parts = app.state.parts
    threading.Thread(target=_obey, args=(parts, count), daemon=True).start()
    run(app, taken)


def _obey(parts: Parts, count: int) -> None:
    # Not before the first word: a server that starts takes what is claimed for lost.
    sys.stdin.readline()
    queue = EmbeddedQueue(parts.store.database, lease_seconds=600)
    jobs = [_begin(parts, queue) for _ in range(count)]
    print(orjson.dumps({"jobs": [told for told, _ in jobs]}).decode(), flush=True)
    with ThreadPoolExecutor(count) as pool:
        for line in sys.stdin:
            start, rate, steps, kind = line.split()
            pace = Pace(float(start), float(rate), int(steps), stamped=kind == "events")
            rounds = [pool.submit(_render, reporter, pace) for _, reporter in jobs]
            for each in rounds:
                each.result()
            print("done", flush=True)


def _begin(parts: Parts, queue: EmbeddedQueue) -> tuple[dict[str, str], ProgressRecorder]:
    """A session with a generation that renders."""
    session_id, token = parts.store.create_session()
    submit = project(session_id)
    made = generation(submit)
    told = {"token": token, "generation": made.id}
    parts.store.create_project(submit, [made], Limits(1, 1))
    lease = queue.claim("bench")
    assert lease is not None
    return told, ProgressRecorder(parts.store, parts.storage, lease)


def _render(reporter: ProgressRecorder, pace: Pace) -> None:
    for step in range(pace.steps):
        late = time.monotonic() - pace.start - step / pace.rate
        if late < 0:
            time.sleep(-late)
        said = f"@{time.monotonic_ns()}@" if pace.stamped else ""
        reporter.take(Progress(step=step, total=FOREVER, stage="rendering", message=said))


if __name__ == "__main__":
    main()
