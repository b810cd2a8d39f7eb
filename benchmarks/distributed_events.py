"""Events from workers to listeners at web processes: how late they are, and how many at a time.

The workers are simulated, see `benchmarks.simulated_worker`; the web processes are real. Peer: PostgreSQL's
NOTIFY alone.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from statistics import median
from typing import Any

import orjson
import psutil

from benchmarks.hosts import Hosts
from benchmarks.sse import KILOBYTES, Listeners
from benchmarks.table import Row, percentile
from tests.support.app import ROOT

EVENT_WEBS = 4
ONE_RATE, ONE_SECONDS = 20, 10
ONE_BOUND_MS = 10.0
LISTENERS, LISTENERS_RATE, LISTENERS_SECONDS = 1000, 10, 5
LISTENERS_BOUND_MS = 100.0
WARM_LISTENERS = 50
JOBS, MANY_RATE, MANY_SECONDS = 25, 10, 8
"""Of each of as many workers as there are web processes: 1,000 events a second in all."""
MANY_BOUND_MS = 100.0
JOB_SECONDS = 4.0


class SimulatedWorker:
    """`benchmarks.simulated_worker` in a process of its own; a context manager."""

    def __init__(self, url: str, name: str, jobs: int) -> None:
        command = [sys.executable, "-m", "benchmarks.simulated_worker", url, name, str(jobs)]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
        self._process = subprocess.Popen(command, cwd=ROOT, **pipes)
        self._known: dict[str, str] = {}

    @property
    def names(self) -> dict[str, str]:
        """The `token` of its session and its first `generation`; waits until all its jobs run."""
        self._known = self._known or orjson.loads(self._line())
        return self._known

    def begin(self, command: str) -> None:
        """Send a command."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n")

    def end(self) -> int:
        """Wait for its answer."""
        return int(self._line().split()[1])

    def _line(self) -> str:
        assert self._process.stdout is not None
        line: str = self._process.stdout.readline()
        if not line:
            raise RuntimeError("a simulated worker ended")
        return line

    def __enter__(self) -> SimulatedWorker:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(20)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


def events_rows(hosts: Hosts) -> list[Row]:
    """The figures of events, and how many jobs a second the database takes."""
    with contextlib.ExitStack() as stack:
        one = stack.enter_context(SimulatedWorker(hosts.database_url, "one", 1))
        rows = [_one(hosts, one), *_thousand_listeners(hosts, one)]
        made = [SimulatedWorker(hosts.database_url, f"many{index}", JOBS) for index in range(EVENT_WEBS)]
        workers = [stack.enter_context(worker) for worker in made]
        return [*rows, _many_events(hosts, workers), _jobs_of_the_database(workers)]


def _request(web: str, path: str, token: str) -> str:
    return f"GET /api/v1{path} HTTP/1.1\nHost: {web}\nAuthorization: Bearer {token}\n\n"


def _generation_request(web: str, worker: SimulatedWorker) -> str:
    return _request(web, f"/generations/{worker.names['generation']}/events", worker.names["token"])


def _plain(hosts: Hosts, senders: int, rate: float, seconds: float) -> list[float]:
    dsn = hosts.database_url
    command = [sys.executable, "-m", "benchmarks.plain_notify", dsn, str(senders), str(rate), str(seconds)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=120)
    late: list[float] = orjson.loads(done.stdout)
    return late


def _one(hosts: Hosts, worker: SimulatedWorker) -> Row:
    """One job whose events one listener reads at the last web process."""
    web, events = hosts.webs[-1].address, ONE_RATE * ONE_SECONDS
    with Listeners(web, _generation_request(web, worker), 1) as listeners:
        worker.begin(f"events {time.monotonic() + 0.5} {ONE_RATE} {events}")
        worker.end()
        time.sleep(0.5)
        late, missed = _heard([listeners], events)
    peer = _plain(hosts, 1, ONE_RATE, ONE_SECONDS)
    return Row(
        f"event of a worker -> a listener at another web process, {ONE_RATE} events/s",
        f"{_text(late)}, {median(late) / median(peer):.1f} x",
        f"p50 <= {ONE_BOUND_MS:g} ms",
        f"NOTIFY -> LISTEN alone: {_text(peer)}",
        median(late) <= ONE_BOUND_MS and not missed,
    )


