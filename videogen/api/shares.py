"""`/api/v1`: public links to single generations."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from videogen.core.errors import CrossSiteError, InvalidRequestError, NotFoundError, SessionRequiredError
from videogen.schemas.sharing import Share, ShareCreate, ShareList
from videogen.services.shares import Shares
from videogen.web.problems import documented
from videogen.web.public_url import PublicUrl
from videogen.web.sessions import SessionDep

router = APIRouter(prefix="/api/v1", tags=["shares"])
_WRITE: Final = documented(SessionRequiredError, CrossSiteError, NotFoundError)


def _shares(request: Request) -> Shares:
    shares: Shares = request.app.state.shares
    return shares


def _base(request: Request) -> str:
    address: PublicUrl = request.app.state.public
    return address.of(request)


SharesDep = Annotated[Shares, Depends(_shares)]
BaseDep = Annotated[str, Depends(_base)]


@router.post("/generations/{generation_id}/share", status_code=201, responses=_WRITE | documented(InvalidRequestError))
def share(
    shares: SharesDep, base: BaseDep, session_id: SessionDep, generation_id: str, wanted: ShareCreate | None = None
) -> Share:
    """Make a public link to it, also while it still renders.

    A generation has one link: while it holds, asking again gives the same one, with the expiry that is asked for. Once
    it has been revoked or has expired, it never works again, and the next one is another.
    """
    return shares.share(session_id, generation_id, wanted or ShareCreate(), base)


@router.delete("/generations/{generation_id}/share", status_code=204, responses=_WRITE)
def unshare(shares: SharesDep, session_id: SessionDep, generation_id: str) -> Response:
    """Revoke its link: page, video and live events are gone at once. Safe to repeat."""
    shares.revoke(session_id, generation_id)
    return Response(status_code=204)


@router.get("/shares", responses=documented(SessionRequiredError))
def list_shares(shares: SharesDep, base: BaseDep, session_id: SessionDep) -> ShareList:
    """The session's links that hold, newest first."""
    return shares.list(session_id, base)
