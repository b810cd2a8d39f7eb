"""Counts each request; with JSON logs, writes one line for each, and gives every line its request and session."""

from __future__ import annotations

import logging
import re
import time
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from videogen.core.errors import VideogenError
from videogen.core.log_context import begin_context
from videogen.core.security import new_id

logger = logging.getLogger(__name__)
PAGE: Final = "page"
"""The route of everything that belongs to the Gradio page, and of addresses that do not exist."""
QUIET: Final = ("/healthz", "/readyz", "/metrics", PAGE)
"""Routes without a line, unless they fail: they are asked for every few seconds."""
_CLIENT_GONE: Final = 499
"""Stands for no answer, as in the logs of nginx: the client has left while it was made."""
_GENERATION: Final = re.compile(r"/(gen_[A-Za-z0-9_-]{20})(?:/|$)")


class RequestLog:
    """ASGI middleware. It sees no bodies, and writes no addresses: they may be signed, or public links."""

    def __init__(self, app: ASGIApp, *, writes_lines: bool) -> None:
        self.app = app
        self._writes_lines = writes_lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and count it when it has ended."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        fields = begin_context(request_id=new_id("req"))
        if named := _GENERATION.search(scope["path"]):
            fields["generation_id"] = named[1]
        own_app, begun, status, is_answer = scope["app"], time.perf_counter(), _CLIENT_GONE, False

        async def note_status(message: Message) -> None:
            nonlocal status, is_answer
            if message["type"] == "http.response.start":
                status = message["status"]
                is_answer = any(name == b"content-type" and b"json" in value for name, value in message["headers"])
            await send(message)

        try:
            await self.app(scope, receive, note_status)
        except Exception:
            status = 500 if status == _CLIENT_GONE else status
            raise
        finally:
            route = scope["route"].path if "route" in scope and scope["app"] is own_app else PAGE
            seconds = time.perf_counter() - begun
            metrics = own_app.state.videogen.services.counters
            code = fields.get("code", VideogenError.code if status == 500 else "")
            metrics.answered(scope["method"], route, status, str(code))
            if is_answer and route.startswith("/api/"):
                metrics.took(seconds)
            if self._writes_lines and (route not in QUIET or status >= 500):
                self._write(scope["method"], route, status, seconds)

    def _write(self, method: str, route: str, status: int, seconds: float) -> None:
        fields: dict[str, Any] = {"method": method, "route": route, "status": status, "seconds": round(seconds, 4)}
        logger.info("%s %s %d", method, route, status, extra={"fields": fields})
