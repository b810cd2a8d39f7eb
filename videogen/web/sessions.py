"""Who is asking: a Bearer token, or the session cookie, which alone may write only from this site."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Annotated, Final
from urllib.parse import urlsplit

import anyio.to_thread
from fastapi import Depends, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from videogen.core.errors import CrossSiteError, SessionRequiredError, StorageError
from videogen.services.generations import Service

logger = logging.getLogger(__name__)
COOKIE: Final = "videogen_session"
_SAFE: Final = ("GET", "HEAD", "OPTIONS")
_COOKIE_SECONDS: Final = 400 * 24 * 3600
_bearer = HTTPBearer(auto_error=False, description="The token of `POST /api/v1/sessions`.")


def service_of(connection: HTTPConnection) -> Service:
    """The service behind this app."""
    service: Service = connection.app.state.service
    return service


def current_session(
    connection: HTTPConnection,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)] = None,
) -> str:
    """The id of the session that asks.

    Raises:
        SessionRequiredError: no token, or an unknown one.
        CrossSiteError: a write that rests on the cookie alone, from another site.
    """
    if "authorization" in connection.headers:
        # A client that sends a token means that token; the cookie must not step in for a wrong one.
        token = bearer.credentials if bearer else ""
    else:
        token = connection.cookies.get(COOKIE, "")
        if token and connection.scope["method"] not in _SAFE and not is_same_origin(connection):
            raise CrossSiteError
    session_id = service_of(connection).find_session(token) if token else None
    if session_id is None:
        raise SessionRequiredError
    return session_id


def is_same_origin(connection: HTTPConnection) -> bool:
    """Whether the browser says that this request comes from one of our own pages."""
    site = connection.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = urlsplit(connection.headers.get("origin", ""))
    return bool(origin.netloc) and origin.netloc == connection.headers.get("host")


ServiceDep = Annotated[Service, Depends(service_of)]
SessionDep = Annotated[str, Depends(current_session)]


def cookie_header(connection: HTTPConnection, token: str) -> str:
    """The Set-Cookie value for a token: Lax, or partitioned where the app is framed over https."""
    path = connection.scope.get("root_path", "") or "/"
    value = f"{COOKIE}={token}; Path={path}; Max-Age={_COOKIE_SECONDS}; HttpOnly"
    if connection.url.scheme != "https":
        return f"{value}; SameSite=Lax"
    framed = connection.headers.get("sec-fetch-dest") in ("iframe", "frame")
    return f"{value}; SameSite=None; Secure; Partitioned" if framed else f"{value}; SameSite=Lax; Secure"


class SessionCookie:
    """ASGI middleware: `GET /` sets the session cookie where none is valid."""

    def __init__(self, app: ASGIApp, service: Callable[[], Service]) -> None:
        self.app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; add the cookie to the answer when it is the page's and there was none."""
        if scope["type"] != "http" or scope["method"] != "GET" or not _is_page(scope):
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        service = self._service()
        token = connection.cookies.get(COOKIE, "")
        try:
            known = await anyio.to_thread.run_sync(service.find_session, token) if token else None
            created = None if known else await anyio.to_thread.run_sync(service.create_session)
        except StorageError as problem:
            # The page comes all the same, and says what is wrong once it asks for a session itself.
            logger.error("%s: %s", problem.code, problem.detail)
            created = None
        if created is None:
            await self.app(scope, receive, send)
            return
        header = cookie_header(connection, created.token).encode("latin-1")

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), (b"set-cookie", header)]
            await send(message)

        await self.app(scope, receive, with_cookie)


def _is_page(scope: Scope) -> bool:
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    return path in ("", "/")
