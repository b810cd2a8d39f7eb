"""People who submit, double-click, cancel, retry, delete and watch all the while, and note what they were told."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

import httpx

from videogen.client import ApiError, AsyncClient, ClientError, ConnectionChange, Unreachable
from videogen.schemas.events import RenderError, RenderProgress, RenderResult, is_terminal
from videogen.schemas.generations import GenerationCreate

Told = RenderProgress | RenderResult | RenderError
T = TypeVar("T")

SETTINGS = {"width": 64, "height": 64, "fps": 8, "durationSeconds": 5.0, "delay_ms": 25}
SEEDS = 4
"""So few that each recipe is rendered often: all its files must be the same."""
AT_ONCE = 3


@dataclass
class Ledger:
    """What one person was promised and told."""

    session_id: str = ""
    token: str = ""
    accepted: dict[str, str] = field(default_factory=dict)
    """Generation to project, as each was answered."""
    projects: dict[str, set[str]] = field(default_factory=dict)
    """Idempotency key to all projects that were answered under it: one, if all is well."""
    deleted: set[str] = field(default_factory=set)
    unsure: int = 0
    """Retries without an answer: each may have made a generation or not."""
    told: list[Told] = field(default_factory=list)
    """Every event of the session, in the order of its coming."""
    followed: dict[str, list[Told]] = field(default_factory=dict)
    """The events of generations that were watched one by one."""
    breaks: int = 0
    did: Counter[str] = field(default_factory=Counter)

    @property
    def ended(self) -> set[str]:
        """The generations whose end this person was told."""
        return {event.generation_id for event in self.told if is_terminal(event.type)}


class Person:
    """One session behind a network that cannot be relied upon."""

    def __init__(self, url: str, rng: random.Random, other_engine: str = "") -> None:
        """`other_engine` is used now and then; it takes the settings of `paced`."""
        self.ledger = Ledger()
        self._other = other_engine
        self._url, self._rng = url, rng
        self._client = AsyncClient(url)
        self._watchers: list[asyncio.Task[None]] = []
        self._followers: list[asyncio.Task[None]] = []

    async def arrive(self) -> None:
        """Get a session and begin to watch it."""
        created = await self._insist(self._client.create_session)
        self.ledger.session_id, self.ledger.token = created.session_id, created.token
        self._client = self._client.as_session(created.token)
        self._watchers.append(asyncio.create_task(self._watch()))

    async def live(self, enough: asyncio.Event) -> None:
        """Keep a few generations going, and change one's mind, until told that it is enough."""
        ledger, rng = self.ledger, self._rng
        while not enough.is_set():
            ended = ledger.ended
            running = [known for known in ledger.accepted if known not in ended and known not in ledger.deleted]
            over = [known for known in ledger.accepted if known in ended and known not in ledger.deleted]
            if len(running) < AT_ONCE:
                await self._submit()
            if running and rng.random() < 0.03:
                await self._cancel(rng.choice(running))
            if over and rng.random() < 0.03:
                await self._retry(rng.choice(over))
            if over and rng.random() < 0.03:
                await self._delete(rng.choice(over))
            await asyncio.sleep(rng.uniform(0.0, 0.6))

    async def caught_up(self, last_event: int) -> None:
        """Wait until everything was told up to this number, and every follower has heard the end."""
        await asyncio.gather(*self._followers)
        while not self.ledger.told or self.ledger.told[-1].id < last_event:
            await asyncio.sleep(0.05)

    async def fetch(self, generation_id: str) -> bytes:
        """The video of a generation, as a browser gets it."""
        generation = await self._insist(lambda: self._client.get(generation_id))
        async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
            answer = await http.get(generation.video_url)
            return answer.raise_for_status().content

    async def leave(self) -> None:
        """Close everything."""
        for task in (*self._watchers, *self._followers):
            task.cancel()
        await asyncio.gather(*self._watchers, *self._followers, return_exceptions=True)
        await self._client.aclose()

    async def _watch(self) -> None:
        async for item in self._client.watch(last_event_id=0):
            if isinstance(item, ConnectionChange):
                self.ledger.breaks += item.state == "reconnecting"
            else:
                self.ledger.told.append(item)

    async def _follow(self, generation_id: str) -> None:
        told = self.ledger.followed[generation_id] = []
        async for item in self._client.watch(generation=generation_id, last_event_id=0):
            if not isinstance(item, ConnectionChange):
                told.append(item)  # noqa: PERF401 - it is read before it is complete

    async def _submit(self) -> None:
        ledger, rng = self.ledger, self._rng
        key = f"{ledger.session_id}-{len(ledger.projects)}"
        breaks = rng.random() < 0.04
        request = GenerationCreate(
            prompt="a storm",
            engine="raises" if breaks else self._engine(),
            settings=({} if breaks else SETTINGS) | {"seed": rng.randrange(SEEDS)},
            variations=2 if rng.random() < 0.1 else 1,
        )
        # A double click, or somebody who presses again when all is long done.
        clicks = 2 if rng.random() < 0.2 else 1
        again = 1 if rng.random() < 0.2 else 0
        made = await asyncio.gather(
            *(self._insist(lambda: self._client.submit(request, key)) for _ in range(clicks)),
        )
        for _ in range(again):
            made.append(await self._insist(lambda: self._client.submit(request, key)))
        ledger.projects[key] = {project.project_id for project in made}
        for project in made:
            for generation in project.generations:
                ledger.accepted[generation.id] = project.project_id
        ledger.did["submits"] += 1
        followed = made[0].generations[0].id
        if rng.random() < 0.2:
            self._followers.append(asyncio.create_task(self._follow(followed)))

    def _engine(self) -> str:
        return self._other if self._other and self._rng.random() < 0.2 else "paced"

    async def _cancel(self, generation_id: str) -> None:
        for _ in range(self._rng.choice((1, 1, 2))):
            await self._insist(lambda: self._client.cancel(generation_id))
        self.ledger.did["cancels"] += 1

    async def _retry(self, generation_id: str) -> None:
        try:
            made = await self._client.retry(generation_id)
        except ClientError:
            self.ledger.unsure += 1
            return
        self.ledger.accepted[made.id] = made.project_id
        self.ledger.did["retries"] += 1

    async def _delete(self, generation_id: str) -> None:
        if generation_id in self.ledger.followed:
            return
        self.ledger.deleted.add(generation_id)
        headers = {"Authorization": f"Bearer {self.ledger.token}"}
        async with httpx.AsyncClient(trust_env=False, timeout=20) as http:

            async def delete() -> None:
                try:
                    answer = await http.delete(f"{self._url}/api/v1/generations/{generation_id}", headers=headers)
                except httpx.TransportError as problem:
                    raise Unreachable from problem
                if answer.status_code in (502, 503, 504):
                    raise Unreachable(answer.text)
                assert answer.status_code in (204, 404), answer.text

            await self._insist(delete)
        self.ledger.did["deletes"] += 1

    async def _insist(self, call: Callable[[], Awaitable[T]]) -> T:
        """Try until it is answered: the network and the server may be away."""
        while True:
            try:
                return await call()
            except Unreachable:
                self.ledger.did["calls without an answer"] += 1
            except ApiError as refusal:
                if not refusal.is_temporary:
                    raise
                self.ledger.did[f"calls refused with {refusal.status}"] += 1
            await asyncio.sleep(self._rng.uniform(0.05, 0.3))
