"""Fifty jobs that wait for a provider at once: what they cost this machine, and how soon a restart finds them again.

The provider is fal's stand-in, in this process, so that only the app and its children are measured. Waits between polls
are those of the kind `fal` with its defaults.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from benchmarks.table import Row
from tests.support.api import Session
from tests.support.app import App
from tests.support.providers.fal import Fal
from tests.support.stand_in import StandIn, serve

JOBS: Final = 50
SECONDS: Final = 30.0
SETTLED_SECONDS: Final = 25.0
"""After the last job was sent: by then, the wait between two polls has its full length."""
CPU_BOUND: Final = 5.0
"""Per cent of a core."""
MEMORY_BOUND: Final = 100.0
"""MB more than the same app without a job."""
AGAIN_BOUND: Final = 2.0
"""Seconds from `Ready`."""
TABLE: Final = """
[[engine]]
id = "wan"
kind = "fal"
model = "fal-ai/wan/v2.2-a14b/text-to-video"
base_url = "{url}"
concurrency = {jobs}
"""


def measure() -> list[Row]:
    """Measure without a job, with all jobs, and after a SIGKILL of the app and all of its children."""
    provider = Fal(held=True)
    with serve(provider.app) as site, tempfile.TemporaryDirectory() as folder, _key(provider.key):
        table = Path(folder, "engines.toml")
        table.write_text(TABLE.format(url=site.url, jobs=JOBS))
        with App(Path(folder, "data"), [str(table)], page=False, max_active_per_session=JOBS) as app:
            idle_cpu, idle_memory = _cost(app)
            with Session(app.base_url) as session:
                for number in range(JOBS):
                    job = {"type": "video", "engine": "wan", "prompt": f"a kite, {number}", "settings": {}}
                    session.post("/generations", json=job).raise_for_status()
            _wait_for_all(site)
            time.sleep(SETTLED_SECONDS)
            cpu, memory = _cost(app)
            again = _again(app, site)
            posts = site.posts()
    more = memory - idle_memory
    return [
        Row(
            f"{JOBS} jobs at a provider at once: processor time",
            f"{cpu:.1f} % of a core (without a job {idle_cpu:.1f} %)",
            f"<= {CPU_BOUND:g} % of a core",
            "",
            cpu <= CPU_BOUND,
        ),
        Row(
            "the same: memory",
            f"{more:.0f} MB more than without a job ({idle_memory:.0f} MB)",
            f"<= {MEMORY_BOUND:g} MB more",
            "",
            more <= MEMORY_BOUND,
        ),
        Row(
            "all killed, restarted: Ready -> each job is asked for again by its id",
            f"{again:.2f} s, {posts} POSTs for {JOBS} jobs",
            f"<= {AGAIN_BOUND:g} s",
            "",
            again <= AGAIN_BOUND and posts == JOBS,
        ),
    ]


@contextmanager
def _key(key: str) -> Iterator[None]:
    os.environ["FAL_KEY"] = key
    try:
        yield
    finally:
        del os.environ["FAL_KEY"]


def _processes(app: App) -> list[psutil.Process]:
    return [psutil.Process(app.pid), *app.children()]


def _cost(app: App) -> tuple[float, float]:
    """Per cent of a core that the app and its children need for a while, and the memory that is theirs, in MB."""
    processes = _processes(app)
    began, before = time.monotonic(), _cpu(processes)
    time.sleep(SECONDS)
    used = 100 * (_cpu(processes) - before) / (time.monotonic() - began)
    return used, sum(process.memory_full_info().pss for process in processes) / 1e6


def _cpu(processes: list[psutil.Process]) -> float:
    times = [process.cpu_times() for process in processes]
    return sum(one.user + one.system for one in times)


def _again(app: App, site: StandIn) -> float:
    """Seconds from `Ready` until each job was asked for by the app that was started again."""
    left = app.children()
    app.kill()
    for process in left:
        process.kill()
    psutil.wait_procs(left)
    asked = len(site.requests)
    app.start()
    ready = time.monotonic()
    _wait_for_all(site, asked)
    return time.monotonic() - ready


def _wait_for_all(site: StandIn, after: int = 0) -> None:
    """Wait until the status of each job was asked for, by requests after this number of them."""
    ends = time.monotonic() + 60
    while len({one.path for one in site.requests[after:] if one.path.endswith("/status")}) < JOBS:
        assert time.monotonic() < ends, "not all jobs are followed"
        time.sleep(0.005)
