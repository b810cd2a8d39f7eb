"""A storm over several web processes and workers, with all that can fail between them; and what came of it."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.cluster_faults import Saboteur
from tests.chaos.crowd import Crowd
from tests.chaos.people import Ledger, Person
from tests.chaos.remains import Row, processes_of
from tests.chaos.storm import CALM_SECONDS, calm
from tests.chaos.verdict import Verdict
from tests.support.app import engine_reference
from tests.support.cluster import Cluster
from tests.support.links import Link

LEASE_SECONDS = 3
WORKERS = (("paced", "raises"), ("paced", "raises"), ("slow",))
AHEAD = {"web2": 60.0, "worker1": -60.0, "worker3": 45.0}
"""Seconds by which the clocks of some hosts are fast."""


@dataclass(frozen=True)
class ClusterPlan:
    """What a storm is made of. `must` are the first faults; the seed decides the rest."""

    faults: int
    seed: int
    people: int = 2
    crowd: int = 200
    must: tuple[str, ...] = ()
    namespaces: bool = False


@dataclass(frozen=True)
class ClusterOutcome:
    """What was done, what it led to, and every fault found."""

    seconds: float
    did: Counter[str]
    people: Counter[str]
    ends: Counter[str]
    attempts: Counter[int]
    """How many generations ended in which attempt."""
    most_lost: int
    faults: dict[str, list[str]]
    log: list[str]
    ledgers: list[Ledger]
    crowd: Crowd
    verdict: Verdict


class ClusterRemains:
    """A database and a bucket, and the scratch folders of the hosts."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def rows(self, query: str, *values: object) -> list[Row]:
        """Ask the database."""
        return self._cluster.rows(query, *values)

    def files(self) -> set[str]:
        """The keys of all objects: those of checkpoints are no files of a row, and must be gone."""
        return set(self._cluster.objects())

    def read(self, key: str) -> bytes:
        """An object."""
        return self._cluster.read(key)

    def faults(self) -> list[str]:
        """Uploads that were not finished, work folders and processes that are left."""
        found = [f"half an upload left: {key}" for key in self._cluster.unfinished_uploads()]
        for host in self._cluster.hosts:
            work = host.app.data_dir / "work"
            found += [f"work folder left: {path}" for path in (work.iterdir() if work.is_dir() else ())]
            if not host.runs:
                found += processes_of(host.app.data_dir)
        return found


async def cluster_storm(folder: Path, plan: ClusterPlan, enough: asyncio.Event | None = None) -> ClusterOutcome:
    """Run it in an empty folder, to its end or until it is `enough`."""
    rng = random.Random(plan.seed)
    began = time.monotonic()
    settings = {"stall_seconds": 5, "lease_seconds": LEASE_SECONDS, "max_attempts": 20}
    made = Cluster(folder, workers=WORKERS, namespaces=plan.namespaces, ahead=AHEAD, **settings)
    async with made as cluster, Link(cluster.url) as front:
        people = [Person(front.url, random.Random(rng.random()), "slow") for _ in range(plan.people)]
        await asyncio.gather(*(person.arrive() for person in people))
        crowd = Crowd(front.url, people[0].ledger.token, plan.crowd, random.Random(rng.random()))
        crowd.start()
        await crowd.gathered()
        saboteur = Saboteur(cluster, front, random.Random(rng.random()), LEASE_SECONDS)
        late = await _run(plan, people, crowd, saboteur, enough or asyncio.Event())
        await asyncio.gather(crowd.leave(), *(person.leave() for person in people))
        await asyncio.gather(*(host.stop() for host in cluster.hosts))
        ledgers = [person.ledger for person in people]
        verdict = await asyncio.to_thread(Verdict, ClusterRemains(cluster), ledgers, engine_reference)
        faults = await asyncio.to_thread(verdict.faults)
        logs = {host.name: host.app.log for host in cluster.hosts}
    faults["stuck"] += late
    faults["lost"] += verdict.crowd(people[0].ledger.session_id, crowd.heard)
    faults["wrong"] += crowd.restarts
    faults["wrong"] += [f"{name} logged a traceback" for name, log in logs.items() if "Traceback" in log]
    for name, log in logs.items():
        (folder / f"{name}.log").write_text(log)
    counted: Counter[str] = sum((ledger.did for ledger in ledgers), Counter())
    counted["events told"] = sum(len(ledger.told) for ledger in ledgers)
    counted["events told to the crowd"] = sum(map(len, crowd.heard))
    counted["streams broken"] = sum(ledger.breaks for ledger in ledgers) + crowd.breaks
    return ClusterOutcome(
        seconds=time.monotonic() - began,
        did=saboteur.did,
        people=counted,
        ends=Counter(row["status"] for row in verdict.generations.values()),
        attempts=Counter(row["attempt"] for row in verdict.generations.values()),
        most_lost=max((row["lost"] for row in verdict.generations.values()), default=0),
        faults=faults,
        log=saboteur.log,
        ledgers=ledgers,
        crowd=crowd,
        verdict=verdict,
    )


async def _run(
    plan: ClusterPlan, people: list[Person], crowd: Crowd, saboteur: Saboteur, enough: asyncio.Event
) -> list[str]:
    """The storm itself, and the calm after it; what did not come to its end in time."""
    async with asyncio.TaskGroup() as tasks:
        for person in people:
            tasks.create_task(person.live(enough))
        await saboteur.rage(plan.faults, plan.must, enough)
        enough.set()
    remains = ClusterRemains(saboteur.cluster)
    late = await calm(people, remains)
    last = remains.rows("SELECT max(id) FROM events WHERE session_id = ?", people[0].ledger.session_id)[0][0]
    try:
        async with asyncio.timeout(CALM_SECONDS):
            await crowd.caught_up(last)
    except TimeoutError:
        late.append(f"the crowd was not told everything {CALM_SECONDS:g} seconds after the storm")
    return late
