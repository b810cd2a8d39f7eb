"""The whole storm: an app, people, a network and a monkey; and what came of it."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.monkey import START_SECONDS, Loss, Monkey
from tests.chaos.people import Ledger, Person
from tests.chaos.remains import DataDir, Remains
from tests.chaos.verdict import Verdict
from tests.support.app import App, engine_reference
from tests.support.links import Link

CALM_SECONDS = 120.0
"""How long everything may take to end once the storm is over."""
RENDERS = ("preparing", "rendering", "finishing")


@dataclass(frozen=True)
class Plan:
    """What a storm is made of. `must` are the monkey's first acts; the seed decides the rest."""

    kills: int
    seed: int
    people: int = 3
    workers: int = 2
    must: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What was done, how many kills a later attempt made good, how long takeovers took (seconds), and every fault.

    A takeover's time counts only where nothing else happened in between; on a busy machine that may be none.
    """

    seconds: float
    kills: Counter[str]
    did: Counter[str]
    people: Counter[str]
    ends: Counter[str]
    made_good: int
    after_renderer: list[float]
    after_server: list[float]
    most_lost: int
    faults: dict[str, list[str]]
    ledgers: list[Ledger]


async def storm(folder: Path, plan: Plan, enough: asyncio.Event | None = None) -> Outcome:
    """Run it in an empty folder, to its end or until it is `enough`."""
    rng = random.Random(plan.seed)
    began = time.monotonic()
    # A renderer that stands still is given up soon; nobody's renders are used up by all this.
    settings = {"workers": plan.workers, "stall_seconds": 3, "lease_seconds": 2, "max_attempts": 20}
    app = App(folder / "data", engines=["paced", "raises"], **settings)
    app.detached = True
    try:
        await asyncio.to_thread(app.start, START_SECONDS)
        async with Link(app.base_url) as network:
            people = [Person(network.url, random.Random(rng.random())) for _ in range(plan.people)]
            await asyncio.gather(*(person.arrive() for person in people))
            monkey = Monkey(app, network, random.Random(rng.random()))
            ledgers = [person.ledger for person in people]
            late = await _run(plan, people, monkey, enough or asyncio.Event())
            await asyncio.gather(*(person.leave() for person in people))
            await asyncio.to_thread(app.stop)
    finally:
        await asyncio.to_thread(app.close)
    verdict = await asyncio.to_thread(Verdict, DataDir(app.data_dir), ledgers, engine_reference)
    faults = await asyncio.to_thread(verdict.faults)
    faults["stuck"] += late
    faults["orphan"] += monkey.outlived
    if "Traceback" in app.log:
        faults["wrong"].append("the server logged a traceback")
    return _outcome(time.monotonic() - began, monkey, ledgers, verdict, faults)


async def _run(plan: Plan, people: list[Person], monkey: Monkey, enough: asyncio.Event) -> list[str]:
    """The storm itself, and the calm after it; what did not come to its end in time."""
    async with asyncio.TaskGroup() as tasks:
        for person in people:
            tasks.create_task(person.live(enough))
        await monkey.rage(plan.kills, plan.must, enough)
        enough.set()
    late = await calm(people, DataDir(monkey.app.data_dir))
    while any((monkey.app.data_dir / "work").iterdir()) and not late:
        await asyncio.sleep(0.05)
    return late


async def calm(people: list[Person], remains: Remains) -> list[str]:
    """Wait until everything has ended and everybody was told; what did not come to its end in time."""
    late = []
    for person in people:
        try:
            async with asyncio.timeout(CALM_SECONDS):
                while await asyncio.to_thread(_unfinished, remains):
                    await asyncio.sleep(0.2)
                await person.caught_up(await asyncio.to_thread(_newest, remains, person.ledger))
                for name in (await asyncio.to_thread(_completed, remains, person.ledger))[:5]:
                    await person.fetch(name)
        except TimeoutError:
            late.append(f"{person.ledger.session_id} was not told everything {CALM_SECONDS:g} seconds after the storm")
    return late


def _unfinished(remains: Remains) -> int:
    return int(remains.rows("SELECT count(*) FROM generations WHERE status IN ('queued', 'processing')")[0][0])


def _newest(remains: Remains, ledger: Ledger) -> int:
    return int(remains.rows("SELECT max(id) FROM events WHERE session_id = ?", ledger.session_id)[0][0])


def _completed(remains: Remains, ledger: Ledger) -> list[str]:
    query = "SELECT id FROM generations WHERE session_id = ? AND status = 'completed'"
    return [row[0] for row in remains.rows(query, ledger.session_id)]


def _outcome(
    seconds: float, monkey: Monkey, ledgers: list[Ledger], verdict: Verdict, faults: dict[str, list[str]]
) -> Outcome:
    took = [(loss, span) for loss in monkey.losses if (span := _takeover(loss, monkey, verdict)) is not None]
    people: Counter[str] = sum((ledger.did for ledger in ledgers), Counter())
    people["events told"] = sum(len(ledger.told) for ledger in ledgers)
    people["streams broken"] = sum(ledger.breaks for ledger in ledgers)
    return Outcome(
        seconds=seconds,
        kills=monkey.kills,
        did=monkey.did,
        people=people,
        ends=Counter(row["status"] for row in verdict.generations.values()),
        made_good=sum(_made_good(loss, verdict) for loss in monkey.losses),
        after_renderer=[span for loss, span in took if not loss.by_server],
        after_server=[span for loss, span in took if loss.by_server],
        most_lost=max((row["lost"] for row in verdict.generations.values()), default=0),
        faults=faults,
        ledgers=ledgers,
    )


def _made_good(loss: Loss, verdict: Verdict) -> bool:
    """Whether a later attempt of the generation made progress."""
    events = verdict.events.get(loss.generation_id, [])
    return any(kind == "render_progress" and data["attempt"] > loss.attempt for _, kind, data, _ in events)


def _takeover(loss: Loss, monkey: Monkey, verdict: Verdict) -> float | None:
    """Seconds to the first progress of the next attempt; None where another blow came first, or it had ended."""
    for _, kind, data, at in verdict.events.get(loss.generation_id, []):
        if data["attempt"] > loss.attempt and kind == "render_progress" and data["stage"] in RENDERS:
            if data["attempt"] != loss.attempt + 1 or any(loss.since < away < at for away, _ in monkey.outages):
                return None
            return max(0.0, at - loss.since)
    return None