def _thousand_listeners(hosts: Hosts, worker: SimulatedWorker) -> list[Row]:
    """The same for 1,000 listeners over all web processes. Peer: all of them at one."""
    with contextlib.ExitStack() as stack:
        _listen(stack, hosts, worker, [WARM_LISTENERS] * EVENT_WEBS)
        _play(worker, LISTENERS_RATE)
        before = _memory(hosts)
    late, missed, after = _lateness(hosts, worker, [LISTENERS // EVENT_WEBS] * EVENT_WEBS)
    kilobytes = (after - before) / 1024 / (LISTENERS - EVENT_WEBS * WARM_LISTENERS)
    peer, *_ = _lateness(hosts, worker, [LISTENERS])
    p99 = percentile(late, 0.99)
    return [
        Row(
            f"{LISTENERS:,} event streams over {EVENT_WEBS} web processes, {LISTENERS_RATE} events/s",
            _with_missed(_text(late), missed),
            f"p99 <= {LISTENERS_BOUND_MS:g} ms",
            f"all of them at one web process: {_text(peer)}",
            p99 <= LISTENERS_BOUND_MS and not missed,
        ),
        Row("memory of one such stream", f"{kilobytes:.1f} KB", f"<= {KILOBYTES} KB", "", kilobytes <= KILOBYTES),
    ]


def _listen(stack: contextlib.ExitStack, hosts: Hosts, worker: SimulatedWorker, counts: list[int]) -> list[Listeners]:
    webs = [web.address for web in hosts.webs]
    return [
        stack.enter_context(Listeners(web, _generation_request(web, worker), count))
        for web, count in zip(webs, counts, strict=False)
    ]


def _lateness(hosts: Hosts, worker: SimulatedWorker, counts: list[int]) -> tuple[list[float], str, int]:
    """What so many listeners of each web process hear, see `_heard`, and the memory of these at the end."""
    with contextlib.ExitStack() as stack:
        listeners = _listen(stack, hosts, worker, counts)
        events = LISTENERS_RATE * LISTENERS_SECONDS
        _play(worker, events)
        memory = _memory(hosts)
        return *_heard(listeners, events), memory


def _play(worker: SimulatedWorker, events: int) -> None:
    worker.begin(f"events {time.monotonic() + 0.5} {LISTENERS_RATE} {events}")
    worker.end()
    time.sleep(1)


def _memory(hosts: Hosts) -> int:
    return sum(int(psutil.Process(web.app.pid).memory_info().rss) for web in hosts.webs)


def _many_events(hosts: Hosts, workers: list[SimulatedWorker]) -> Row:
    """Each worker's session has a listener at a web process of its own; every web process reads all events."""
    rate, events = JOBS * MANY_RATE * len(workers), JOBS * MANY_RATE * MANY_SECONDS
    with contextlib.ExitStack() as stack:
        listeners = [
            stack.enter_context(Listeners(web.address, _request(web.address, "/events", worker.names["token"]), 1))
            for web, worker in zip(hosts.webs, workers, strict=True)
        ]
        start = time.monotonic() + 1.0
        for worker in workers:
            worker.begin(f"events {start} {MANY_RATE} {MANY_RATE * MANY_SECONDS}")
        for worker in workers:
            worker.end()
        reached = len(workers) * events / max(time.monotonic() - start, 0.001)
        time.sleep(2)
        late, missed = _heard(listeners, events)
    peer = _plain(hosts, len(workers), rate, MANY_SECONDS)
    p99 = percentile(late, 0.99)
    return Row(
        f"{rate:,} events/s of {len(workers) * JOBS} jobs at {len(workers)} workers: reported -> read",
        _with_missed(f"{_text(late)}; {reached:.0f} events/s stored", missed),
        f"p99 <= {MANY_BOUND_MS:g} ms",
        f"NOTIFY -> LISTEN alone, as many: {_text(peer)}",
        p99 <= MANY_BOUND_MS and not missed,
    )


def _jobs_of_the_database(workers: list[SimulatedWorker]) -> Row:
    """Jobs without any rendering: the more processes make no more of them, since each decision is one transaction."""
    rates = []
    for count in (1, len(workers)):
        for worker in workers[:count]:
            worker.begin(f"jobs {JOB_SECONDS}")
        rates.append(sum(worker.end() for worker in workers[:count]) / JOB_SECONDS)
    figure = "jobs/s of the database: submit, claim and result, nothing rendered"
    return Row(figure, f"{rates[1]:.0f} from {len(workers)} processes", "", f"from one process: {rates[0]:.0f}")


def _heard(listeners: list[Listeners], expected: int) -> tuple[list[float], str]:
    """How late all was, and of how many events the listener knows that missed most; empty where that is none."""
    heard = [one.end() for one in listeners]
    least = min(count for one in heard for count in one["counts"])
    return [late for one in heard for late in one["late"]], f"{least:,} of {expected:,}" if least < expected else ""


def _with_missed(text: str, missed: str) -> str:
    return f"{text}; only {missed} heard" if missed else f"{text}; all heard everything"


def _text(late: list[float]) -> str:
    return f"p50 {median(late):.1f} ms, p99 {percentile(late, 0.99):.1f} ms"
