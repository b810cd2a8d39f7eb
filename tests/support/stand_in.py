"""Serves a small app in this process, in the place of a provider on the internet, and keeps what it was asked.

    with serve(app) as provider:
        client.post(f"{provider.url}/jobs")
        assert provider.posts() == 1

Its address is also `str(provider)`.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True)
class Recorded:
    """One request that came in. Names of headers are in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


@dataclass
class StandIn:
    """A served app: its address, and the requests so far in the order in which they came. Thread-safe."""

    url: str
    requests: list[Recorded] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def __str__(self) -> str:
        return self.url

    def asked(self, method: str = "", path: str = "") -> list[Recorded]:
        """The requests with this method whose path begins so."""
        with self._changed:
            found = list(self.requests)
        return [one for one in found if method in ("", one.method) and one.path.startswith(path)]

    def posts(self, path: str = "") -> int:
        """How many POST requests came to a path that begins so."""
        return len(self.asked("POST", path))

    def wait_for(self, method: str = "", path: str = "", count: int = 1, patience: float = 30.0) -> list[Recorded]:
        """Wait until so many such requests came, and return them."""
        with self._changed:
            came = self._changed.wait_for(lambda: len(self.asked(method, path)) >= count, patience)
        assert came, f"{len(self.asked(method, path))} of {count} requests {method} {path} came: {self.requests}"
        return self.asked(method, path)

    def add(self, request: Recorded) -> None:
        """Record a request, and wake `wait_for`."""
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()


Served = Callable[[ASGIApp], AbstractContextManager[StandIn]]
"""Serves an app until the end of the block: `serve`, or the fixture `served` of the tests of remote engines."""


class _Server(uvicorn.Server):
    """Sets an event once it accepts connections."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.serves = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.serves.set()


@contextmanager
def serve(app: ASGIApp, port: int = 0) -> Iterator[StandIn]:
    """Serve an ASGI app (Starlette, FastAPI) on a thread, on 127.0.0.1, until the end of the block.

    Args:
        app: what answers. Its own threads and locks may be shared with the test.
        port: 0: any free one.
    """
    with socket.create_server(("127.0.0.1", port)) as listener:
        stand_in = StandIn(f"http://127.0.0.1:{listener.getsockname()[1]}")
        config = uvicorn.Config(_recording(app, stand_in), lifespan="off", log_level="error", access_log=False)
        server = _Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True, name="stand-in")
        thread.start()
        assert server.serves.wait(30), "the stand-in did not start"
        try:
            yield stand_in
        finally:
            server.should_exit = server.force_exit = True
            thread.join(30)


def _recording(app: ASGIApp, stand_in: StandIn) -> ASGIApp:
    """The app, with each request recorded once its body is complete, before it is answered."""

    async def recorded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        body = b""
        while scope["type"] == "http":
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        method, query = scope.get("method", "WEBSOCKET"), scope["query_string"].decode()
        stand_in.add(Recorded(method, scope["path"], query, headers, body))
        await app(scope, _replay(body, receive) if scope["type"] == "http" else receive, send)

    return recorded


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give the app the body that was read already, then what else comes (the disconnect)."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return left.pop() if left else await receive()

    return again
