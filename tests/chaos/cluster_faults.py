"""What goes wrong with several machines: hosts die, stand still or are cut off; the database and the storage fail."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.support.cluster import DATABASE, Cluster, Host
from tests.support.links import Link

# How often each happens.
FAULTS = {
    "renderer killed": 10,
    "worker killed": 8,
    "worker frozen": 8,
    "worker stopped": 4,
    "host without database": 8,
    "host without storage": 8,
    "web killed": 6,
    "web stopped": 3,
    "web frozen": 3,
    "connections dropped": 6,
    "database restarted": 3,
    "database killed": 3,
    "storage busy": 5,
    "storage slow": 5,
    "storage frozen": 3,
    "storage cut in a body": 6,
    "front cut": 5,
}


@dataclass
class Saboteur:
    """Makes one fault after another, and mends each."""

    cluster: Cluster
    front: Link
    rng: random.Random
    lease_seconds: float
    did: Counter[str] = field(default_factory=Counter)
    log: list[str] = field(default_factory=list)

    async def rage(self, faults: int, must: tuple[str, ...], enough: asyncio.Event) -> None:
        """Make so many faults, or until it is enough; those of `must` come first."""
        began = time.monotonic()
        first = list(must)
        while not enough.is_set() and (self.did.total() < faults or first):
            kind = first[0] if first else self.rng.choices(list(FAULTS), list(FAULTS.values()))[0]
            self.log.append(f"{time.monotonic() - began:.1f} {kind}")
            if await getattr(self, "_" + kind.replace(" ", "_"))():
                self.did[kind] += 1
                del first[:1]
            await self._while(0.1, 1.0)

    async def _while(self, least: float, most: float) -> None:
        await asyncio.sleep(self.rng.uniform(least, most))

    def _long(self) -> float:
        """Longer than a lease in most cases."""
        return self.rng.uniform(0.5, 2.5) * self.lease_seconds

    # Hosts

    async def _renderer_killed(self) -> bool:
        rendering = [child for worker in self.cluster.hosts for child in worker.app.children()]
        if not rendering:
            return False
        self.rng.choice(rendering).kill()
        return True

    async def _worker_killed(self) -> bool:
        worker = self.rng.choice(self.cluster.workers)
        await worker.kill()
        await self._while(0.0, 2.0)
        await worker.start()
        return True

    async def _worker_frozen(self) -> bool:
        return await self._frozen(self.rng.choice(self.cluster.workers))

    async def _frozen(self, host: Host) -> bool:
        host.freeze()
        await asyncio.sleep(self._long())
        host.wake()
        return True

    async def _worker_stopped(self) -> bool:
        worker = self.rng.choice(self.cluster.workers)
        await worker.stop()
        await worker.start()
        return True

    async def _host_without_database(self) -> bool:
        return await self._cut_off(self.rng.choice(self.cluster.hosts).database)

    async def _host_without_storage(self) -> bool:
        return await self._cut_off(self.rng.choice(self.cluster.hosts).storage)

    async def _cut_off(self, link: Link) -> bool:
        link.isolate()
        await asyncio.sleep(self._long())
        link.heal()
        return True

    async def _web_killed(self) -> bool:
        web = self.rng.choice(self.cluster.webs)
        await web.kill()
        await self._while(0.0, 2.0)
        await web.start()
        return True

    async def _web_stopped(self) -> bool:
        web = self.rng.choice(self.cluster.webs)
        await web.stop()
        await web.start()
        return True

    async def _web_frozen(self) -> bool:
        return await self._frozen(self.rng.choice(self.cluster.webs))

    # The database

    async def _connections_dropped(self) -> bool:
        await asyncio.to_thread(self.cluster.postgresql.drop_connections, DATABASE)
        return True

    async def _database_restarted(self) -> bool:
        await asyncio.to_thread(self.cluster.postgresql.stop)
        await self._while(0.0, 2.0)
        await asyncio.to_thread(self.cluster.postgresql.start)
        return True

    async def _database_killed(self) -> bool:
        await asyncio.to_thread(self.cluster.postgresql.kill)
        await asyncio.to_thread(self.cluster.postgresql.start)
        return True

    # The storage

    async def _storage_busy(self) -> bool:
        return await self._storage(Link.answer_busy)

    async def _storage_slow(self) -> bool:
        seconds = self.rng.uniform(0.05, 0.5)
        return await self._storage(lambda link: link.slow(seconds))

    async def _storage_cut_in_a_body(self) -> bool:
        size = self.rng.randrange(500, 20_000)
        return await self._storage(lambda link: link.cut_after(size))

    async def _storage(self, fault: Callable[[Link], None]) -> bool:
        links = [host.storage for host in self.cluster.hosts]
        for link in links:
            fault(link)
        await asyncio.sleep(self._long())
        for link in links:
            link.heal()
        return True

    async def _storage_frozen(self) -> bool:
        self.cluster.s3.freeze()
        await asyncio.sleep(self._long())
        self.cluster.s3.wake()
        return True

    # The clients

    async def _front_cut(self) -> bool:
        self.front.cut()
        return True


REFUSED = re.compile(r"late write|lost its lease|is no longer its own|superseded", re.IGNORECASE)
"""What a worker logs when its write was refused because the job has gone to another one."""
