"""The peer under load: a plain Gradio generator that yields each event of a job, in order.

`python -m benchmarks.plain_watch` prints `Ready on <address>`. A line `START RATE STEPS` on standard input says that
event n comes at START + n / RATE (seconds of CLOCK_MONOTONIC); every open page is told all of them.
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
class Plan:
    """When the events come; nothing until it is told."""

    start: float = 0.0
    rate: float = 0.0
    steps: int = 0


plan = Plan()


async def watch() -> AsyncIterator[str]:
    """Tell every event, as soon as it is there and the one before was taken."""
    while not plan.steps:  # noqa: ASYNC110 - the word to begin comes in another thread
        await asyncio.sleep(0.05)
    for step in range(plan.steps):
        await asyncio.sleep(max(0.0, plan.start + step / plan.rate - time.monotonic()))
        yield f"step {step} / {plan.steps}"


def build() -> gr.Blocks:
    """One text, which the generator fills."""
    page = gr.Blocks(analytics_enabled=False)
    with page:
        told = gr.HTML()
        page.load(watch, outputs=told, show_progress="hidden", concurrency_limit=None)
    # With Gradio's own 40, all pages but the first 40 would be told nothing at all.
    page.max_threads = 4000
    page.queue()
    return page


def _obey() -> None:
    for line in sys.stdin:
        start, rate, steps = line.split()[:3]
        plan.start, plan.rate, plan.steps = float(start), float(rate), int(steps)


if __name__ == "__main__":
    threading.Thread(target=_obey, daemon=True).start()
    serve(gr.mount_gradio_app(FastAPI(), build(), "/"))
