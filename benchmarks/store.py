"""The time to store and publish one progress event."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.rows import generation, project
from benchmarks.table import Row, percentile
from videogen.db.database import Database
from videogen.db.migrate import migrate
from videogen.jobs.queue import EmbeddedQueue
from videogen.store import Fence, Limits, Progress, Store

EVENTS = 2000


def measure() -> list[Row]:
    """Report progress of one generation to a database file with one listener."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.sqlite'}"
        migrate(url)
        database = Database(url)
        store = Store(database)
        queue = EmbeddedQueue(store)
        published: list[float] = []
        database.listen(lambda _events: published.append(time.perf_counter()))
        session_id, _ = store.create_session()
        submit = project(session_id)
        store.create_project(submit, [generation(submit)], Limits(10, 10, 10))
        lease = queue.claim("bench")
        assert lease is not None
        fence, took = Fence(lease.generation_id, lease.attempt), []
        for step in range(1, EVENTS + 1):
            started = time.perf_counter()
            store.record_progress(fence, Progress(99 * step / EVENTS, "rendering", step, EVENTS, "", None))
            took.append((published[-1] - started) * 1000)
        database.close()
    value = f"p50 {median(took):.2f} ms, p99 {percentile(took, 0.99):.2f} ms"
    return [Row("store and publish one event", value, "p50 <= 1 ms", "", median(took) <= 1)]
