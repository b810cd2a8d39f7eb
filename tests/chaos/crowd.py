"""Many who watch one session, cheaply: each keeps the number and the kind of every event, and goes on after a break."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from urllib.parse import urlsplit

SILENCE_SECONDS = 20.0
"""A stream says something every 15 seconds; one that says nothing for so long is given up."""


class Crowd:
    """`size` streams of one session; the proxy sends all of them to the same web process while it is there."""

    def __init__(self, url: str, token: str, size: int, rng: random.Random) -> None:
        parts = urlsplit(url)
        self._address = parts.hostname or "", parts.port or 80
        self._token, self._rng = token, rng
        self.heard: list[list[tuple[int, str]]] = [[] for _ in range(size)]
        self.breaks = 0
        self.restarts: list[str] = []
        """Streams that began again at an earlier event than was asked for."""
        self._tasks: list[asyncio.Task[None]] = []
        self._open = 0

    def start(self) -> None:
        """Begin to watch."""
        self._tasks = [asyncio.create_task(self._watch(events)) for events in self.heard]

    async def gathered(self) -> None:
        """Wait until all are connected."""
        while self._open < len(self.heard):
            await asyncio.sleep(0.05)

    async def caught_up(self, last_event: int) -> None:
        """Wait until each was told up to this number."""
        while any(not events or events[-1][0] < last_event for events in self.heard):
            await asyncio.sleep(0.1)

    async def leave(self) -> None:
        """Close everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _watch(self, events: list[tuple[int, str]]) -> None:
        while True:
            with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                await self._read(events)
            self.breaks += 1
            await asyncio.sleep(self._rng.uniform(0.1, 1.0))

    async def _read(self, events: list[tuple[int, str]]) -> None:
        reader, writer = await asyncio.open_connection(*self._address)
        try:
            last = events[-1][0] if events else 0
            # HTTP/1.0, so that the lines come as they are, without the sizes of chunks between them.
            request = (
                f"GET /api/v1/events HTTP/1.0\r\nHost: {self._address[0]}:{self._address[1]}\r\n"
                f"Authorization: Bearer {self._token}\r\nCookie: videogen_route=crowd\r\nLast-Event-ID: {last}\r\n\r\n"
            )
            writer.write(request.encode())
            head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), SILENCE_SECONDS)).decode().lower()
            if " 200 " not in head.partition("\r\n")[0]:
                return
            after = head.partition("videogen-resumed-after: ")[2].partition("\r\n")[0]
            if after and int(after) < last:
                self.restarts.append(f"a stream after event {last} began again after {after}")
            await self._lines(reader, events)
        finally:
            writer.transport.abort()

    async def _lines(self, reader: asyncio.StreamReader, events: list[tuple[int, str]]) -> None:
        fields: dict[bytes, bytes] = {}
        self._open += 1
        try:
            while line := await asyncio.wait_for(reader.readline(), SILENCE_SECONDS):
                if line != b"\n":
                    name, _, value = line.partition(b": ")
                    fields[name] = value
                elif fields:
                    if b"id" in fields and b"data" in fields:
                        events.append((int(fields[b"id"]), fields[b"event"].decode().strip()))
                    fields = {}
        finally:
            self._open -= 1
