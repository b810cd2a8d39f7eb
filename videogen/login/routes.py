"""`/login` and `/logout`: to the OpenID provider and back, with a question where the browser proves too little.

Whoever opens `/login` may have been sent there. So a session that is not this browser's own by its cookie is tied to an
account only after the person was shown which, and has agreed.
"""

from __future__ import annotations

import hmac
from contextlib import suppress
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from videogen.core.errors import (
    CrossSiteError,
    LoginExpiredError,
    LoginNotAllowedError,
    LoginRefusedError,
    NotFoundError,
    ProviderError,
    SessionRequiredError,
    VideogenError,
)
from videogen.core.i18n import PARAMETER, VARY, error_message, negotiate
from videogen.schemas.system import SESSION_COOKIE, SessionCreated
from videogen.services.accounts import LOGIN_SECONDS, Connection
from videogen.services.openid import Begun, OpenIDProvider
from videogen.share import pages
from videogen.web.cookies import cookie_header
from videogen.web.dependencies import app_state
from videogen.web.problems import Responses, documented
from videogen.web.same_origin import is_foreign, is_same_origin
from videogen.web.sessions import WRITES, AnyIdentityDep, TokenDep, session_cookie, store_session
from videogen.web.visitor import visitor

COOKIE: Final = "videogen_login"
"""Ties a sign-in to the browser that began it; sealed, so that only this server reads it."""
router = APIRouter(tags=["accounts"])
_NOWHERE: Final = "/"
_FAULTS: Final[Responses] = {
    status: {"description": response["description"], "content": {"text/html": {}}}
    for status, response in documented(
        *(LoginRefusedError, LoginNotAllowedError, NotFoundError, LoginExpiredError, ProviderError)
    ).items()
}
"""Why nobody is signed in, as a page."""


def safe_path(value: str) -> str:
    """A path of this app as it is; the page for anything that a browser might take for another site."""
    plain = value.isascii() and value.isprintable() and "\\" not in value and len(value) <= 2000
    return value if plain and value.startswith("/") and not value.startswith("//") else _NOWHERE


@router.get("/login", response_class=HTMLResponse, responses=_FAULTS)
def begin(request: Request, link: str = "", return_to: Annotated[str, Query(alias="next")] = _NOWHERE) -> Response:
    """Begin to sign in: redirects to the OpenID provider.

    `link` is the secret of `POST /api/v1/account/link`, for the session that made it; without, it is the browser's own
    session. `next` is the path of this app where to go afterwards.
    """
    accounts = app_state(request).services.accounts
    try:
        provider = _provider(request)
        app_state(request).services.rates.count("logins", visitor(request))
        device_id = accounts.use_link(link) if link else None
        begun = Begun.new()
        state = {
            "begun": list(begun),
            "device": device_id,
            "next": safe_path(return_to),
            "foreign": is_foreign(request),
            PARAMETER: request.query_params.get(PARAMETER, "")[:20],
        }
        response: Response = RedirectResponse(provider.address(begun, _callback_url(request)), 307)
    except VideogenError as problem:
        return _page(request, "login.failed", problem=problem)
    response.headers["Referrer-Policy"] = "no-referrer"
    return _with_state(request, response, state)


@router.get("/login/callback", response_class=HTMLResponse, responses=_FAULTS)
def callback(request: Request) -> Response:
    """Where the provider sends the browser back to."""
    services = app_state(request).services
    try:
        state = _state(request, "begun")
        begun = Begun(*state["begun"])
        person, tokens = services.accounts.finish(begun, _callback_url(request), request.query_params)
        own, token = _own_device(request, store=state["device"] is None)
        connection = services.accounts.prepare(person, state["device"] or own or "")
        by_link = state["device"] is not None
        is_proven = connection.device_id == own and not state["foreign"]
        contents = connection.contents
        # Whoever set them up in the anonymous session would follow the account from now on.
        gives_away = contents.account_id is None and (contents.other_devices or contents.webhooks)
        if not is_proven or gives_away:
            response = _ask(request, connection, state["next"], tokens, by_link=by_link, proven=is_proven)
        else:
            services.accounts.connect(connection.device_id, connection.account_id, tokens, proven=True)
            response = _done(request, connection, state["next"], by_link=by_link)
    except VideogenError as problem:
        return _with_state(request, _page(request, "login.failed", problem=problem), None)
    if token:
        response.headers.append("Set-Cookie", session_cookie(request, token))
    return response


@router.post("/login/confirm", response_class=HTMLResponse, responses=_FAULTS)
def confirm(request: Request, secret: Annotated[str, Form(max_length=200)] = "") -> Response:
    """The answer to the question whether a page's session is to belong to the account."""
    accounts = app_state(request).services.accounts
    try:
        if not is_same_origin(request):
            raise CrossSiteError("Only the page of this site that asked may answer.")
        state = _state(request, "secret")
        if not hmac.compare_digest(state["secret"].encode(), secret.encode("utf-8", "surrogatepass")):
            raise LoginExpiredError
        tokens = accounts.answered(secret)
        account = accounts.connect(state["device"], state["account"], tokens, proven=state["proven"])
        if account is None:
            raise LoginExpiredError
    except VideogenError as problem:
        return _page(request, "login.failed", problem=problem)
    if state["by_link"]:
        done: Response = _page(request, "login.done", account=account, return_to=state["next"])
    else:
        done = RedirectResponse(app_state(request).public_url.root + state["next"], 303)
    return _with_state(request, done, None)


