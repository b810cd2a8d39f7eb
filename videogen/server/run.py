"""Runs uvicorn: listens, serves until SIGTERM, and stops in bounded time."""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
from types import FrameType
from typing import Final

import uvicorn
from fastapi import FastAPI

from videogen.core.config import AppConfig
from videogen.core.errors import StartError, VideogenError
from videogen.server import tunnel
from videogen.server.app import create_app

GC_THRESHOLDS: Final = (5_000, 10, 10)
SWITCH_SECONDS: Final = 0.001
"""How long a thread that has work waits for a busy one. A write to the database gives way five times; with Python's
5 ms, beside an event loop that is busy all the time, 38 writes a second get through, with this one 106."""


DRAIN_SECONDS: Final = 3
"""How long open connections may take to end after SIGTERM."""


class _Server(uvicorn.Server):
    """Uvicorn that says when it is ready, and ends open event streams when it is told to stop."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        # What is there now stays; looking through Gradio's half a million objects again and again would stop
        # everything for a third of a second each time. Open pages are many more: their turn comes less often.
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        sys.setswitchinterval(SWITCH_SECONDS)
        if self.started:
            print(f"Ready on {self._app.state.address}", flush=True)
            if self._app.state.parts.config.share:
                tunnel.open_in_background(self._app.state.public)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Streams and renderers take their leave at the same time.
        self._app.state.parts.hub.close_soon()
        if self._loop is not None and not self._loop.is_closed():
            # A signal handler must not wait for a lock, as the pool may.
            begin_stop = self._app.state.parts.workers.begin_stop
            self._loop.call_soon_threadsafe(self._loop.run_in_executor, None, begin_stop)
        super().handle_exit(sig, frame)


def listen(config: AppConfig) -> socket.socket:
    """Take the port, before anything slow begins.

    Raises:
        StartError: the port is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    found = socket.socket(family)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((config.host, config.port))
        found.listen(2048)
    except OSError as problem:
        found.close()
        raise StartError(
            f"Port {config.port} on {config.host} cannot be used: {problem.strerror}. "
            "Choose another with VIDEOGEN_PORT (0 takes any free one)."
        ) from problem
    return found


def serve(config: AppConfig, *, page: bool = True) -> int:
    """Serve until SIGTERM or SIGINT; return the exit status."""
    try:
        taken = listen(config)
        app = create_app(config, page=page)
    except VideogenError as problem:
        print(f"videogen cannot start. {problem.detail}", file=sys.stderr)
        return 2
    run(app, taken)
    return 0


def run(app: FastAPI, taken: socket.socket) -> None:
    """Serve an app of `create_app` on a listening socket, until SIGTERM or SIGINT; say when it is ready."""
    host, port = taken.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - only read
    app.state.address = app.state.public.local = f"http://{host}:{port}"

    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        timeout_keep_alive=30,
        server_header=False,
        proxy_headers=False,  # TrustedProxy knows whom to believe
    )
    try:
        _Server(config, app).run(sockets=[taken])
    except KeyboardInterrupt:
        pass  # uvicorn has drained, and passes the signal on
