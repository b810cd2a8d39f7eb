"""`python -m tests.soak [--minutes 60] [--sessions 20] [--hostile 0.05] [--seed N]`: one server, used for an hour.

Exit status 1 if its memory grows by more than 2 MB per 10 minutes after the first 10, if descriptors, children or rows
are not as at the start once everybody has left, or if an answer was not an expected one. Rows are counted after the
cleanup of the next day, which is run on the stopped server with a clock that is a day ahead.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import httpx

from tests.soak import week
from tests.soak.attacks import Attacker
from tests.soak.samples import MB, Sample, Sampler, count_rows
from tests.soak.tomorrow import clean_up
from tests.soak.visitors import Visitor
from tests.support.app import App
from videogen.core.config import AppConfig

MAX_GROWTH_MB: Final = 2.0
"""Per 10 minutes, after the first 10."""
CALM_SECONDS: Final = 90
"""For connections that are timed out, trash that is emptied, and renderers that end."""


def main() -> int:
    """Run the soak; print its figures and its faults."""
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--hostile", type=float, default=0.05, help="share of all acts that are attacks")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--week", action="store_true", help="instead: a simulated week with retention and limits")
    asked = parser.parse_args()
    if asked.week:
        return week.run(asked.seed)
    print(f"soak: {asked.minutes:g} minutes, {asked.sessions} sessions, seed {asked.seed} ...", flush=True)
    with tempfile.TemporaryDirectory(prefix="videogen-soak-") as folder, start_app(Path(folder)) as app:
        return asyncio.run(Soak(app, asked).run())


def start_app(folder: Path) -> App:
    """The server: its limits are the defaults, since each visitor has an address. The test suite raises them."""
    raised = ("rate_", "max_streams_", "max_active_per_address")
    limits = {name: field.default for name, field in AppConfig.model_fields.items() if name.startswith(raised)}
    settings = {"workers": 2, "trash_minutes": 0.5, "max_queue": 1000}
    return App(folder / "data", engines=["bars", "procedural", "raises"], page=True, **settings, **limits)


class Soak:
    """One run."""

    def __init__(self, app: App, asked: argparse.Namespace) -> None:
        self._app, self._asked = app, asked
        self._rng = random.Random(asked.seed)
        handlers = httpx.get(f"{app.base_url}/config", timeout=30).json()["dependencies"]
        self._watch = next(one["id"] for one in handlers if one["targets"][0][1] == "load" and one["queue"])
        self._visitors = [self._visitor(f"198.51.100.{number}") for number in range(1, asked.sessions + 1)]
        self._attacker = Attacker(app.base_url, random.Random(self._rng.random()), self._watch)
        self._sampler = Sampler(app.pid)
        self._faults: list[str] = []

    def _visitor(self, address: str) -> Visitor:
        return Visitor(self._app.base_url, address, random.Random(self._rng.random()), self._watch)

    async def run(self) -> int:
        """Warm up, use, leave, compare; return the exit status."""
        database = self._app.data_dir / "videogen.sqlite"
        before_rows = count_rows(database)
        await self._warm_up()
        before, kinds = self._sampler.take(), self._sampler.kinds_of_descriptors()
        sampling = asyncio.create_task(self._sampler.run())
        reporting = asyncio.create_task(self._report_progress())
        ends = time.monotonic() + self._asked.minutes * 60
        await asyncio.gather(*(self._live(visitor, ends) for visitor in self._visitors))
        sampling.cancel()
        reporting.cancel()
        print("everybody leaves ...", flush=True)
        await asyncio.gather(*(visitor.leave() for visitor in self._visitors))
        await self._attacker.leave()
        after = await self._calm(before)
        print(f"descriptors that were not there at first: {dict(self._sampler.kinds_of_descriptors() - kinds)}")
        self._app.stop()
        clean_up(self._app.data_dir)
        self._compare(before, after, before_rows, count_rows(database))
        return self._result()

    async def _warm_up(self) -> None:
        """What is made once is made before the first sample: renderers, and the connections of the database's pools."""
        guest = self._visitor("198.51.100.250")
        await guest.arrive()
        await guest.page()
        await asyncio.gather(*(guest.submit() for _ in range(20)), *(guest.history() for _ in range(80)))
        await asyncio.sleep(20)
        await guest.leave()
        await asyncio.sleep(5)

    async def _live(self, visitor: Visitor, ends: float) -> None:
        await visitor.arrive()
        while time.monotonic() < ends:
            attacks = self._rng.random() < self._asked.hostile
            try:
                await (self._attacker.act() if attacks else visitor.act())
            except httpx.HTTPError as problem:
                visitor.faults[f"no answer: {problem!r}"] += 1
            await asyncio.sleep(visitor.rng.uniform(1, 7))

    async def _calm(self, before: Sample) -> Sample:
        """Wait until descriptors and children are as before, at most CALM_SECONDS."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CALM_SECONDS):
                while (now := self._sampler.take()).descriptors > before.descriptors or now.children > before.children:
                    await asyncio.sleep(1)
        return self._sampler.take()

    async def _report_progress(self) -> None:
        while True:
            await asyncio.sleep(60)
            if self._sampler.samples:
                print(_line(self._sampler.samples[-1]), flush=True)

    def _compare(self, before: Sample, after: Sample, rows: dict[str, int], left: dict[str, int]) -> None:
        growth = self._sampler.growth(after=10)
        print(f"memory: {before.rss / MB:.0f} MB at first, {after.rss / MB:.0f} at last, {growth:+.2f} MB / 10 min")
        if growth > MAX_GROWTH_MB:
            self._faults.append(f"memory grew by {growth:.2f} MB per 10 minutes; at most {MAX_GROWTH_MB:g} are allowed")
        for name in ("descriptors", "children"):
            first, last = getattr(before, name), getattr(after, name)
            print(f"{name}: {first} at first, {last} at last")
            if last > first:
                self._faults.append(f"{name}: {first} at first, {last} at last")
        print(f"rows after the cleanup of the next day: {left}")
        grown = [table for table in rows if left[table] > rows[table]]
        self._faults += [f"{table}: {rows[table]} rows at first, {left[table]} at last" for table in grown]
        if "Traceback" in self._app.log:
            self._faults.append("the server logged a traceback:\n" + _excerpt(self._app.log))

    def _result(self) -> int:
        parties: Sequence[Visitor | Attacker] = (*self._visitors, self._attacker)
        print(f"visitors: {dict(sum((one.did for one in self._visitors), Counter()))}")
        print(f"attacks: {dict(self._attacker.did)}")
        faults: Counter[str] = sum((one.faults for one in parties), Counter())
        self._faults += [f"{count} x {answer}" for answer, count in faults.most_common()]
        print("\n".join(f"FAULT {fault}" for fault in self._faults) or "no faults")
        return 1 if self._faults else 0


def _excerpt(log: str) -> str:
    lines = log.splitlines()
    at = next(number for number, line in enumerate(lines) if "Traceback" in line)
    return "\n".join(lines[max(0, at - 2) : at + 40])


def _line(sample: Sample) -> str:
    return (
        f"{sample.minute:5.1f} min  {sample.rss / MB:6.1f} MB  {sample.descriptors:4} descriptors  "
        f"{sample.children} children  {sample.threads} threads"
    )


if __name__ == "__main__":
    sys.exit(main())
