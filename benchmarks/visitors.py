"""`python -m benchmarks.visitors PORT SLUG COUNT SECONDS`: COUNT visitors of one public link, in one process.

Prints as JSON how late each visitor received each event, in milliseconds since its write began:
`{event id: [ms, ...]}`. Only events after all visitors were connected count.
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
PARALLEL_CONNECTS: Final = 50


class Visitor(asyncio.Protocol):
    """Reads a stream as raw bytes and records when each event id arrives."""

    def __init__(self, request: bytes, delays: dict[int, list[float]]) -> None:
        self._request, self._delays = request, delays
        self._rest = b""
        self.listening = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.time() * 1000
        # An event ends with an empty line. The rest is the beginning of the next event.
        whole, end, self._rest = (self._rest + data).rpartition(b"\n\n")
        for number, at in EVENT.findall(whole + end):
            self._delays[int(number)].append(now - _milliseconds(at))
            if not self.listening.done():
                self.listening.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.listening.done():
            self.listening.set_exception(error or ConnectionError("the stream ended before it began"))


@cache
def _milliseconds(at: bytes) -> float:
    return datetime.fromisoformat(at.decode()).timestamp() * 1000


async def visit(port: int, slug: str, count: int, seconds: float) -> dict[int, list[float]]:
    """Open `count` streams, then read for `seconds`."""
    request = f"GET /s/{slug}/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n\r\n".encode()
    delays: dict[int, list[float]] = defaultdict(list)
    loop, limit = asyncio.get_running_loop(), asyncio.Semaphore(PARALLEL_CONNECTS)

    async def connect() -> None:
        async with limit:
            _, visitor = await loop.create_connection(lambda: Visitor(request, delays), "127.0.0.1", port)
            await visitor.listening

    await asyncio.gather(*(connect() for _ in range(count)))
    delays.clear()
    await asyncio.sleep(seconds)
    received = dict(delays)
    # The newest event may not have reached all visitors.
    return {number: times for number, times in received.items() if number < max(received)}


def main() -> None:
    """Read, and print the delays."""
    port, slug, count, seconds = sys.argv[1:]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(int(count) + 200, hard), hard))
    print(json.dumps(asyncio.run(visit(int(port), slug, int(count), float(seconds)))))


if __name__ == "__main__":
    main()
