"""`/api/v1/sessions`: make a session, and open it on another device."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from videogen.core.errors import (
    BannedError,
    CodeRefusedError,
    CrossSiteError,
    DatabaseBusyError,
    InvalidRequestError,
    LimitExceededError,
    SessionRequiredError,
)
from videogen.schemas.portability import Transfer, TransferClaim
from videogen.schemas.system import SessionCreated
from videogen.web.dependencies import PublicUrlDep, ServicesDep
from videogen.web.problems import documented
from videogen.web.same_origin import is_foreign
from videogen.web.sessions import (
    WRITES,
    SessionDep,
    StoredSessionDep,
    session_cookie,
    store_session,
)
from videogen.web.user_agent import device_name
from videogen.web.visitor import visitor

router = APIRouter(prefix="/api/v1/sessions", tags=["sessions"])
_COOKIE_HERE = "Only a page of this site may set its cookie. Send the token as a Bearer header instead."


@router.post("", status_code=201, responses=documented(BannedError, DatabaseBusyError, LimitExceededError))
def create_session(services: ServicesDep, request: Request) -> SessionCreated:
    """Make a session. Its token is returned only here: keep it, and send it as `Authorization: Bearer <token>`."""
    return store_session(request, services.sessions.new_token())


@router.post("/cookie", status_code=204, responses=documented(SessionRequiredError, CrossSiteError))
def set_cookie(request: Request, session_id: SessionDep) -> Response:
    """Put the Bearer token into the browser's cookie. For this site's pages, which keep it in their own storage too."""
    # Another site must not be able to put its own session into a visitor's browser.
    if is_foreign(request):
        raise CrossSiteError(_COOKIE_HERE)
    token = request.headers.get("authorization", "").partition(" ")[2].strip()
    # Without a Bearer token the request was authenticated by the cookie, which is right as it is.
    headers = {"Set-Cookie": session_cookie(request, token)} if token else {}
    return Response(status_code=204, headers=headers)


@router.post("/transfer", status_code=201, responses=WRITES | documented(LimitExceededError))
def create_code(services: ServicesDep, session_id: StoredSessionDep, base: PublicUrlDep) -> Transfer:
    """Make a one-time code for this session, to be typed or opened on another device within ten minutes.

    Whoever has the code can open the session. An earlier code is no longer valid.
    """
    return services.sessions.create_code(session_id, base)


@router.delete("/transfer", status_code=204, responses=WRITES)
def revoke_code(services: ServicesDep, session_id: SessionDep) -> Response:
    """Revoke the code, if it was not used. Safe to repeat."""
    services.sessions.revoke_code(session_id)
    return Response(status_code=204)


@router.post(
    "/claim",
    status_code=201,
    responses=documented(
        *(CodeRefusedError, CrossSiteError, DatabaseBusyError, InvalidRequestError, LimitExceededError)
    ),
)
def claim_code(services: ServicesDep, request: Request, response: Response, claim: TransferClaim) -> SessionCreated:
    """Use a code, once: returns a new token of its session. Sets the browser's cookie."""
    # Another site must not be able to put its own session into a visitor's browser.
    if is_foreign(request):
        raise CrossSiteError
    created = services.sessions.claim_code(claim.code, visitor(request), device_name(request))
    response.headers["Set-Cookie"] = session_cookie(request, created.token)
    response.headers["Cache-Control"] = "no-store"
    return created
