"""Many open pages, in the words in which a browser speaks to Gradio: `python -m benchmarks.watchers HOST PORT`.

Standard input has one JSON line: `fn` (the number of the handler that watches) and `data` (what each page brings:
one list for each). Every page joins the queue and opens its event stream; when all of them show something, `open` is
printed. A second line, `START RATE STEPS`, tells that step n of every page's job happens at START + n / RATE. Every
50 ms from two seconds after START until the last step, the age of what each page shows is noted: the time since the
step that it shows.
At the end one JSON object is printed: `ages`, seconds, one list for each moment.
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

STEP = re.compile(rb"(?:step |step\\\":\\\")(\d+) / ")
LONGEST = 64
"""A step may be cut in two by the network: this much of the end is kept."""
EVERY = 0.05
SETTLE = 2.0
OPENING = 120.0
"""Seconds in which all pages must be there."""


class Page:
    """One page's stream, and the step that it shows."""

    def __init__(self, address: tuple[str, int], number: int, data: list[Any]) -> None:
        name = secrets.token_hex(5)
        caller = http.client.HTTPConnection(*address)
        body = orjson.dumps({"fn_index": number, "session_hash": name, "data": data, "event_data": None})
        caller.request("POST", "/gradio_api/queue/join", body, {"Content-Type": "application/json"})
        answer = caller.getresponse()
        assert answer.status == 200, answer.read()
        caller.close()
        self.connection = socket.create_connection(address)
        request = f"GET /gradio_api/queue/data?session_hash={name} HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\n\r\n"
        self.connection.sendall(request.encode())
        self.connection.setblocking(False)
        self.shown = False
        """Whether it shows anything at all."""
        self.step = -1
        self._rest = b""

    def read(self) -> None:
        """Take in what has come."""
        data = self.connection.recv(1 << 20)
        if not data:
            raise RuntimeError("a page's stream was closed")
        data = self._rest + data
        self.shown = self.shown or b"process_generating" in data
        found = STEP.findall(data)
        if found:
            self.step = int(found[-1])
        self._rest = data[-LONGEST:]


def main() -> None:
    """Open, watch, print."""
    address = (sys.argv[1], int(sys.argv[2]))
    told = orjson.loads(sys.stdin.readline())
    pages = [Page(address, told["fn"], data) for data in told["data"]]
    selector = selectors.DefaultSelector()
    for page in pages:
        selector.register(page.connection, selectors.EVENT_READ, page)
    deadline = time.monotonic() + OPENING
    while not all(page.shown for page in pages) and time.monotonic() < deadline:
        for key, _ in selector.select(1.0):
            key.data.read()
    print("open" if all(page.shown for page in pages) else "not open", flush=True)
    start, rate, steps = (float(part) for part in sys.stdin.readline().split()[:3])
    gc.disable()
    ages: list[list[float]] = []
    due = start + SETTLE
    while due < start + steps / rate:
        for key, _ in selector.select(max(0.0, due - time.monotonic())):
            key.data.read()
        if (now := time.monotonic()) >= due:
            ages.append([round(now - start - page.step / rate, 3) for page in pages])
            due += EVERY
    print(orjson.dumps({"ages": ages}).decode(), flush=True)


if __name__ == "__main__":
    main()
