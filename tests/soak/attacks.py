"""What an attacker does to a public server: each attack from an address of its own, each refused in words."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Final

import httpx

API: Final = "/api/v1"
FOREIGN: Final = {"Origin": "https://attacker.example", "Sec-Fetch-Site": "cross-site"}
CLOSED_ROUTES: Final = ("dev/reload", "call/x", "api/x", "component_server", "file=/etc/passwd", "run-history/records")


class Attacker:
    """Attacks one server; `faults` has every attack that was let through or answered with an error of the server."""

    def __init__(self, url: str, rng: random.Random, watch: int) -> None:
        self._url, self._rng, self._watch = url, rng, watch
        self.faults: Counter[str] = Counter()
        self.did: Counter[str] = Counter()
        self._held: set[asyncio.Task[None]] = set()

    async def act(self) -> None:
        """Attack once, in one of many ways."""
        attacks = (
            *(self.foreign_page, self.unread_watchers, self.large_body, self.endless_body, self.slow_request),
            *(self.robots, self.sessions, self.wrong_codes, self.many_fields, self.closed_routes, self.uploads),
            *(self.streams, self.bomb),
        )
        attack = self._rng.choice(attacks)
        self.did[attack.__name__] += 1
        address = ".".join(["203", *(str(self._rng.randrange(1, 255)) for _ in range(3))])
        own = {"X-Forwarded-For": address}
        async with httpx.AsyncClient(base_url=self._url, headers=own, timeout=60, trust_env=False) as http:
            with suppress(httpx.RemoteProtocolError, httpx.WriteError, httpx.ReadError):  # cut off: it may be
                await attack(http)

    async def leave(self) -> None:
        """Let go of every connection that is held open."""
        for task in self._held:
            task.cancel()
        await asyncio.gather(*self._held, return_exceptions=True)

    async def foreign_page(self, http: httpx.AsyncClient) -> None:
        """Another site's page joins the queue and calls a handler."""
        call = {"fn_index": self._watch, "session_hash": "foreign", "data": [None], "event_data": None}
        for path in ("queue/join", "run/predict"):
            self._refused(await http.post(f"/gradio_api/{path}", json=call, headers=FOREIGN))
        self._refused(await http.get("/gradio_api/queue/data?session_hash=foreign", headers=FOREIGN))

    async def unread_watchers(self, http: httpx.AsyncClient) -> None:
        """Many watchers whose streams nobody reads."""
        own = {"Origin": self._url, "Sec-Fetch-Site": "same-origin"}
        for _ in range(80):
            call = {"fn_index": self._watch, "session_hash": secrets.token_hex(6), "data": [None], "event_data": None}
            self._alive(await http.post("/gradio_api/queue/join", json=call, headers=own))

    async def large_body(self, http: httpx.AsyncClient) -> None:
        """A prompt of 4 MB."""
        self._refused(await http.post(f"{API}/generations", json={"prompt": "x" * 4_000_000}))

    async def endless_body(self, http: httpx.AsyncClient) -> None:
        """A body without a length that does not end by itself."""

        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(200):
                yield b"x" * 65_536

        self._refused(await http.post(f"{API}/sessions/claim", content=chunks()))

    async def slow_request(self, _http: httpx.AsyncClient) -> None:
        """Connections that never finish their request."""
        for _ in range(20):
            held = asyncio.create_task(self._hold())
            self._held.add(held)
            held.add_done_callback(self._held.discard)

    async def _hold(self) -> None:
        url = httpx.URL(self._url)
        with suppress(OSError):
            reader, writer = await asyncio.open_connection(url.host, url.port)
            try:
                writer.write(b"POST /api/v1/generations HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n")
                if self._rng.random() < 0.5:
                    writer.write(b"\r\n{")
                await reader.read()
            finally:
                writer.close()

    async def robots(self, http: httpx.AsyncClient) -> None:
        """Visits without cookies."""
        for _ in range(20):
            self._alive(await http.get("/"))
            http.cookies.clear()

    async def sessions(self, http: httpx.AsyncClient) -> None:
        """More sessions than one address may make."""
        answers = [await http.post(f"{API}/sessions") for _ in range(70)]
        for answer in answers:
            self._alive(answer)
        self._refused(answers[-1])

    async def wrong_codes(self, http: httpx.AsyncClient) -> None:
        """Guesses at a transfer code."""
        for _ in range(15):
            self._refused(await http.post(f"{API}/sessions/claim", json={"code": f"{self._rng.randrange(10**8):08}"}))

    async def many_fields(self, http: httpx.AsyncClient) -> None:
        """A body with thousands of unknown fields, and one that is nested deeply."""
        self._refused(await http.post(f"{API}/generations", json={f"f{n}": n for n in range(20_000)}))
        deep = b'{"prompt":' + b"[" * 50_000 + b"]" * 50_000 + b"}"
        self._refused(await http.post(f"{API}/generations", content=deep, headers={"Content-Type": "application/json"}))

    async def closed_routes(self, http: httpx.AsyncClient) -> None:
        """Routes of Gradio that the page does not use."""
        for route in CLOSED_ROUTES:
            self._refused(await http.get(f"/gradio_api/{route}"))
        self._refused(await http.get("/nothing"))

    async def uploads(self, http: httpx.AsyncClient) -> None:
        """Files that the page does not take."""
        files = {"files": ("page.html", b"<script>" + b"x" * 3_000_000, "text/html")}
        self._refused(await http.post("/gradio_api/upload", files=files))
        self._refused(await http.post("/gradio_api/upload", files=files, headers=FOREIGN))

    async def streams(self, http: httpx.AsyncClient) -> None:
        """More streams than one session may open, all dropped at once."""
        bearer = await self._session(http)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(40):
                tasks.create_task(self._stream(http, bearer))

    async def _stream(self, http: httpx.AsyncClient, bearer: dict[str, str]) -> None:
        with suppress(TimeoutError, httpx.HTTPError):
            async with asyncio.timeout(3), http.stream("GET", f"{API}/events", headers=bearer) as stream:
                self._alive(stream)
                async for _ in stream.aiter_bytes():
                    pass

    async def bomb(self, http: httpx.AsyncClient) -> None:
        """An import that is no export."""
        bearer = await self._session(http)
        self._refused(await http.post(f"{API}/import", content=secrets.token_bytes(100_000), headers=bearer))

    async def _session(self, http: httpx.AsyncClient) -> dict[str, str]:
        """The header of a new session; none where the server was too busy to make one, which is noted."""
        answer = await http.post(f"{API}/sessions")
        if answer.status_code != 201:
            self._note(answer)
            return {}
        return {"Authorization": f"Bearer {answer.json()['token']}"}

    def _refused(self, answer: httpx.Response) -> None:
        if not 400 <= answer.status_code < 500:
            self._note(answer)

    def _alive(self, answer: httpx.Response) -> None:
        if answer.status_code >= 500:
            self._note(answer)

    def _note(self, answer: Any) -> None:
        self.faults[f"{answer.request.method} {answer.request.url.path}: {answer.status_code}"] += 1
