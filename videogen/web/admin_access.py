"""Who is the operator: whoever has the token of `VIDEOGEN_ADMIN_TOKEN`, or the cookie that the page gives for it.

At the page also whoever has signed in with an account of `VIDEOGEN_ADMIN_USERS`.
"""

from __future__ import annotations

import hmac
import time
from typing import Annotated, Final

from fastapi import Depends, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection

from videogen.core.errors import AdminRequiredError, CrossSiteError, UnknownRouteError
from videogen.schemas.system import SESSION_COOKIE
from videogen.services.accounts import Operator
from videogen.web.dependencies import app_state
from videogen.web.same_origin import is_same_origin
from videogen.web.visitor import visitor

COOKIE: Final = "videogen_admin"
COOKIE_SECONDS: Final = 8 * 3600
PATH: Final = "/admin"
OPERATOR: Final = "ADMIN_TOKEN"
"""Who has done it, in the audit log."""
_bearer = HTTPBearer(auto_error=False, scheme_name="Operator", description="The token of `VIDEOGEN_ADMIN_TOKEN`.")


def require_operator(
    connection: HTTPConnection, bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)] = None
) -> str:
    """Let the operator alone call a route of the API; return who it is. Cookies do not count here.

    Raises:
        UnknownRouteError: there is no operator's token, so that there is no such route.
        AdminRequiredError: the token is missing or wrong.
        LimitExceededError: too many wrong ones came from this address.
    """
    if not app_state(connection).config.admin_token:
        raise UnknownRouteError(connection.url.path)
    check_token(connection, bearer.credentials if bearer else "")
    return OPERATOR


OperatorDep = Annotated[str, Depends(require_operator)]


def require_setting(connection: HTTPConnection) -> None:
    """Raise UnknownRouteError where there is no operator's page: no token, and no account on the list."""
    config = app_state(connection).config
    if not (config.admin_token or config.admin_users):
        raise UnknownRouteError(connection.url.path)


def check_token(connection: HTTPConnection, given: str) -> None:
    """Raise AdminRequiredError for a wrong token, LimitExceededError after too many of them from one address."""
    if not given:
        raise AdminRequiredError
    state, address = app_state(connection), visitor(connection)
    state.services.rates.check("admin", address)
    token = given.encode("utf-8", "surrogatepass")
    if not hmac.compare_digest(token, state.config.admin_token.encode()):
        state.services.rates.count("admin", address)
        raise AdminRequiredError


def sign_in_cookie(connection: HTTPConnection) -> str:
    """The value of Set-Cookie for a browser that has sent the token."""
    expires = int(time.time()) + COOKIE_SECONDS
    return _cookie(connection, f"{expires}.{_signature(connection, expires)}", COOKIE_SECONDS)


def sign_out_cookie(connection: HTTPConnection) -> str:
    """The value of Set-Cookie that removes it."""
    return _cookie(connection, "", 0)


def page_operator(connection: HTTPConnection) -> str | None:
    """Who has opened the page, for the audit log; None: somebody else. This blocks on the database."""
    if _has_cookie(connection):
        return OPERATOR
    account = account_operator(connection)
    return account.name if account else None


def account_operator(connection: HTTPConnection) -> Operator | None:
    """Who has signed in with this browser, if the list names them. This blocks on the database."""
    return app_state(connection).services.accounts.operator(connection.cookies.get(SESSION_COOKIE, ""))


def _has_cookie(connection: HTTPConnection) -> bool:
    """Whether a request to the page has a cookie of ours that is still valid, for the token of today."""
    if not app_state(connection).config.admin_token:
        return False
    expires, _, signature = connection.cookies.get(COOKIE, "").partition(".")
    if not (expires.isascii() and expires.isdigit() and len(expires) < 16 and signature.isascii()):
        return False
    return hmac.compare_digest(_signature(connection, int(expires)), signature) and time.time() < int(expires)


def require_own_page(connection: HTTPConnection) -> None:
    """Raise CrossSiteError unless the operator's page of this origin has sent a form."""
    if not is_same_origin(connection):
        raise CrossSiteError("Only the operator's page may send this. Open /admin, and try again.")


def _signature(connection: HTTPConnection, expires: int) -> str:
    # The token is in it: with another one, every cookie is void.
    state = app_state(connection)
    text = f"{expires}:{state.config.admin_token}".encode()
    return hmac.digest(state.admin_key.encode(), text, "sha256").hex()


def _cookie(connection: HTTPConnection, value: str, seconds: int) -> str:
    path = f"{connection.scope.get('root_path', '')}{PATH}"
    secure = "; Secure" if connection.url.scheme == "https" else ""
    return f"{COOKIE}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
