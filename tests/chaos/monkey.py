"""Whatever can be killed is killed: renderers, spares and the server, by SIGKILL and SIGTERM, awake and frozen."""

from __future__ import annotations

import asyncio
import random
import re
import signal
import time
from collections import Counter
from dataclasses import dataclass, field

import psutil

from tests.chaos.remains import rows
from tests.support.app import App
from tests.support.links import Link

START_SECONDS = 300.0
"""How long a start may take on a machine that has other work; nothing is measured by it."""
DEATH_SECONDS = 10.0
"""How long the children of a dead server may take to be gone."""
_LOG = re.compile(r"=== attempt (\d+) of .*, process (\d+)")
# How often each happens; those of the first line count as kills.
_ACTS = {"renderer": 64, "spare": 4, "server": 5, "server in its stop": 2, "server in its start": 1, "frozen": 2}
_OTHERS = {"freeze": 5, "stop": 2, "cut": 8, "stall": 5, "silence": 3}


@dataclass(frozen=True)
class Loss:
    """A renderer that was killed while it rendered."""

    generation_id: str
    attempt: int
    since: float
    """From when on its next attempt is waited for: the kill, or the `Ready` after it. Seconds since the epoch."""
    by_server: bool


@dataclass
class Monkey:
    """Does one thing after another until it has killed often enough."""

    app: App
    network: Link
    rng: random.Random
    kills: Counter[str] = field(default_factory=Counter)
    did: Counter[str] = field(default_factory=Counter)
    losses: list[Loss] = field(default_factory=list)
    outages: list[tuple[float, float]] = field(default_factory=list)
    outlived: list[str] = field(default_factory=list)

    async def rage(self, kills: int, must: tuple[str, ...], enough: asyncio.Event) -> None:
        """Kill so often, or until it is enough; `must` comes first, whatever the dice say.

        What must be done is tried until it could be: for a while there may be no renderer to kill.
        """
        acts = _ACTS | _OTHERS
        begin = list(must)
        while not enough.is_set() and (self.kills.total() < kills or begin):
            await asyncio.sleep(self.rng.uniform(0.05, 1.2))
            kind = begin[0] if begin else self.rng.choices(list(acts), list(acts.values()))[0]
            act = getattr(self, "_" + kind.replace(" ", "_"))
            if await act():
                (self.kills if kind in _ACTS else self.did)[kind] += 1
                del begin[:1]
        self.network.heal()

    # Renderers

    async def _renderer(self) -> bool:
        if not (found := self._rendering()):
            return False
        pid, generation_id, attempt = self.rng.choice(found)
        if not _signal(pid, signal.SIGKILL):
            return False
        self.losses.append(Loss(generation_id, attempt, time.time(), by_server=False))
        return True

    async def _spare(self) -> bool:
        rendering = {pid for pid, _, _ in self._rendering()}
        idle = [child.pid for child in self._children() if child.pid not in rendering]
        return bool(idle) and _signal(self.rng.choice(idle), signal.SIGKILL)

    async def _freeze(self) -> bool:
        """A renderer stands still for a while, and goes on."""
        children = [child.pid for child in self._children()]
        if not children or not _signal(pid := self.rng.choice(children), signal.SIGSTOP):
            return False
        await asyncio.sleep(self.rng.uniform(0.2, 1.5))
        _signal(pid, signal.SIGCONT)
        return True

    async def _frozen(self) -> bool:
        """A renderer stands still for good: it is for the app to find out, and to kill."""
        return bool(found := self._rendering()) and _signal(self.rng.choice(found)[0], signal.SIGSTOP)

    # The server

    async def _server(self) -> bool:
        await self._away(self.app.kill)
        return True

    async def _stop(self) -> bool:
        twice = self.rng.random() < 0.5

        def stop() -> None:
            if twice:  # somebody has no patience
                assert self.app.process is not None
                self.app.process.terminate()
                time.sleep(self.rng.uniform(0.0, 0.5))
            self.app.stop()

        await self._away(stop)
        return True

    async def _server_in_its_stop(self) -> bool:
        def stop_and_kill() -> None:
            assert self.app.process is not None
            self.app.process.terminate()
            time.sleep(self.rng.uniform(0.0, 1.2))
            self.app.kill()

        await self._away(stop_and_kill)
        return True

    async def _server_in_its_start(self) -> bool:
        await self._away(self.app.kill, again=True)
        return True

    async def _away(self, end: object, *, again: bool = False) -> None:
        """End the server by `end`, see that nothing of it lives on, and start the next one."""
        children, lost = self._children(), self._processing()
        began = time.time()
        await asyncio.to_thread(end)  # type: ignore[arg-type]
        if again:
            await self._die_in_start()
        _, alive = await asyncio.to_thread(psutil.wait_procs, children, DEATH_SECONDS)
        self.outlived += [f"process {child.pid} outlived its server" for child in alive]
        await asyncio.to_thread(self.app.start, START_SECONDS)
        ready = time.time()
        self.outages.append((began, ready))
        self.losses += [Loss(name, attempt, ready, by_server=True) for name, attempt in lost]

    async def _die_in_start(self) -> None:
        starting = asyncio.create_task(asyncio.to_thread(self.app.start, START_SECONDS))
        await asyncio.sleep(self.rng.uniform(0.3, 4.0))
        if self.app.process is not None:
            self.app.process.kill()
        try:
            await starting
        except RuntimeError:
            return  # it did not come as far as Ready
        await asyncio.to_thread(self.app.kill)

    # The network

    async def _cut(self) -> bool:
        self.network.cut()
        return True

    async def _stall(self) -> bool:
        self.network.stall()
        await asyncio.sleep(self.rng.uniform(0.3, 2.5))
        self.network.heal()
        return True

    async def _silence(self) -> bool:
        self.network.go_silent()
        await asyncio.sleep(self.rng.uniform(0.3, 2.5))
        self.network.heal()
        return True

    # What there is to kill

    def _children(self) -> list[psutil.Process]:
        return self.app.children() if self.app.process is not None else []

    def _rendering(self) -> list[tuple[int, str, int]]:
        """Process, generation and attempt of every renderer that has begun."""
        alive = {child.pid for child in self._children()}
        found = []
        for log in (self.app.data_dir / "work").glob("*/render.log"):
            try:
                attempt, pid = _LOG.findall(log.read_text(errors="replace"))[-1]
            except (OSError, IndexError):
                continue  # it has ended, or has not begun
            if int(pid) in alive:
                found.append((int(pid), log.parent.name, int(attempt)))
        return found

    def _processing(self) -> list[tuple[str, int]]:
        return rows(self.app.data_dir, "SELECT id, attempt FROM generations WHERE status = 'processing'")


def _signal(pid: int, number: signal.Signals) -> bool:
    try:
        psutil.Process(pid).send_signal(number)
    except psutil.NoSuchProcess:
        return False
    return True
