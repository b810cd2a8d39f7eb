"""`/api/v1`: public links to single generations."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Response

from videogen.core.errors import InvalidRequestError, NotFoundError
from videogen.schemas.sharing import Share, ShareCreate, ShareList
from videogen.web.dependencies import PublicUrlDep, ServicesDep
from videogen.web.problems import documented
from videogen.web.sessions import READS, WRITES, SessionDep

router = APIRouter(prefix="/api/v1", tags=["shares"])
_WRITE: Final = WRITES | documented(NotFoundError)


@router.post("/generations/{generation_id}/share", status_code=201, responses=_WRITE | documented(InvalidRequestError))
def create_share(
    services: ServicesDep,
    base: PublicUrlDep,
    session_id: SessionDep,
    generation_id: str,
    create: ShareCreate | None = None,
) -> Share:
    """Make a public link to a generation, also while it still renders.

    A generation has one link. While it is valid, this call returns the same link with the expiry that is asked for.
    A revoked or expired link never works again; the next one is different.
    """
    return services.shares.put(session_id, generation_id, create or ShareCreate(), base)


@router.delete("/generations/{generation_id}/share", status_code=204, responses=_WRITE)
def revoke_share(services: ServicesDep, session_id: SessionDep, generation_id: str) -> Response:
    """Revoke the link: page, video and live events end at once. Safe to repeat."""
    services.shares.revoke(session_id, generation_id)
    return Response(status_code=204)


@router.get("/shares", responses=READS)
def list_shares(services: ServicesDep, base: PublicUrlDep, session_id: SessionDep) -> ShareList:
    """The session's valid links, newest first."""
    return services.shares.list(session_id, base)
