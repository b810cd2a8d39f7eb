"""A thousand listeners of one running generation, beside nginx with nchan, read by the same client."""

from __future__ import annotations

import contextlib
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import orjson
import psutil

from benchmarks import nchan
from benchmarks.table import Row, percentile
from tests.support.app import ROOT

LISTENERS = 1000
RATE = 10
SECONDS = 5
ROUNDS = 5
WARM_LISTENERS = 50
RATIO = 2.0
KILOBYTES = 30


class SimulatedServer:
    """`benchmarks.simulated_jobs` in a process of its own; a context manager."""

    def __init__(
        self, jobs: int, prepare: Callable[[Path], None] = lambda _: None, retention_hours: float = 0.0
    ) -> None:
        """`prepare` fills the data folder before the start."""
        self._folder = tempfile.TemporaryDirectory()
        self.folder = Path(self._folder.name)
        prepare(self.folder)
        values = (self._folder.name, str(jobs), str(retention_hours))
        command = [sys.executable, "-m", "benchmarks.simulated_jobs", *values]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.address = self._line().removeprefix("Ready on http://").strip()
        assert self._process.stdin is not None
        self._process.stdin.write("begin\n")
        self.jobs: list[dict[str, str]] = orjson.loads(self._line())["jobs"]

    @property
    def memory(self) -> int:
        """Bytes of the server that are in memory."""
        return int(psutil.Process(self._process.pid).memory_info().rss)

    def play(self, start: float, rate: float, steps: int, kind: str) -> None:
        """Have every job report; return when all is stored."""
        self.begin(start, rate, steps, kind)
        self._line()

    def begin(self, start: float, rate: float, steps: int, kind: str) -> None:
        """The same, without waiting."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{start} {rate} {steps} {kind}\n")

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the server ended")
        return line

    def __enter__(self) -> SimulatedServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._folder.cleanup()


class Listeners:
    """`benchmarks.listener` in a process of its own; a context manager."""

    def __init__(self, address: str, request: str, count: int) -> None:
        command = [sys.executable, "-m", "benchmarks.listener", *address.split(":"), str(count)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        self._stdin.write(request.encode())
        self._stdin.flush()
        if self._stdout.readline() != b"open\n":
            raise RuntimeError(f"not all of {count} streams could be opened at {address}")

    def end(self) -> dict[str, Any]:
        """Stop listening; what was heard."""
        self._stdin.close()
        heard: dict[str, Any] = orjson.loads(self._stdout.readline())
        return heard

    def __enter__(self) -> Listeners:
        return self

    def __exit__(self, *_: object) -> None:
        self._stdin.close()
        self._process.kill()
        self._process.wait(20)
        self._stdout.close()


def measure() -> list[Row]:
    """Lateness in turns with the peer, and memory for each listener."""
    allow_files()
    absent = nchan.missing()
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(SimulatedServer(1))
        peer = None if absent else stack.enter_context(nchan.Nchan())
        kilobytes = _memory(server)
        ours, theirs = [], []
        for _ in range(ROUNDS):
            ours.append(_ours(server))
            if peer:
                theirs.append(_theirs(peer))
    return [_late_row(ours, theirs, absent), _memory_row(kilobytes)]


def request_of(server: SimulatedServer) -> str:
    """The request of the stream of its first job."""
    job = server.jobs[0]
    path = f"/api/v1/generations/{job['generation']}/events"
    return f"GET {path} HTTP/1.1\nHost: {server.address}\nAuthorization: Bearer {job['token']}\n\n"


def _memory(server: SimulatedServer) -> float:
    """Kilobytes for each listener that is there and has heard something."""
    with Listeners(server.address, request_of(server), WARM_LISTENERS):
        server.play(time.monotonic(), RATE, RATE, "events")
        before = server.memory
    with Listeners(server.address, request_of(server), LISTENERS):
        server.play(time.monotonic(), RATE, 2 * RATE, "events")
        return (server.memory - before) / 1024 / (LISTENERS - WARM_LISTENERS)


def _ours(server: SimulatedServer) -> list[float]:
    with Listeners(server.address, request_of(server), LISTENERS) as listeners:
        server.play(time.monotonic() + 0.5, RATE, RATE * SECONDS, "events")
        time.sleep(1)
        return _whole(listeners.end())


def _theirs(peer: nchan.Nchan) -> list[float]:
    address = f"127.0.0.1:{peer.port}"
    request = f"GET /events HTTP/1.1\nHost: {address}\nAccept: text/event-stream\n\n"
    with Listeners(address, request, LISTENERS) as listeners:
        start = time.monotonic() + 0.5
        for step in range(RATE * SECONDS):
            time.sleep(max(0.0, start + step / RATE - time.monotonic()))
            peer.publish(_sample(step))
        time.sleep(1)
        return _whole(listeners.end())


def _sample(step: int) -> bytes:
    """As long as an event of ours, and as full."""
    told = {
        "generationId": "gen_0123456789abcdef0123456789",
        "projectId": "prj_0123456789abcdef0123456789",
        "requestId": "req_0123456789abcdef0123456789",
        "status": "processing",
        "progress": step / 100,
        "attempt": 1,
        "at": "2026-11-01T12:00:00.000Z",
        "stage": "rendering",
        "step": step,
        "totalSteps": 1_000_000,
        "message": f"@{time.monotonic_ns()}@",
        "queuePosition": None,
        "etaSeconds": 1234.5,
        "estimated": False,
        "previewUrl": None,
    }
    return orjson.dumps(told)


def _whole(heard: dict[str, Any]) -> list[float]:
    """What was measured, if no listener missed anything."""
    expected = RATE * SECONDS
    if min(heard["counts"]) < expected:
        raise RuntimeError(f"a listener heard {min(heard['counts'])} of {expected} events")
    late: list[float] = heard["late"]
    return late


def _late_row(ours: list[list[float]], theirs: list[list[float]], absent: str) -> Row:
    figure = f"{LISTENERS} event streams, {RATE} events/s: sent -> read"
    (p50, p99) = (median(percentile(delays, fraction) for delays in ours) for fraction in (0.5, 0.99))
    value = f"p50 {p50:.0f} ms, p99 {p99:.0f} ms"
    if absent:
        return Row(figure, value, f"p99 <= {RATIO:g} x nginx + nchan", f"not measured: {absent}")
    (peer50, peer99) = (median(percentile(delays, fraction) for delays in theirs) for fraction in (0.5, 0.99))
    return Row(
        figure,
        f"{value}: {p99 / peer99:.2f} x",
        f"p99 <= {RATIO:g} x",
        f"nginx with nchan: p50 {peer50:.0f} ms, p99 {peer99:.0f} ms",
        p99 <= RATIO * peer99,
    )


def _memory_row(kilobytes: float) -> Row:
    bound = f"<= {KILOBYTES} KB"
    return Row("memory of one event stream", f"{kilobytes:.1f} KB", bound, "", kilobytes <= KILOBYTES)


def allow_files() -> None:
    """A descriptor for each connection, here and in every process started from here."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * LISTENERS
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
