"""The peer under load: a plain Gradio generator that yields each event of a job, in order.

`python -m benchmarks.plain_watch` prints `Ready on <address>`. After a line `START RATE STEPS` on standard input,
event n happens at START + n / RATE (seconds of CLOCK_MONOTONIC), and is sent to every open page.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import gradio as gr
from fastapi import FastAPI

from benchmarks.bare_page import serve


@dataclass
class Schedule:
    """When the events happen; `steps` is 0 until it is known."""

    start: float = 0.0
    rate: float = 0.0
    steps: int = 0


schedule = Schedule()


async def watch() -> AsyncIterator[str]:
    """Yield each event when it happens, after the one before was sent."""
    yield "open"
    while not schedule.steps:  # noqa: ASYNC110 - another thread sets it
        await asyncio.sleep(0.05)
    for step in range(schedule.steps):
        await asyncio.sleep(max(0.0, schedule.start + step / schedule.rate - time.monotonic()))
        yield f"step {step} / {schedule.steps}"


def build() -> gr.Blocks:
    """One text that the generator fills."""
    page = gr.Blocks(analytics_enabled=False)
    with page:
        output = gr.HTML()
        page.load(watch, outputs=output, show_progress="hidden", concurrency_limit=None)
    # With the default of 40, only 40 pages would be served.
    page.max_threads = 1000
    page.queue()
    return page


def _read_schedule() -> None:
    for line in sys.stdin:
        start, rate, steps = line.split()[:3]
        schedule.start, schedule.rate, schedule.steps = float(start), float(rate), int(steps)


if __name__ == "__main__":
    threading.Thread(target=_read_schedule, daemon=True).start()
    serve(gr.mount_gradio_app(FastAPI(), build(), "/"))
