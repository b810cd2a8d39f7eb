"""Answers that stand-ins of providers give in place of their own: faults, by operation and for so many times."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

FOR_EVER = 1_000_000


@dataclass(frozen=True)
class Canned:
    """One HTTP answer: JSON if `body` is a dict or a list, a page if it is text, else bytes."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """It, for Starlette."""
        headers = dict(self.headers)
        if isinstance(self.body, str):
            return HTMLResponse(self.body, self.status, headers)
        if isinstance(self.body, bytes):
            return Response(self.body, self.status, headers)
        return JSONResponse(self.body, self.status, headers)


class Overrides:
    """What to answer instead, by the name of an operation. Thread-safe: tests change it while it is served."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[str, list[tuple[Canned, int]]] = {}

    def put(self, operation: str, answer: Canned, times: int = FOR_EVER) -> None:
        """Answer `operation` so, after those that were put before, so many times."""
        with self._lock:
            self._answers.setdefault(operation, []).append((answer, times))

    def take(self, operation: str) -> Canned | None:
        """The next answer of an operation; None: its own."""
        with self._lock:
            waiting = self._answers.get(operation)
            if not waiting:
                return None
            answer, times = waiting[0]
            waiting[:1] = [(answer, times - 1)] if times > 1 else []
            return answer

    def clear(self) -> None:
        """Answer as usual again."""
        with self._lock:
            self._answers.clear()


HTML_PAGE = Canned(200, "<!doctype html><title>Sign in</title><h1>Please sign in to go on</h1>")
GONE = Canned(404, {"detail": "Not found"})
STORM = Canned(503, "<html><body><h1>503 Service Temporarily Unavailable</h1><hr>nginx</body></html>")


class Truncated(Response):
    """The first half of its content, announced as all of it: the connection ends early."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
