"""What procrastinate itself takes: `python -m benchmarks.plain_procrastinate DSN JOBS`.

One worker waits in this process, and jobs are deferred one after the other. Prints the milliseconds from before each
is deferred until it starts, as one JSON list.
"""

from __future__ import annotations

import asyncio
import sys
import time

import orjson
import procrastinate

QUEUE = "plain"
PAUSE_SECONDS = 0.1


async def measure(dsn: str, jobs: int) -> list[float]:
    """Milliseconds for each job."""
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=dsn))
    late: list[float] = []

    @app.task(queue=QUEUE, name="plain")
    async def start(sent: int) -> None:
        late.append((time.monotonic_ns() - sent) / 1e6)

    async with app.open_async():
        worker = asyncio.create_task(
            app.run_worker_async(queues=[QUEUE], delete_jobs="always", install_signal_handlers=False)
        )
        await asyncio.sleep(1)
        for _ in range(jobs):
            await start.defer_async(sent=time.monotonic_ns())
            await asyncio.sleep(PAUSE_SECONDS)
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
    return late


if __name__ == "__main__":
    print(orjson.dumps(asyncio.run(measure(sys.argv[1], int(sys.argv[2])))).decode())
