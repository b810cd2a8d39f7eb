"""Whose a session hash is, asked in front of Gradio, which takes it from anybody."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from videogen.core.addresses import visitor_name
from videogen.core.errors import ForeignPageError, InvalidRequestError
from videogen.ui.gradio_calls import replay
from videogen.ui.pages import Visit, texts_of
from videogen.ui.tabs import Tab, Tabs

MAX_HASH_CHARS: Final = 64
PREFIX: Final = "/gradio_api/"


class TabGuard:
    """ASGI middleware in front of Gradio: a session hash in a call needs the token of its tab.

    The proof is the session cookie, or the browser's stored value, which is the last input of each handler.
    """

    def __init__(self, app: ASGIApp, tabs: Tabs) -> None:
        self.app = app
        self._tabs = tabs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on.

        Raises:
            ForeignPageError: the session hash is another's.
            NotFoundError: nobody has joined under it.
            LimitExceededError: too many watchers.
            InvalidRequestError: the call is not one of the page's.
        """
        path = scope["path"].removeprefix(scope.get("root_path", "")) if scope["type"] == "http" else ""
        route = path.removeprefix(PREFIX).rstrip("/") if path.startswith(PREFIX) else ""
        if route == "queue/data":
            await self._read(scope, receive, send)
        elif route == "queue/join" or route.startswith("run/"):
            await self._call(route, scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _read(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        visit = Visit.read(None, request.cookies, request.headers)
        tab = self._tabs.reader(request.query_params.get("session_hash", ""), visit.cookie, _address(scope))
        try:
            with tab.reading:
                await self.app(scope, receive, send)
            if tab.reading.cancelled_caught:
                # Its reader may be there still: the server stops.
                with suppress(Exception):
                    await send({"type": "http.response.body", "body": b""})
        finally:
            self._tabs.end_soon(tab)

    async def _call(self, route: str, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        call = _parsed(body)
        data, name = call.get("data"), call.get("session_hash")
        visit = Visit.read(data[-1] if isinstance(data, list) and data else None, request.cookies, request.headers)
        proofs = frozenset(token for token in (visit.token, visit.cookie) if token is not None)
        if route == "queue/join":
            name = self._name(call)
            tab = Tab(name, _address(scope), visit.cookie, proofs, visit.browser)
            await self._tabs.join(tab, texts_of(visit))
            try:
                await self.app(scope, replay(body, receive), send)
            finally:
                self._tabs.joined(name)
            return
        if isinstance(name, str) and not self._tabs.owns(name, proofs, if_nobody=True):
            raise ForeignPageError
        if isinstance(name, str):
            self._tabs.used(name)
        await self.app(scope, replay(body, receive), send)

    def _name(self, call: dict[str, Any]) -> str:
        """The session hash of a join."""
        name, handler = call.get("session_hash"), call.get("fn_index")
        if not isinstance(name, str) or not 0 < len(name) <= MAX_HASH_CHARS:
            raise InvalidRequestError("session_hash", f"text of 1 to {MAX_HASH_CHARS} characters", name)
        if type(handler) is not int or handler not in self._tabs.handlers():
            raise InvalidRequestError("fn_index", "the number of the page's watcher", handler)
        return name


def _parsed(body: bytes) -> dict[str, Any]:
    """The call, read as Gradio will read it."""
    with suppress(ValueError, RecursionError):
        if isinstance(call := json.loads(body), dict):
            return call
    raise InvalidRequestError("body", "a JSON object", "nothing")


def _address(scope: Scope) -> str:
    return visitor_name((scope.get("client") or ("", 0))[0])
