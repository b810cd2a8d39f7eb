"""Reads many event streams in one process: `python -m benchmarks.listener HOST PORT COUNT`, with a request on stdin.

Standard input begins with the request: an HTTP GET, up to an empty line. It is sent on COUNT connections, and `open`
is printed when all have answered. From then on each `@NANOSECONDS@` that arrives is compared with CLOCK_MONOTONIC.
Older stamps are ignored: they are from the snapshot at the beginning of a stream. When the input ends, it prints one
JSON object: `late` (milliseconds, one for each event on each connection) and `counts` (events on each connection).

It parses no HTTP and no SSE: the time that this process needs between two reads would be part of the result.
"""

from __future__ import annotations

import gc
import re
import selectors
import socket
import sys
import threading
import time

import orjson

STAMP = re.compile(rb"@(\d{12,20})@")


def main() -> None:
    """Connect, measure, print."""
    host, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    lines = iter(sys.stdin.buffer.readline, b"")
    request = b""
    for line in lines:
        request += line.rstrip() + b"\r\n"
        if not line.strip():
            break
    connections = [_connect(host, port, request) for _ in range(count)]
    print("open", flush=True)
    ended = threading.Event()
    threading.Thread(target=_await_end, args=(ended,), daemon=True).start()
    gc.disable()
    print(orjson.dumps(_measure(connections, ended)).decode(), flush=True)


def _await_end(ended: threading.Event) -> None:
    sys.stdin.buffer.read()
    ended.set()


def _connect(host: str, port: int, request: bytes) -> socket.socket:
    connection = socket.create_connection((host, port))
    connection.sendall(request)
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(4096)
    assert head.startswith(b"HTTP/1.1 200"), head[:200]
    connection.setblocking(False)
    return connection


def _measure(connections: list[socket.socket], ended: threading.Event) -> dict[str, object]:
    selector = selectors.EpollSelector()
    counts: list[int] = [0] * len(connections)
    late: list[float] = []
    rests = [b""] * len(connections)
    for index, connection in enumerate(connections):
        selector.register(connection, selectors.EVENT_READ, index)
    # The method of the selector costs more than the system call.
    poll = selector._selector.poll  # type: ignore[attr-defined]
    index_of = {connection.fileno(): index for index, connection in enumerate(connections)}
    clock, find = time.monotonic_ns, STAMP.findall
    opened = clock()
    while not ended.is_set():
        for descriptor, _ in poll(0.2, len(connections)):
            index = index_of[descriptor]
            data = connections[index].recv(65536)
            now = clock()
            if not data:
                raise RuntimeError(f"connection {index} was closed")
            if rests[index]:
                data = rests[index] + data
            stamps = find(data)
            # An incomplete event: its stamp may be cut in two.
            rests[index] = b"" if data.endswith(b"\n") else data[data.rfind(b"\n") + 1 :] if stamps else data
            for stamp in map(int, stamps):
                if stamp >= opened:
                    counts[index] += 1
                    late.append((now - stamp) / 1e6)
    return {"late": late, "counts": counts}


if __name__ == "__main__":
    main()
