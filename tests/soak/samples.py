"""What a server needs over time: memory, descriptors, children, threads, rows."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression

import psutil

MB = 1_000_000
TABLES = (
    *("sessions", "devices", "transfers", "projects", "generations", "files"),
    *("uploads", "shares", "origins", "events"),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the server. Memory is its own, without its children."""

    minute: float
    rss: int
    descriptors: int
    children: int
    threads: int


class Sampler:
    """Looks at a process at a fixed interval, in seconds."""

    def __init__(self, pid: int, interval: float = 5.0) -> None:
        self._process = psutil.Process(pid)
        self._interval = interval
        self._began = time.monotonic()
        self.samples: list[Sample] = []

    def take(self) -> Sample:
        """Look once."""
        with self._process.oneshot():
            sample = Sample(
                (time.monotonic() - self._began) / 60,
                self._process.memory_info().rss,
                self._process.num_fds(),
                len(self._process.children(recursive=True)),
                self._process.num_threads(),
            )
        self.samples.append(sample)
        return sample

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self.take()
            await asyncio.sleep(self._interval)

    def kinds_of_descriptors(self) -> Counter[str]:
        """How many descriptors there are of each kind: a socket, a pipe, or the name of a file."""
        kinds: Counter[str] = Counter()
        for descriptor in Path(f"/proc/{self._process.pid}/fd").iterdir():
            with suppress(OSError):
                kinds[descriptor.readlink().name.partition(":")[0]] += 1
        return kinds

    def growth(self, after: float) -> float:
        """Growth of the memory in MB per 10 minutes, by least squares over the samples after so many minutes."""
        late = [sample for sample in self.samples if sample.minute >= after]
        if len(late) < 2:
            return 0.0
        slope = linear_regression([sample.minute for sample in late], [sample.rss / MB for sample in late]).slope
        return slope * 10


def count_rows(database: Path) -> dict[str, int]:
    """The rows of each table that visitors fill."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}
