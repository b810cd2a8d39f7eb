"""Start and stop: opens the parts, runs the workers, and ends open streams as soon as a stop signal comes."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from types import FrameType
from typing import Final

from anyio import CapacityLimiter
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from videogen.core.config import AppConfig
from videogen.core.errors import VideogenError
from videogen.engines.base import Engine
from videogen.server.build import open_parts
from videogen.services.container import Services
from videogen.services.parts import Parts
from videogen.web.dependencies import AppState
from videogen.web.public_url import PublicUrl

GC_THRESHOLDS: Final = (5_000, 10, 10)
SWITCH_SECONDS: Final = 0.001
"""How long a thread that has work waits for a busy one. With Python's default of 5 ms, 38 database writes a second
are possible beside a busy event loop; with this value 106."""
IMAGE_DECODERS: Final = 2
"""Uploaded images decoded at once: each may need 400 MB for a moment. Others wait without holding a thread."""

IMPORTERS: Final = 2
"""Imports run at once: each has a child process that may take 1 GiB. Others wait without holding a thread."""


@asynccontextmanager
async def run_parts(
    app: FastAPI,
    config: AppConfig,
    engines: Mapping[str, Engine],
    public_url: PublicUrl,
    end_streams: Callable[[], None],
) -> AsyncIterator[Parts]:
    """Open and start the parts, put the services into `app.state`, and stop all of it at the end.

    `end_streams` is called on the event loop when the server begins to stop: it ends what else would stay open.

    Raises:
        StartError: see `open_parts`.
    """
    loop = asyncio.get_running_loop()
    with open_parts(config, engines) as parts:
        services = Services(parts)
        app.state.videogen = AppState(
            config,
            public_url,
            services,
            image_decoders=CapacityLimiter(IMAGE_DECODERS),
            importers=CapacityLimiter(IMPORTERS),
            visitor_key=parts.signer.derive("visitor"),
            admin_key=parts.signer.derive("admin-cookie"),
        )

        def begin_shutdown() -> None:
            # A signal handler must not wait for a lock, as these may.
            for step in (parts.hub.close, end_streams, partial(loop.run_in_executor, None, parts.workers.begin_stop)):
                loop.call_soon_threadsafe(step)

        app.state.begin_shutdown = begin_shutdown
        with _on_stop_signal(begin_shutdown), _running(parts, services):
            yield parts


@contextmanager
def _running(parts: Parts, services: Services) -> Iterator[None]:
    parts.hub.open()
    parts.workers.start()
    parts.exporter.start()
    services.webhooks.sender.start()
    if parts.snapshots is not None:
        parts.snapshots.start()
    _tune_interpreter()
    try:
        yield
    finally:
        parts.hub.close()
        parts.exporter.stop()
        parts.workers.stop()
        services.webhooks.sender.stop()
        if parts.snapshots is not None:  # the last one when everything else has stopped
            parts.snapshots.stop()


def _tune_interpreter() -> None:
    # What is loaded now stays loaded. Searching Gradio's half a million objects for garbage would stop everything
    # for a third of a second each time. Open pages are many more objects: they are searched less often.
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    sys.setswitchinterval(SWITCH_SECONDS)


@contextmanager
def _on_stop_signal(callback: Callable[[], None]) -> Iterator[None]:
    """Call `callback` on SIGTERM and SIGINT, before the handler of the ASGI server.

    An ASGI server ends the lifespan only after every connection has closed. An open event stream would keep it
    waiting, so the streams must learn of the signal itself. Uvicorn installs its handlers before the lifespan.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may install handlers
        return
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def handle(number: int, frame: FrameType | None) -> None:
        callback()
        original = handlers[signal.Signals(number)]
        if callable(original):
            original(number, frame)

    # Without a handler, a signal ends the process at once, and that may stay so.
    handlers = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number in handlers:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


class StartErrorInOneLine:
    """ASGI middleware: reports a refused start to the ASGI server in one line instead of a traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; change only the message of a lifespan that failed to start."""
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return
        failures: list[Message] = []

        async def hold_failure(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed":
                failures.append(message)
            else:
                await send(message)

        try:
            await self.app(scope, receive, hold_failure)
        except BaseException as error:
            for message in failures:
                await send({**message, "message": start_error(error)} if isinstance(error, VideogenError) else message)
            raise


def start_error(error: VideogenError) -> str:
    """The line that says why the app does not start."""
    return f"videogen cannot start. {error.detail}"
