"""The real app with renderers made of threads: `python -m benchmarks.stage FOLDER JOBS`.

200 renderer processes would measure the machine and not the app. So the app runs without workers, and threads
beside it say what the worker threads of 200 renderers would say, through the same `Reporter` and the same store.

Prints one JSON line `{"jobs": [{"token", "generation"}, ...]}` and then `Ready on ...`. Each line on standard input,
`START RATE STEPS KIND`, has every job report STEPS steps, RATE a second, step n at START + n / RATE (seconds of
CLOCK_MONOTONIC), and prints `done` once all are stored. Of KIND `steps`, they are reported as engines do it, and
the newest may take the place of one that was not stored yet. Of KIND `events` each is an event, whose message is
the moment at which it was said, in nanoseconds of CLOCK_MONOTONIC.
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
from videogen.config import AppConfig
from videogen.engines.protocol import Progress
from videogen.queue.embedded import EmbeddedQueue, Lease
from videogen.report import Reporter
from videogen.server import create_app, listen, run
from videogen.service import Parts
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
    tokens, leases = _jobs(app.state.parts, count)
    told = [{"token": token, "generation": lease.generation_id} for token, lease in zip(tokens, leases, strict=True)]
    print(orjson.dumps({"jobs": told}).decode(), flush=True)
    threading.Thread(target=_obey, args=(app.state.parts, leases), daemon=True).start()
    run(app, taken)


def _jobs(parts: Parts, count: int) -> tuple[list[str], list[Lease]]:
    """Sessions with a generation each, all claimed."""
    queue, tokens, leases = EmbeddedQueue(parts.store.database, lease_seconds=600), [], []
    for _ in range(count):
        session_id, token = parts.store.create_session()
        submit = project(session_id)
        parts.store.create_project(submit, [generation(submit)], Limits(10, count))
        lease = queue.claim("bench")
        assert lease is not None
        tokens.append(token)
        leases.append(lease)
    return tokens, leases


def _obey(parts: Parts, leases: list[Lease]) -> None:
    reporters = [Reporter(parts.store, parts.storage, lease) for lease in leases]
    with ThreadPoolExecutor(len(reporters)) as pool:
        for line in sys.stdin:
            start, rate, steps, kind = line.split()
            pace = Pace(float(start), float(rate), int(steps), stamped=kind == "events")
            rounds = [pool.submit(_render, one, pace) for one in reporters]
            for each in rounds:
                each.result()
            print("done", flush=True)


def _render(reporter: Reporter, pace: Pace) -> None:
    for step in range(pace.steps):
        late = time.monotonic() - pace.start - step / pace.rate
        if late < 0:
            time.sleep(-late)
        said = f"@{time.monotonic_ns()}@" if pace.stamped else ""
        reporter.take(Progress(step=step, total=FOREVER, stage="rendering", message=said))


if __name__ == "__main__":
    main()
