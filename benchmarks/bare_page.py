"""The peer: a bare Gradio page with a generator that counts. It prints `Ready on <address>`, as the app does."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import gradio as gr
import uvicorn
from fastapi import FastAPI


async def count() -> AsyncIterator[str]:
    """Yield the time every 150 ms."""
    for _ in range(99):
        await asyncio.sleep(0.15)
        yield f'<b id="sent-at">{time.time() * 1000:.2f}</b>'


def build() -> gr.Blocks:
    """A heading, and an element that the generator fills."""
    page = gr.Blocks(analytics_enabled=False)
    with page:
        gr.Markdown("# Hello")
        output = gr.HTML()
        page.load(count, outputs=output, show_progress="hidden", concurrency_limit=None)
    return page


class Server(uvicorn.Server):
    """Prints when it is ready."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(f"Ready on http://127.0.0.1:{self.servers[0].sockets[0].getsockname()[1]}", flush=True)


def serve(app: FastAPI) -> None:
    """Serve on any free port, and print the address."""
    Server(uvicorn.Config(app, port=0, log_level="warning")).run()


if __name__ == "__main__":
    serve(gr.mount_gradio_app(FastAPI(), build(), "/"))
