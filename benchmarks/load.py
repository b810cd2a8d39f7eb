"""The age of the state that many open pages show, each with a running job. Peer: a plain Gradio generator."""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median
from typing import IO, Any

import httpx
import orjson

from benchmarks.sse import SimulatedServer
from benchmarks.table import Row, percentile
from tests.support.app import ROOT

PAGES = (100, 200)
RATE = 10
SECONDS = 20
LEAD = 1.0
"""Seconds from the start command until the first step."""
BOUND_S = 1.5
"""For the first of `PAGES`."""


def measure() -> list[Row]:
    """Measure one after the other: each has the machine alone."""
    return [_row(pages) for pages in PAGES]


def _row(pages: int) -> Row:
    ours, theirs = _ours(pages), _theirs(pages)
    ages = [age for sample in ours for age in sample]
    p99 = percentile(ages, 0.99)
    begin, end = (median(theirs[at]) for at in (0, -1))
    bounded = pages == PAGES[0]
    return Row(
        f"{pages} pages with a job each, {RATE} events/s: age of the state shown",
        f"p50 {median(ages):.2f} s, p99 {p99:.2f} s",
        f"p99 <= {BOUND_S:g} s" if bounded else "",
        f"plain Gradio generator: {begin:.1f} s after 2 s, {end:.1f} s after {SECONDS} s",
        p99 <= BOUND_S if bounded else None,
    )


def _ours(pages: int) -> list[list[float]]:
    with SimulatedServer(pages) as server:
        data = [[{"token": job["token"], "search": f"?generation={job['generation']}"}] for job in server.jobs]
        with Watchers(server.address, watch_handler(server.address), data) as watchers:
            start = time.monotonic() + LEAD
            server.begin(start, RATE, RATE * (SECONDS + 2), "steps")
            return watchers.ages(start)


def _theirs(pages: int) -> list[list[float]]:
    command = [sys.executable, "-m", "benchmarks.plain_watch"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            address = process.stdout.readline().removeprefix("Ready on http://").strip()
            with Watchers(address, watch_handler(address), [[]] * pages) as watchers:
                start = time.monotonic() + LEAD
                process.stdin.write(f"{start} {RATE} {RATE * (SECONDS + 2)}\n")
                return watchers.ages(start)
        finally:
            process.kill()


def watch_handler(address: str) -> int:
    """The number of a page's endless handler."""
    config = httpx.get(f"http://{address}/config", timeout=30).json()
    return next(int(one["id"]) for one in config["dependencies"] if one["targets"][0][1] == "load" and one["queue"])


class Watchers:
    """`benchmarks.watchers` in a process of its own; a context manager."""

    def __init__(self, address: str, handler: int, data: list[list[Any]]) -> None:
        command = [sys.executable, "-m", "benchmarks.watchers", *address.split(":")]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin: IO[bytes] = self._process.stdin
        self._stdout: IO[bytes] = self._process.stdout
        self._send(orjson.dumps({"fn": handler, "data": data}).decode())
        if self._stdout.readline() != b"open\n":
            raise RuntimeError(f"not all of {len(data)} pages could be opened")

    def ages(self, start: float) -> list[list[float]]:
        """Watch to the end; return ages in seconds, one list for each sample."""
        self._send(f"{start} {RATE} {RATE * SECONDS}")
        ages: list[list[float]] = orjson.loads(self._stdout.readline())["ages"]
        return ages

    def _send(self, line: str) -> None:
        self._stdin.write(line.encode() + b"\n")
        self._stdin.flush()

    def __enter__(self) -> Watchers:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(20)
        self._stdin.close()
        self._stdout.close()
