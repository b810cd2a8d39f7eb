"""`/admin`: the operator's page. Everybody else gets a form that asks for the token, or the way to sign in.

Without a token and without a list of accounts in the settings it does not exist, and neither does anything below it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal
from urllib.parse import unquote

import anyio.to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse

from videogen.admin import pages
from videogen.core.errors import (
    AdminRequiredError,
    InvalidRequestError,
    LimitExceededError,
    NotFoundError,
    NotTerminalError,
    UnknownRouteError,
)
from videogen.core.i18n import VARY, negotiate
from videogen.schemas.system import SESSION_COOKIE
from videogen.services.admin import AdminService
from videogen.web.admin_access import (
    OPERATOR,
    PATH,
    account_operator,
    check_token,
    page_operator,
    require_own_page,
    require_setting,
    sign_in_cookie,
    sign_out_cookie,
)
from videogen.web.dependencies import app_state

router = APIRouter(include_in_schema=False)
_SECURITY: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
_AUDIT_SHOWN: Final = 200
Act = Callable[[AdminService, str, str], object]
"""What is done, by whom, and to what."""
_ACTS: Final[Mapping[str, Act]] = {
    "pause": lambda admin, who, _target: admin.pause(who),
    "resume": lambda admin, who, _target: admin.resume(who),
    "drain": lambda admin, who, _target: admin.drain(who),
    "cancel": lambda admin, who, target: admin.cancel(who, target),
    "unshare": lambda admin, who, target: admin.end_share(who, target),
    "dismiss": lambda admin, who, target: admin.dismiss(who, target),
    "remove": lambda admin, who, target: admin.remove(who, target),
    "ban": lambda admin, who, target: admin.ban_session(who, target, banned=True),
    "unban": lambda admin, who, target: admin.ban_session(who, target, banned=False),
    "ban_address": lambda admin, who, target: admin.ban_address(who, target, banned=True),
    "unban_address": lambda admin, who, target: admin.ban_address(who, target, banned=False),
}


@router.get(PATH)
async def overview(request: Request) -> Response:
    """The overview, which loads itself anew every few seconds; the form to sign in for everybody else."""
    require_setting(request)
    if await _who(request) is None:
        return await _sign_in_page(request, 401)
    shown = await anyio.to_thread.run_sync(_admin(request).overview)
    return _page(request, "overview", shown=shown, links=f"{app_state(request).public_url.root}/s/")


@router.post(f"{PATH}/sign-in")
async def sign_in(request: Request) -> Response:
    """Exchange the token for a cookie of this browser."""
    require_setting(request)
    require_own_page(request)
    try:
        await anyio.to_thread.run_sync(check_token, request, await _field(request, "token"))
    except AdminRequiredError:
        return await _sign_in_page(request, 401, "wrong")
    except LimitExceededError as problem:
        answer = await _sign_in_page(request, 429, "often")
        answer.headers["Retry-After"] = str(problem.retry_after)
        return answer
    await anyio.to_thread.run_sync(_admin(request).note, OPERATOR, "sign_in")
    return _back(request, sign_in_cookie(request))


@router.post(f"{PATH}/sign-out")
async def sign_out(request: Request) -> Response:
    """Remove the cookie; of an account, let its sign-in open the page no more."""
    require_setting(request)
    require_own_page(request)
    await anyio.to_thread.run_sync(_end_operator, request)
    return _back(request, sign_out_cookie(request))


@router.get(f"{PATH}/ask/{{act}}")
async def ask(request: Request, act: str, target: str = "") -> Response:
    """Ask before an act."""
    if (refusal := await _refusal(request)) is not None:
        return refusal
    if act not in _ACTS:
        raise UnknownRouteError(request.url.path)
    return _page(request, "ask", act=act, target=target)


@router.post(f"{PATH}/act/{{act}}")
async def do(request: Request, act: str) -> Response:
    """Do it, and go back to the overview."""
    require_setting(request)
    require_own_page(request)
    if (who := await _who(request)) is None:
        raise AdminRequiredError
    if act not in _ACTS:
        raise UnknownRouteError(request.url.path)
    target = (await _field(request, "target")).strip()
    try:
        await anyio.to_thread.run_sync(_ACTS[act], _admin(request), who, target)
    except (NotFoundError, InvalidRequestError, NotTerminalError) as problem:
        return _page(request, "failed", problem.status, target=target)
    return _back(request)


@router.get(f"{PATH}/log/{{generation_id}}")
async def log(request: Request, generation_id: str) -> Response:
    """The log of a generation, as text."""
    if (refusal := await _refusal(request)) is not None:
        return refusal
    text = await anyio.to_thread.run_sync(_admin(request).log, unquote(generation_id))
    return PlainTextResponse(text, headers=_SECURITY)


@router.get(f"{PATH}/audit")
async def audit(request: Request) -> Response:
    """The newest acts."""
    if (refusal := await _refusal(request)) is not None:
        return refusal
    shown = await anyio.to_thread.run_sync(_admin(request).audit, _AUDIT_SHOWN, None)
    return _page(request, "audit", shown=shown)


async def _who(request: Request) -> str | None:
    return await anyio.to_thread.run_sync(page_operator, request)


async def _refusal(request: Request) -> Response | None:
    """For who is not signed in: the way to the form."""
    require_setting(request)
    return _back(request) if await _who(request) is None else None


async def _sign_in_page(request: Request, status: int, problem: str | None = None) -> Response:
    config = app_state(request).config
    account = await anyio.to_thread.run_sync(_account, request) if config.admin_users else None
    provider = (config.oidc_title or config.oidc_issuer) if config.admin_users else ""
    login = f"{app_state(request).public_url.root}/login?next={PATH}"
    values = {"has_token": bool(config.admin_token), "provider": provider, "login": login, "account": account}
    return _page(request, "sign_in", status, problem=problem, **values)


def _account(request: Request) -> str | None:
    """The user name of who has signed in, but may not open the page."""
    services = app_state(request).services
    identity = services.sessions.find(request.cookies.get(SESSION_COOKIE, ""))
    account = services.accounts.of(identity.session_id) if identity else None
    return account.username if account else None


def _end_operator(request: Request) -> None:
    if (operator := account_operator(request)) is not None:
        app_state(request).services.accounts.end_operator(operator)


async def _field(request: Request, name: Literal["token", "target"]) -> str:
    form = await request.form(max_files=0, max_fields=4)
    return str(form.get(name, ""))[:512]


def _admin(request: Request) -> AdminService:
    return app_state(request).services.admin


def _path(request: Request) -> str:
    return f"{app_state(request).public_url.root}{PATH}"


def _back(request: Request, cookie: str | None = None) -> Response:
    headers = _SECURITY | ({} if cookie is None else {"Set-Cookie": cookie})
    return RedirectResponse(_path(request), 303, headers)


def _page(request: Request, name: str, status: int = 200, **values: Any) -> HTMLResponse:
    texts = negotiate(request.query_params, request.cookies, request.headers)
    headers = _SECURITY | {"Content-Security-Policy": pages.policy(), "X-Robots-Tag": "noindex, nofollow"}
    headers |= {"Content-Language": texts.tag, "Vary": VARY}
    return HTMLResponse(pages.page(name, texts, _path(request), **values), status, headers)
