"""Runs uvicorn: listens, serves until SIGTERM or SIGINT, and stops in bounded time.

`Server` overrides `startup` and `shutdown` of `uvicorn.Server`, which uvicorn does not document: only so does a start
error reach the caller as it is, and the line `Ready on ...` come when the socket is served. pyproject.toml bounds the
version of uvicorn for this module.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import uvicorn
from fastapi import FastAPI
from uvicorn.config import LOGGING_CONFIG

from videogen.core.config import AppConfig
from videogen.core.errors import StartError, VideogenError
from videogen.core.json_log import logs_as_json
from videogen.server import tunnel
from videogen.server.app import create_app
from videogen.server.lifespan import start_error
from videogen.server.timeouts import TimedProtocol
from videogen.storage import DataFolder
from videogen.web.dependencies import AppState
from videogen.web.public_url import local_url

DRAIN_SECONDS: Final = 3
"""How long open connections may take to end after SIGTERM."""


class Server(uvicorn.Server):
    """Uvicorn that runs the app's lifespan itself, and calls `on_ready` when it serves."""

    def __init__(self, app: FastAPI, address: str, on_ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=TimedProtocol,
                lifespan="off",
                # None: as the process logs.
                log_config=None if logs_as_json() else LOGGING_CONFIG,
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=DRAIN_SECONDS,
                timeout_keep_alive=30,
                server_header=False,
                proxy_headers=False,  # TrustedProxy decides whom to trust
            )
        )
        self._app = app
        self._address, self._on_ready = address, on_ready
        self._lifespan = app.router.lifespan_context(app)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self._lifespan.__aenter__()
        state: AppState = self._app.state.videogen
        self.public_url = state.public_url
        self.public_url.local = self._address
        await super().startup(sockets)
        self._on_ready()
        if state.config.share:
            tunnel.open_in_background(self.public_url)

    def stop(self) -> None:
        """Stop from another thread, as a signal does it: open streams end first."""
        with suppress(AttributeError, RuntimeError):  # it has not begun, or has ended
            self._app.state.begin_shutdown()
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        await self._lifespan.__aexit__(None, None, None)


def listen(config: AppConfig) -> socket.socket:
    """Take the port, before anything slow begins.

    Raises:
        StartError: the port is taken, or the address does not belong to this machine.
    """
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((config.host, config.port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise StartError(
            f"Port {config.port} on {config.host} cannot be used: {error.strerror}. "
            "Choose another with VIDEOGEN_PORT (0 takes any free one)."
        ) from error
    return listener


def serve(config: AppConfig, *, page: bool = True) -> int:
    """Serve until SIGTERM or SIGINT; return the exit status."""
    try:
        # The cheap checks come first: importing Gradio takes seconds, and fails itself where the disk is full.
        DataFolder(config.data_dir).open()
        with listen(config) as listener:
            run(create_app(config, page=page), listener)
    except VideogenError as error:
        print(start_error(error), file=sys.stderr)
        return 2
    return 0


def run(app: FastAPI, listener: socket.socket) -> None:
    """Serve an app of `create_app` on a listening socket until SIGTERM or SIGINT; print when it is ready.

    Raises:
        StartError: the data folder or the database cannot be used.
    """
    host, port = listener.getsockname()[:2]
    try:
        address = local_url(host, port)
        Server(app, address, lambda: print(f"Ready on {address}", flush=True)).run(sockets=[listener])
    except KeyboardInterrupt:
        pass  # uvicorn has stopped, and passes the signal on
