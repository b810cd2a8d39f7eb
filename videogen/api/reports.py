"""`/api/v1/reports`: what visitors report about public links."""

from __future__ import annotations

from fastapi import APIRouter, Response

from videogen.core.errors import InvalidRequestError, LimitExceededError, NotFoundError
from videogen.schemas.sharing import Report
from videogen.web.dependencies import ServicesDep
from videogen.web.problems import documented
from videogen.web.visitor import VisitorDep

router = APIRouter(prefix="/api/v1/reports", tags=["shares"])


@router.post("", status_code=202, responses=documented(InvalidRequestError, NotFoundError, LimitExceededError))
def report(services: ServicesDep, visitor: VisitorDep, report: Report) -> Response:
    """Report what a public link shows to the operator. It needs no session; ten an hour from one address."""
    services.moderation.report(report, visitor)
    return Response(status_code=202)
