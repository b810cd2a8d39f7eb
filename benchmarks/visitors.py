"""`python -m benchmarks.visitors PORT SLUG COUNT SECONDS`: so many visitors of one link, lean, in one process.

Prints, as JSON, how late each event was heard by each of them, counted from the moment in which its write began:
`{event id: [ms, ...]}`. Only events that came once all were listening count.
"""

from __future__ import annotations

import asyncio
import json
import re
import resource
import sys
import time
from collections import defaultdict
from datetime import datetime
from functools import cache
from typing import Final

EVENT: Final = re.compile(rb'^id: (\d+)\ndata: .*?"at":"([^"]+)"', re.MULTILINE)
AT_ONCE: Final = 50
"""Connections that are being opened at the same time."""


class Visitor(asyncio.Protocol):
    """Reads a stream as raw bytes, and notes when each event's id came."""

    def __init__(self, request: bytes, heard: dict[int, list[float]]) -> None:
        self._request, self._heard = request, heard
        self._rest = b""
        self.listening = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.time() * 1000
        # An event ends with an empty line; what comes after the last one is the beginning of the next.
        whole, end, self._rest = (self._rest + data).rpartition(b"\n\n")
        for number, at in EVENT.findall(whole + end):
            self._heard[int(number)].append(now - _milliseconds(at))
            if not self.listening.done():
                self.listening.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.listening.done():
            self.listening.set_exception(error or ConnectionError("the stream ended before it began"))


@cache
def _milliseconds(at: bytes) -> float:
    return datetime.fromisoformat(at.decode()).timestamp() * 1000


async def visit(port: int, slug: str, count: int, seconds: float) -> dict[int, list[float]]:
    """Open `count` streams, then listen for `seconds`."""
    request = f"GET /s/{slug}/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n\r\n".encode()
    heard: dict[int, list[float]] = defaultdict(list)
    loop, gate = asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with gate:
            _, visitor = await loop.create_connection(lambda: Visitor(request, heard), "127.0.0.1", port)
            await visitor.listening

    await asyncio.gather(*(one() for _ in range(count)))
    heard.clear()
    await asyncio.sleep(seconds)
    now = dict(heard)
    # What came in the last moment may not have come to all.
    return {number: times for number, times in now.items() if number < max(now)}


def main() -> None:
    """Listen, and print what was heard."""
    port, slug, count, seconds = sys.argv[1:]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(int(count) + 200, hard), hard))
    print(json.dumps(asyncio.run(visit(int(port), slug, int(count), float(seconds)))))


if __name__ == "__main__":
    main()
