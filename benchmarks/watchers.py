"""Many open pages that speak the protocol of Gradio's browser client: `python -m benchmarks.watchers HOST PORT`.

Standard input has one JSON line: `fn` (the number of the handler that watches) and `data` (the inputs of each page, one
list for each). Every page joins the queue and opens its event stream; `open` is printed when all show something.
After a second line, `START RATE STEPS`, step n of the job of each page happens at START + n / RATE.
From two seconds after START until the last step, it records the age of each page every 50 ms: the time since the step
that the page shows.
At the end one JSON object is printed: `ages`, in seconds, one list for each sample.
"""

from __future__ import annotations

import gc
import http.client
import re
import secrets
import selectors
import socket
import sys
import time
from typing import Any

import orjson

STEP = re.compile(rb"(?:step |job-step[^>]*>)(\d+) / ")
KEPT_BYTES = 64
"""The network may cut a step in two: so much of the end is kept for the next read."""
INTERVAL_SECONDS = 0.05
WARM_UP_SECONDS = 2.0
OPEN_TIMEOUT_SECONDS = 120.0


class Page:
    """The stream of one page, and the step that it shows."""

    def __init__(self, address: tuple[str, int], number: int, data: list[Any]) -> None:
        name = secrets.token_hex(5)
        client = http.client.HTTPConnection(*address)
        body = orjson.dumps({"fn_index": number, "session_hash": name, "data": data, "event_data": None})
        client.request("POST", "/gradio_api/queue/join", body, {"Content-Type": "application/json"})
        answer = client.getresponse()
        assert answer.status == 200, answer.read()
        client.close()
        self.connection = socket.create_connection(address)
        request = f"GET /gradio_api/queue/data?session_hash={name} HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\n\r\n"
        self.connection.sendall(request.encode())
        self.connection.setblocking(False)
        self.shown = False
        """Whether it shows anything at all."""
        self.step = -1
        self._rest = b""

    def read(self) -> None:
        """Read what has arrived."""
        data = self.connection.recv(1 << 20)
        if not data:
            raise RuntimeError("a page's stream was closed")
        data = self._rest + data
        self.shown = self.shown or b"process_generating" in data
        if steps := STEP.findall(data):
            self.step = int(steps[-1])
        self._rest = data[-KEPT_BYTES:]


def main() -> None:
    """Open, watch, print."""
    address = (sys.argv[1], int(sys.argv[2]))
    request = orjson.loads(sys.stdin.readline())
    pages = [Page(address, request["fn"], data) for data in request["data"]]
    selector = selectors.DefaultSelector()
    for page in pages:
        selector.register(page.connection, selectors.EVENT_READ, page)
    deadline = time.monotonic() + OPEN_TIMEOUT_SECONDS
    while not all(page.shown for page in pages) and time.monotonic() < deadline:
        for key, _ in selector.select(1.0):
            key.data.read()
    print("open" if all(page.shown for page in pages) else "not open", flush=True)
    start, rate, steps = (float(part) for part in sys.stdin.readline().split()[:3])
    gc.disable()
    ages: list[list[float]] = []
    due = start + WARM_UP_SECONDS
    while due < start + steps / rate:
        for key, _ in selector.select(max(0.0, due - time.monotonic())):
            key.data.read()
        if (now := time.monotonic()) >= due:
            ages.append([round(now - start - page.step / rate, 3) for page in pages])
            due += INTERVAL_SECONDS
    print(orjson.dumps({"ages": ages}).decode(), flush=True)


if __name__ == "__main__":
    main()
