"""Authentication: a Bearer token, or the session cookie, with which only pages of this site may write."""

from __future__ import annotations

import logging
from typing import Annotated, Final

import anyio.to_thread
from fastapi import Depends, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from videogen.core.errors import (
    BannedError,
    CrossSiteError,
    DatabaseBusyError,
    LoginRequiredError,
    SessionMovedError,
    SessionRequiredError,
    StorageError,
)
from videogen.core.log_context import add_context, hashed
from videogen.schemas.system import SESSION_COOKIE, SessionCreated
from videogen.services.sessions import Identity
from videogen.web.cookies import cookie_header
from videogen.web.dependencies import app_state
from videogen.web.problems import SESSION_ID, documented
from videogen.web.public_url import is_page
from videogen.web.same_origin import is_same_origin
from videogen.web.user_agent import device_name
from videogen.web.visitor import visitor

logger = logging.getLogger(__name__)
_SAFE: Final = ("GET", "HEAD", "OPTIONS")
_COOKIE_SECONDS: Final = 400 * 24 * 3600
READS: Final = documented(SessionRequiredError, LoginRequiredError, DatabaseBusyError, SessionMovedError)
"""The OpenAPI responses of every route that reads something of a session."""
WRITES: Final = documented(
    SessionRequiredError, LoginRequiredError, CrossSiteError, DatabaseBusyError, SessionMovedError
)
MAKES: Final = WRITES | documented(CrossSiteError, BannedError)
"""The same where something new is made."""
_bearer = HTTPBearer(auto_error=False, description="The token of `POST /api/v1/sessions`.")


def session_token(
    connection: HTTPConnection, bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)] = None
) -> str:
    """The token of a request, which may be wrong; empty where it has none.

    Raises:
        CrossSiteError: a write with the cookie alone, from another site.
    """
    if "authorization" in connection.headers:
        # A wrong token is an error, even where the cookie is right.
        return bearer.credentials if bearer else ""
    token = connection.cookies.get(SESSION_COOKIE, "")
    if token and connection.scope["method"] not in _SAFE and not is_same_origin(connection):
        raise CrossSiteError
    return token


TokenDep = Annotated[str, Depends(session_token)]


def identify_anyone(connection: HTTPConnection, token: TokenDep) -> Identity:
    """The session and the device that a request belongs to, also where its person must sign in first.

    Raises:
        SessionRequiredError: no token, or an unknown one.
    """
    identity = app_state(connection).services.sessions.find(token) if token else None
    if identity is None:
        raise SessionRequiredError
    add_context(session=hashed(identity.session_id))
    connection.scope[SESSION_ID] = identity.session_id
    return identity


AnyIdentityDep = Annotated[Identity, Depends(identify_anyone)]


def identify(connection: HTTPConnection, identity: AnyIdentityDep) -> Identity:
    """The session and the device that a request belongs to.

    Raises:
        SessionRequiredError: no token, or an unknown one.
        LoginRequiredError: only people who have signed in may use this server.
    """
    app_state(connection).services.accounts.require(identity)
    return identity


IdentityDep = Annotated[Identity, Depends(identify)]


def current_session(identity: IdentityDep) -> str:
    """The id of the session that a request belongs to; it may not be stored yet."""
    return identity.session_id


def stored_identity(connection: HTTPConnection, token: TokenDep, identity: IdentityDep) -> Identity:
    """The same as `identify`, for a request that keeps something: the session is stored first, if it is not yet."""
    return ensure_stored(connection, token, identity)


def ensure_stored(connection: HTTPConnection, token: str, identity: Identity) -> Identity:
    """The identity of this token once its session is stored."""
    if identity.device_id is None:
        store_session(connection, token)
        return identify_anyone(connection, token)
    return identity


StoredIdentityDep = Annotated[Identity, Depends(stored_identity)]


def stored_session(identity: StoredIdentityDep) -> str:
    """The id of the session of a request that keeps something."""
    return identity.session_id


def store_session(connection: HTTPConnection, token: str) -> SessionCreated:
    """Store the session of a signed token. Every new session of the database comes this way.

    Raises:
        SessionRequiredError: the token was signed out meanwhile.
        LimitExceededError: too many sessions were made from this address.
        BannedError: the operator has banned the address.
    """
    app_state(connection).services.bans.check(visitor(connection))
    app_state(connection).services.rates.count("sessions", visitor(connection))
    return app_state(connection).services.sessions.save(token, device_name(connection))


SessionDep = Annotated[str, Depends(current_session)]
StoredSessionDep = Annotated[str, Depends(stored_session)]


def session_cookie(connection: HTTPConnection, token: str) -> str:
    """The value of Set-Cookie for a token."""
    return cookie_header(connection, SESSION_COOKIE, token, _COOKIE_SECONDS, http_only=True)


class SessionCookie:
    """ASGI middleware: `GET /` sets the session cookie where none is valid. It stores nothing: robots come too."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; add the cookie to the response when it is the page and the request had none."""
        if scope["type"] != "http" or scope["method"] != "GET" or not is_page(scope):
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        sessions = app_state(connection).services.sessions
        token = connection.cookies.get(SESSION_COOKIE, "")
        try:
            known = await anyio.to_thread.run_sync(sessions.find, token) is not None if token else False
        except StorageError as problem:
            # The page is served anyway; it shows the error when it asks for a session itself.
            logger.error("%s: %s", problem.code, problem.detail)
            known = True
        if known:
            await self.app(scope, receive, send)
            return
        header = session_cookie(connection, sessions.new_token()).encode("latin-1")

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), (b"set-cookie", header)]
            await send(message)

        await self.app(scope, receive, with_cookie)
