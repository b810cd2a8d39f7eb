"""`/api/v1/retention`, `/api/v1/quota`, and Keep: until when things are kept, and how much one may make."""

from __future__ import annotations

from fastapi import APIRouter, Response

from videogen.core.errors import NotFoundError
from videogen.schemas.generations import Generation
from videogen.schemas.retention import Quotas, Retention
from videogen.web.dependencies import ServicesDep
from videogen.web.problems import documented
from videogen.web.sessions import READS, WRITES, SessionDep
from videogen.web.visitor import VisitorDep

router = APIRouter(prefix="/api/v1", tags=["retention and quotas"])


@router.get("/retention", responses=READS)
def get_retention(services: ServicesDep, session_id: SessionDep) -> Retention:
    """How long what has ended is kept, and what of the session goes soon."""
    return services.retention.describe(session_id)


@router.post("/generations/{generation_id}/keep", responses=WRITES | documented(NotFoundError))
def keep_generation(services: ServicesDep, session_id: SessionDep, generation_id: str) -> Generation:
    """Let the time for which it is kept count from now; see `expiresAt`. Safe to repeat."""
    return services.retention.keep(session_id, generation_id)


@router.post("/generations/{generation_id}/use", status_code=204, responses=WRITES | documented(NotFoundError))
def note_use(services: ServicesDep, session_id: SessionDep, generation_id: str) -> Response:
    """Say that somebody looks at it now: it is not removed for the next 15 minutes. Downloads count by themselves."""
    services.retention.note_use(session_id, generation_id)
    return Response(status_code=204)


@router.get("/quota", responses=READS)
def get_quota(services: ServicesDep, session_id: SessionDep, visitor: VisitorDep) -> Quotas:
    """What is left of every engine with a quota, in seconds of video. What was submitted counts for 24 hours."""
    return services.quotas.describe(session_id, visitor)
