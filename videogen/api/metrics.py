"""`/metrics`, for Prometheus. To everybody who may not read it, it does not exist."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Header, Request, Response

from videogen.core.errors import UnknownRouteError
from videogen.web.dependencies import AppStateDep
from videogen.web.metrics_access import may_read_metrics
from videogen.web.problems import Responses, documented

router = APIRouter()
_TEXT: Final[Responses] = {
    200: {"description": "The metrics as text.", "content": {"text/plain": {"schema": {"type": "string"}}}}
}


@router.get("/metrics", tags=["health"], responses=_TEXT | documented(UnknownRouteError), response_class=Response)
def metrics(request: Request, state: AppStateDep, accept: Annotated[str, Header()] = "") -> Response:
    """The metrics, to programs on this machine, and to those with the token of `VIDEOGEN_METRICS_TOKEN` as Bearer.

    Raises:
        UnknownRouteError: the request is from elsewhere, or its token is wrong. A 401 would show that there
            is a token to guess.
    """
    if not may_read_metrics(request, state.config.metrics_token):
        raise UnknownRouteError(request.url.path)
    text, content_type = state.services.metrics.render(accept)
    return Response(text, media_type=content_type, headers={"Cache-Control": "no-store"})
