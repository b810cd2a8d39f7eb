"""`/api/v1/sessions`: a session, and how it comes to another device."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from videogen.core.errors import (
    CodeRefusedError,
    CrossSiteError,
    InvalidRequestError,
    SessionRequiredError,
    TooManyGuessesError,
)
from videogen.schemas.portability import Transfer, TransferClaim
from videogen.schemas.system import SessionCreated
from videogen.services.device_transfer import Transfers
from videogen.web.problems import documented
from videogen.web.sessions import ServiceDep, SessionDep, cookie_header, is_same_origin

router = APIRouter(prefix="/api/v1/sessions", tags=["sessions"])
_WRITE: Final = documented(SessionRequiredError, CrossSiteError)


def _transfers(request: Request) -> Transfers:
    transfers: Transfers = request.app.state.transfers
    return transfers


TransfersDep = Annotated[Transfers, Depends(_transfers)]


@router.post("", status_code=201)
def create_session(service: ServiceDep) -> SessionCreated:
    """Make a session. Its token is told only here: keep it, and send it as `Authorization: Bearer <token>`."""
    return service.create_session()


@router.post("/cookie", status_code=204, responses=documented(SessionRequiredError))
def set_cookie(request: Request, session_id: SessionDep) -> Response:
    """Make the browser's cookie that of the Bearer token. For pages that keep the token in their own storage."""
    token = request.headers.get("authorization", "").partition(" ")[2].strip()
    # Without a Bearer token it was the cookie that let this request in, and it is right as it is.
    headers = {"Set-Cookie": cookie_header(request, token)} if token else {}
    return Response(status_code=204, headers=headers)


@router.post("/transfer", status_code=201, responses=_WRITE)
def make_code(transfers: TransfersDep, session_id: SessionDep, request: Request) -> Transfer:
    """Make a one-time code for this session, to be typed or opened on another device within ten minutes.

    Whoever has it has the session. The code before it no longer holds.
    """
    return transfers.make(session_id, request.app.state.public.of(request))


@router.delete("/transfer", status_code=204, responses=_WRITE)
def revoke_code(transfers: TransfersDep, session_id: SessionDep) -> Response:
    """Take the code back, if it was not used. Safe to repeat."""
    transfers.revoke(session_id)
    return Response(status_code=204)


@router.post(
    "/claim",
    status_code=201,
    responses=documented(CodeRefusedError, CrossSiteError, InvalidRequestError, TooManyGuessesError),
)
def claim_code(transfers: TransfersDep, request: Request, response: Response, claim: TransferClaim) -> SessionCreated:
    """Use a code, once: the session opens here too, with a token of its own. Sets the browser's cookie."""
    # Another site must not be able to put its own session into somebody's browser.
    if ("origin" in request.headers or "sec-fetch-site" in request.headers) and not is_same_origin(request):
        raise CrossSiteError
    created = transfers.claim(claim.code, request.client.host if request.client else "")
    response.headers["Set-Cookie"] = cookie_header(request, created.token)
    response.headers["Cache-Control"] = "no-store"
    return created
