"""Two hundred open pages, each with a running job: how old is what they show? Beside a plain Gradio generator."""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median
from typing import IO, Any

import httpx
import orjson

from benchmarks.sse import Stage
from benchmarks.table import Row, percentile
from tests.support.app import ROOT

PAGES = 200
RATE = 10
SECONDS = 20
LEAD = 1.0
"""Seconds from the word to begin until the first step."""
BOUND_S = 1.0


def measure() -> list[Row]:
    """One after the other: each has the machine to itself."""
    ours, theirs = _ours(), _theirs()
    every = [age for moment in ours for age in moment]
    late = percentile(every, 0.99)
    begin, end = (median(theirs[at]) for at in (0, -1))
    return [
        Row(
            f"{PAGES} pages with a job each, {RATE} events/s: age of the state shown",
            f"p50 {median(every):.2f} s, p99 {late:.2f} s",
            f"p99 <= {BOUND_S:g} s",
            f"plain Gradio generator: {begin:.1f} s after 2 s, {end:.1f} s after {SECONDS} s",
            late <= BOUND_S,
        )
    ]


def _ours() -> list[list[float]]:
    with Stage(PAGES) as stage:
        data = [[{"token": job["token"], "selected": job["generation"]}] for job in stage.jobs]
        watch = _handler(stage.address, lambda handler: handler["js"] == "videogen.arrive")
        with Watchers(stage.address, watch, data) as watchers:
            start = time.monotonic() + LEAD
            stage.begin(start, RATE, RATE * (SECONDS + 2), "steps")
            return watchers.ages(start)


def _theirs() -> list[list[float]]:
    command = [sys.executable, "-m", "benchmarks.plain_watch"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            address = process.stdout.readline().removeprefix("Ready on http://").strip()
            watch = _handler(address, lambda handler: handler["targets"][0][1] == "load")
            with Watchers(address, watch, [[]] * PAGES) as watchers:
                start = time.monotonic() + LEAD
                process.stdin.write(f"{start} {RATE} {RATE * (SECONDS + 2)}\n")
                return watchers.ages(start)
        finally:
            process.kill()


def _handler(address: str, is_it: Any) -> int:
    config = httpx.get(f"http://{address}/config", timeout=30).json()
    return next(int(handler["id"]) for handler in config["dependencies"] if is_it(handler))


class Watchers:
    """`benchmarks.watchers` in a process of its own; a context manager."""

    def __init__(self, address: str, handler: int, data: list[list[Any]]) -> None:
        command = [sys.executable, "-m", "benchmarks.watchers", *address.split(":")]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin: IO[bytes] = self._process.stdin
        self._stdout: IO[bytes] = self._process.stdout
        self._tell(orjson.dumps({"fn": handler, "data": data}).decode())
        if self._stdout.readline() != b"open\n":
            raise RuntimeError(f"not all of {len(data)} pages could be opened")

    def ages(self, start: float) -> list[list[float]]:
        """Watch to the end; seconds, one list for each moment."""
        self._tell(f"{start} {RATE} {RATE * SECONDS}")
        told: list[list[float]] = orjson.loads(self._stdout.readline())["ages"]
        return told

    def _tell(self, line: str) -> None:
        self._stdin.write(line.encode() + b"\n")
        self._stdin.flush()

    def __enter__(self) -> Watchers:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(20)
        self._stdin.close()
        self._stdout.close()
