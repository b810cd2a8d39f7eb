"""A visitor with a browser: a page, the API with the cookie, links, files, other devices."""

from __future__ import annotations

import asyncio
import io
import random
import secrets
from collections import Counter
from typing import Any, Final

import httpx
import numpy as np
from PIL import Image

API: Final = "/api/v1"
TINY: Final = {"width": 64, "height": 64, "durationSeconds": 0.5, "fps": 8}
BUSY: Final = (409, 429)
"""Answers that a visitor must expect at any time: another state, or a limit."""


def picture(rng: random.Random) -> bytes:
    """A small PNG that no one has uploaded before."""
    noise = np.random.default_rng(rng.randrange(2**32)).integers(0, 256, (48, 64, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    return file.getvalue()


class Visitor:
    """One person: `act` does one thing; `faults` has every answer that should not have come."""

    def __init__(self, url: str, address: str, rng: random.Random, watch: int) -> None:
        self.rng, self.watch_number, self.url, self.address = rng, watch, url, address
        self.faults: Counter[str] = Counter()
        self.did: Counter[str] = Counter()
        self.http = self._browser()
        self._images: list[str] = []
        self._tabs: set[asyncio.Task[None]] = set()

    def _browser(self) -> httpx.AsyncClient:
        own = {"Origin": self.url, "Sec-Fetch-Site": "same-origin", "X-Forwarded-For": self.address}
        return httpx.AsyncClient(base_url=self.url, headers=own, timeout=60, trust_env=False)

    async def arrive(self) -> None:
        """Open the page, which sets the cookie, and submit the first prompt."""
        await self._ask("GET", "/", 200)
        await self.submit()

    async def act(self) -> None:
        """Do one thing that visitors do."""
        acts = (self.submit, self.watch, self.page, self.history, self.play, self.change, self.share)
        rare = (self.image, self.archive, self.device, self.away)
        act = self.rng.choices([*acts, *rare], [6, 4, 5, 6, 5, 5, 2, 1, 0.3, 0.3, 0.3])[0]
        self.did[act.__name__] += 1
        await act()

    async def leave(self) -> None:
        """Close every tab and delete everything."""
        for tab in self._tabs:
            tab.cancel()
        await asyncio.gather(*self._tabs, return_exceptions=True)
        while items := await self._items(limit=100):
            for item in items:
                await self._ask("POST", f"{API}/generations/{item['id']}/cancel", 200, 202, 404)
            for item in items:
                await self._ask("DELETE", f"{API}/generations/{item['id']}", 204, 404)
        for image in self._images:
            await self._ask("DELETE", f"{API}/files/{image}", 204, 404)
        await self.http.aclose()

    async def submit(self) -> None:
        """Submit a prompt; one in twenty fails in its engine."""
        engine = self.rng.choices(["bars", "procedural", "raises"], [8, 1, 1])[0]
        await self._submit({"engine": engine})

    async def _submit(self, more: dict[str, Any]) -> None:
        body = {"prompt": f"a soak {self.rng.random()}", "settings": TINY, **more}
        key = {"Idempotency-Key": secrets.token_hex(8)}
        for _ in range(self.rng.choice((1, 1, 2))):
            await self._ask("POST", f"{API}/generations", 201, 200, *BUSY, json=body, headers=key)

    async def watch(self) -> None:
        """Follow the events of the session for a while, then drop the connection."""
        try:
            async with asyncio.timeout(self.rng.uniform(1, 20)):
                async with self.http.stream("GET", f"{API}/events") as stream:
                    self._expect(stream, "GET events", 200, 204, 429)
                    async for _ in stream.aiter_bytes():
                        pass
        except TimeoutError:
            pass

    async def page(self) -> None:
        """Open a tab; it stays open for a while, beside the others."""
        if len(self._tabs) < 3:
            tab = asyncio.create_task(self._tab(self.rng.uniform(5, 120)))
            self._tabs.add(tab)
            tab.add_done_callback(self._tabs.discard)

    async def _tab(self, seconds: float) -> None:
        name = secrets.token_hex(6)
        await self._ask("GET", "/", 200)
        call = {"fn_index": self.watch_number, "session_hash": name, "data": [None], "event_data": None}
        joined = await self._ask("POST", "/gradio_api/queue/join", 200, 429, json=call)
        if joined.status_code != 200:
            return
        try:
            async with asyncio.timeout(seconds):
                query = {"session_hash": name}
                async with self.http.stream("GET", "/gradio_api/queue/data", params=query) as stream:
                    self._expect(stream, "GET queue/data", 200, 429)
                    async for _ in stream.aiter_bytes():
                        pass
        except TimeoutError:
            pass

    async def history(self) -> None:
        """Search, filter and turn pages."""
        await self._items(q=self.rng.choice(("soak", "nothing like it", "")), limit=10)
        await self._items(status="completed,failed", limit=5)

    async def play(self) -> None:
        """Fetch a video in parts, its poster, and its state."""
        for item in (await self._items(status="completed", limit=3))[:1]:
            await self._ask("GET", item["videoUrl"], 206, 404, headers={"Range": "bytes=0-999"})
            await self._ask("GET", item["posterUrl"], 200, 404)
            await self._ask("GET", f"{API}/generations/{item['id']}", 200, 404)

    async def change(self) -> None:
        """Rename, cancel, retry, delete."""
        items = await self._items(limit=30)
        if not items:
            return
        path = f"{API}/generations/{self.rng.choice(items)['id']}"
        await self._ask("PATCH", path, 200, 404, json={"title": "नाम", "favorite": True})
        await self._ask("POST", f"{path}/cancel", 200, 202, 404)
        await self._ask("POST", f"{path}/retry", 201, 404, *BUSY)
        for item in items[10:]:
            await self._ask("DELETE", f"{API}/generations/{item['id']}", 204, 404, 409)

    async def share(self) -> None:
        """Share a video, look at it as a stranger does, revoke the link."""
        for item in (await self._items(status="completed", limit=1))[:1]:
            shared = await self._ask("POST", f"{API}/generations/{item['id']}/share", 201, 200, 404)
            if shared.is_success:
                path = httpx.URL(shared.json()["url"]).path
                await self._ask("GET", path, 200, 404)
                await self._ask("GET", f"{path}/video.mp4", 200, 404)
            await self._ask("DELETE", f"{API}/generations/{item['id']}/share", 204, 404)

    async def image(self) -> None:
        """Upload an image and start from it."""
        files = {"file": ("a.png", picture(self.rng), "image/png")}
        answer = await self._ask("POST", f"{API}/files", 201, 429, files=files)
        if answer.status_code == 201:
            self._images.append(answer.json()["id"])
            await self._submit({"engine": "procedural", "inputFileId": self._images[-1]})

    async def archive(self) -> None:
        """Export everything, and import it again."""
        zipped = await self._ask("GET", f"{API}/export", 200)
        await self._ask("POST", f"{API}/import", 200, 422, 429, content=zipped.content)

    async def device(self) -> None:
        """Open the session on another device, use it there, and sign that device out."""
        code = await self._ask("POST", f"{API}/sessions/transfer", 201, 429)
        if code.status_code != 201:
            return
        async with self._browser() as other:
            claimed = await other.post(f"{API}/sessions/claim", json={"code": code.json()["code"]})
            self._expect(claimed, "POST claim", 201, 429)
        devices = await self._ask("GET", f"{API}/devices", 200)
        for device in devices.json()["items"] if devices.is_success else ():
            if not device["current"]:
                await self._ask("DELETE", f"{API}/devices/{device['id']}", 204, 404)

    async def away(self) -> None:
        """Do nothing for a minute."""
        await asyncio.sleep(60)

    async def _items(self, **query: Any) -> list[dict[str, Any]]:
        answer = await self._ask("GET", f"{API}/generations", 200, params=query)
        items: list[dict[str, Any]] = answer.json()["items"] if answer.is_success else []
        return items

    async def _ask(self, method: str, path: str, *expected: int, **options: Any) -> httpx.Response:
        answer = await self.http.request(method, path, **options)
        self._expect(answer, f"{method} {path.rpartition('/')[2]}", *expected)
        return answer

    def _expect(self, answer: httpx.Response, call: str, *expected: int) -> None:
        if answer.status_code not in expected:
            self.faults[f"{call}: {answer.status_code}"] += 1
