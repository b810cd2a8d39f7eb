"""Jobs at several workers: how many a second, how soon they begin, and how soon another worker takes one over."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from statistics import median
from typing import Any

import orjson

from benchmarks.hosts import LEASE_SECONDS, Hosts
from benchmarks.table import Row, percentile
from tests.support.api import Session, connect
from tests.support.app import ROOT
from tests.support.sse import Frame, Stream

ENGINE = "pauses"
PAUSE_MS = 500
WORKERS = 8
ROUNDS = 10
SHARE_BOUND = 0.8
BEGINS, WARM_BEGINS = 40, 8
BEGIN_BOUND_MS = 20.0
KILLS = 3
TAKEOVER_BOUND_S = 8.0


async def jobs_rows(hosts: Hosts) -> list[Row]:
    """The figures of jobs; the workers are added in between, and some are killed at the end."""
    with Session(hosts.webs[0].app.base_url) as session:
        alone = _rate(session, 1)
        await _add_workers(hosts, 2)
        begin = _begin(hosts, session)
        await _add_workers(hosts, WORKERS)
        rate = _rate(session, WORKERS)
        return [_linear(alone, rate), begin, _takeover(hosts, session)]


async def _add_workers(hosts: Hosts, count: int) -> None:
    numbers = range(len(hosts.workers), count)
    added = [await hosts.add_worker(f"worker{number + 1}", (ENGINE,)) for number in numbers]
    await asyncio.gather(*(worker.start() for worker in added))


def _job(pause_ms: int) -> dict[str, Any]:
    return {"type": "image", "settings": {"pause_ms": pause_ms}}


def _rate(session: Session, workers: int) -> float:
    """Jobs a second, while as many wait as are rendered."""
    filled, counted = 2 * workers, ROUNDS * workers
    times: list[float] = []
    with session.stream("/events") as stream, ThreadPoolExecutor(4) as pool:
        for _ in range(filled):
            pool.submit(session.submit, ENGINE, **_job(PAUSE_MS))
        while len(times) < 2 * filled + counted:
            stream.until(lambda frame: frame.event == "render_result")
            times.append(time.monotonic())
            if len(times) <= filled + counted:
                pool.submit(session.submit, ENGINE, **_job(PAUSE_MS))
    return counted / (times[filled + counted - 1] - times[filled - 1])


def _linear(alone: float, rate: float) -> Row:
    ideal, share = 1000 / PAUSE_MS, rate / alone / WORKERS
    return Row(
        f"jobs of {PAUSE_MS / 1000:g} s each, children stay: from 1 to {WORKERS} workers",
        f"{alone:.2f} -> {rate:.2f} jobs/s, {share:.2f} of linear",
        f">= {SHARE_BOUND:g} of linear",
        f"the pauses alone: {ideal:g} -> {WORKERS * ideal:g} jobs/s",
        share >= SHARE_BOUND,
    )


def _begin(hosts: Hosts, session: Session) -> Row:
    """From before the request is sent until the event `processing` is read at another web process."""
    answered, begun = [], []
    with _stream(hosts, session, -1) as stream:
        for number in range(WARM_BEGINS + BEGINS):
            sent = time.monotonic()
            name = str(session.submit(ENGINE, **_job(0))["id"])
            accepted = time.monotonic()
            stream.until(_processing(name, 1))
            if number >= WARM_BEGINS:
                answered.append((accepted - sent) * 1000)
                begun.append((time.monotonic() - sent) * 1000)
            stream.until(lambda frame, name=name: frame.terminal and frame.data["generationId"] == name)
            time.sleep(0.2)
    peer = _procrastinate(hosts)
    text = f"p50 {median(begun):.0f} ms, p99 {percentile(begun, 0.99):.0f} ms; accepted after {median(answered):.0f} ms"
    return Row(
        "submit sent -> a worker has begun, seen at another web process",
        text,
        f"p50 <= {BEGIN_BOUND_MS:g} ms",
        f"procrastinate alone, defer -> start: p50 {median(peer):.1f} ms, p99 {percentile(peer, 0.99):.1f} ms",
        median(begun) <= BEGIN_BOUND_MS,
    )


@contextmanager
def _stream(hosts: Hosts, session: Session, web: int) -> Iterator[Stream]:
    """The events of the session at one of the web processes."""
    with connect(hosts.webs[web].app.base_url) as http:
        authorized = {"Authorization": session.http.headers["Authorization"]}
        with http.stream("GET", "/api/v1/events", headers=authorized) as response:
            yield Stream(response)


def _processing(name: str, attempt: int) -> Callable[[Frame], bool]:
    wanted = {"generationId": name, "status": "processing", "attempt": attempt}
    return lambda frame: all(frame.data.get(key) == value for key, value in wanted.items())


def _procrastinate(hosts: Hosts) -> list[float]:
    command = [sys.executable, "-m", "benchmarks.plain_procrastinate", hosts.database_url, str(BEGINS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=120)
    late: list[float] = orjson.loads(done.stdout)
    return late


def _takeover(hosts: Hosts, session: Session) -> Row:
    """From SIGKILL for a worker and its renderers until another worker has begun the next attempt."""
    seconds = []
    with _stream(hosts, session, -1) as stream:
        for _ in range(KILLS):
            name = str(session.submit(ENGINE, **_job(60_000))["id"])
            stream.until(_processing(name, 1))
            time.sleep(1)
            worker = next(host for host in hosts.workers if host.runs and (host.app.data_dir / "work" / name).exists())
            killed = time.monotonic()
            worker.app.kill_all()
            stream.until(_processing(name, 2))
            seconds.append(time.monotonic() - killed)
            session.cancel(name)
            stream.until(lambda frame, name=name: frame.terminal and frame.data["generationId"] == name)
    return Row(
        f"a worker is killed -> another one has taken its job over, lease {LEASE_SECONDS} s",
        f"p50 {median(seconds):.1f} s, max {max(seconds):.1f} s (n={KILLS})",
        f"max <= {TAKEOVER_BOUND_S:g} s",
        "",
        max(seconds) <= TAKEOVER_BOUND_S,
    )
