"""What PostgreSQL itself takes: `python -m benchmarks.plain_notify DSN SENDERS RATE SECONDS`.

SENDERS connections send, RATE notifications a second in all, each a transaction of its own. One more connection
listens. Prints the milliseconds from before the send until the notification was read, as one JSON list.
"""

from __future__ import annotations

import sys
import threading
import time

import orjson
import psycopg

CHANNEL = "plain"
FILL = "x" * 600
"""A notification is as long as one with an event of ours."""


def main() -> None:
    """Send, listen, print."""
    dsn, senders, rate, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"LISTEN {CHANNEL}")
        start, count = time.monotonic() + 0.5, int(rate * seconds / senders)
        for index in range(senders):
            step = senders / rate
            threading.Thread(target=_send, args=(dsn, start + index / rate, step, count), daemon=True).start()
        notices = connection.notifies(timeout=seconds + 10, stop_after=count * senders)
        late = [(time.monotonic_ns() - int(notice.payload.partition(" ")[0])) / 1e6 for notice in notices]
    print(orjson.dumps(late).decode())


def _send(dsn: str, start: float, step: float, count: int) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for number in range(count):
            time.sleep(max(0.0, start + number * step - time.monotonic()))
            connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, f"{time.monotonic_ns()} {FILL}"))


if __name__ == "__main__":
    main()
