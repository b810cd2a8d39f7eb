"""`app.py` that records when it sent each event: `GET /sent` -> `{event id: ms since the epoch}`."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1]))  # it is run as a script

from fastapi import FastAPI
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from videogen.core.config import AppConfig
from videogen.server.app import create_app
from videogen.server.run import listen, run

ID: Final = re.compile(rb"^id: ?(\d+)", re.MULTILINE)
sent: dict[int, float] = {}


class Timestamps:
    """ASGI middleware: records when an event is first sent."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].endswith("/events"):
            await self.app(scope, receive, send)
            return

        async def send_and_record(message: Message) -> None:
            now = time.time() * 1000
            for number in ID.findall(message.get("body", b"")):
                sent.setdefault(int(number), now)
            await send(message)

        await self.app(scope, receive, send_and_record)


def with_timestamps(config: AppConfig) -> FastAPI:
    """The app with the middleware and the route."""
    app = create_app(config)
    app.add_middleware(Timestamps)
    app.router.routes.insert(0, _route())
    return app


def _route() -> BaseRoute:
    other = FastAPI()
    other.get("/sent")(lambda: sent)
    return other.routes[-1]


if __name__ == "__main__":
    settings = AppConfig.from_env()
    run(with_timestamps(settings), listen(settings))