@router.post("/logout", responses=WRITES)
def sign_out(request: Request, response: Response, token: TokenDep, identity: AnyIdentityDep) -> SessionCreated:
    """Sign this device out of its account: it gets a new, anonymous session. The other devices stay signed in.

    Use the returned token from now on. Sets the browser's cookie, if the request came with it. A session without an
    account stays as it is.
    """
    services = app_state(request).services
    new = services.accounts.sign_out(identity, token)
    if "authorization" not in request.headers:
        response.headers["Set-Cookie"] = session_cookie(request, new)
    response.headers["Cache-Control"] = "no-store"
    found = services.sessions.find(new)
    if found is None:
        raise SessionRequiredError
    return SessionCreated(session_id=found.session_id, token=new)


def _provider(request: Request) -> OpenIDProvider:
    provider = app_state(request).services.accounts.provider
    if provider is None:
        raise NotFoundError("Nobody can sign in here: this server has no provider (VIDEOGEN_OIDC_ISSUER).")
    return provider


def _callback_url(request: Request) -> str:
    return f"{app_state(request).public_url.of(request)}/login/callback"


def _own_device(request: Request, *, store: bool) -> tuple[str | None, str]:
    """The device of this browser's cookie; with `store` a new one where it has none, and its token for the cookie."""
    sessions = app_state(request).services.sessions
    token, new = request.cookies.get(SESSION_COOKIE, ""), ""
    identity = sessions.find(token) if token else None
    if identity is None and store:
        token = new = sessions.new_token()
        identity = sessions.find(token)
    if identity is not None and identity.device_id is None and store:
        store_session(request, token)
        identity = sessions.find(token)
    return (identity.device_id if identity else None), new


def _ask(
    request: Request, connection: Connection, return_to: str, tokens: str, *, by_link: bool, proven: bool
) -> Response:
    secret = app_state(request).services.accounts.ask(tokens)
    state = {"secret": secret, "device": connection.device_id, "account": connection.account_id}
    state |= _language(request)
    page = _page(request, "login.question", account=connection.account, ask=connection.contents, secret=secret)
    return _with_state(request, page, {**state, "next": return_to, "by_link": by_link, "proven": proven})


def _done(request: Request, connection: Connection, return_to: str, *, by_link: bool) -> Response:
    if by_link:
        response: Response = _page(request, "login.done", account=connection.account, return_to=return_to)
    else:
        response = RedirectResponse(app_state(request).public_url.root + return_to, 303)
    return _with_state(request, response, None)


def _state(request: Request, step: str) -> dict[str, Any]:
    """What this browser keeps of its sign-in. Raises LoginExpiredError: nothing, or of another step."""
    sealed = request.cookies.get(COOKIE, "")
    state = orjson.loads(app_state(request).services.accounts.sealed.open(sealed)) if sealed else {}
    if not isinstance(state, dict) or step not in state:
        raise LoginExpiredError
    return state


def _language(request: Request) -> dict[str, str]:
    """The language of the page that began this sign-in."""
    with suppress(LoginExpiredError):
        return {PARAMETER: str(_state(request, PARAMETER)[PARAMETER])}
    return {}


def _with_state(request: Request, response: Response, state: dict[str, Any] | None) -> Response:
    """Let the browser keep the state of its sign-in; None: there is none any more."""
    value, seconds = "", 0
    if state is not None:
        value, seconds = app_state(request).services.accounts.sealed.seal(orjson.dumps(state)), LOGIN_SECONDS
    response.headers.append("Set-Cookie", cookie_header(request, COOKIE, value, seconds, http_only=True))
    response.headers["Cache-Control"] = "no-store"
    return response


def _page(
    request: Request, title: str, *, problem: VideogenError | None = None, return_to: str = _NOWHERE, **values: Any
) -> Response:
    texts = negotiate({**_language(request), **request.query_params}, request.cookies, request.headers)
    words = error_message(texts, problem.code, problem.detail) if problem else ""
    given = {"account": None, "ask": None, "secret": "", **values, "problem": words, "title": title}
    given |= {"texts": texts, "root": app_state(request).public_url.root, "return_to": return_to}
    # Nobody may lay this page under another one: a click on it ties a session to an account.
    policy = f"{pages.policy()}; frame-ancestors 'none'"
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
    headers |= {"Content-Language": texts.tag, "Vary": VARY, "X-Robots-Tag": "noindex, nofollow"}
    headers |= {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin"}
    return HTMLResponse(pages.render("login", given), problem.status if problem else 200, headers)
