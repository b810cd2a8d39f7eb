"""`/api/v1/engines`: the engines on offer, and the pictures of their presets."""

from __future__ import annotations

from fastapi import APIRouter

from videogen.core.errors import InvalidRequestError, LimitExceededError, NotFoundError
from videogen.schemas.engines import EngineList, ExplainRequest, Explanation
from videogen.web.dependencies import ServicesDep
from videogen.web.file_response import RangedFileResponse
from videogen.web.problems import documented
from videogen.web.sessions import WRITES, SessionDep
from videogen.web.visitor import VisitorDep

router = APIRouter(prefix="/api/v1", tags=["engines"])


@router.get("/engines")
def list_engines(services: ServicesDep) -> EngineList:
    """The engines on offer: what each can do, whether it is available, and the JSON Schema of its settings."""
    return services.system.engines()


@router.post(
    "/engines/{engine_id}/explain",
    responses=WRITES | documented(NotFoundError, InvalidRequestError, LimitExceededError),
)
def explain(
    services: ServicesDep, session_id: SessionDep, visitor: VisitorDep, engine_id: str, request: ExplainRequest
) -> Explanation:
    """What an engine would make of a request, before anything is rendered: what it understands, how long it should
    take, what it costs, and the size in pixels. What is not known is null. Nothing is stored."""
    return services.explanations.explain(session_id, engine_id, request, visitor)


@router.get(
    "/engines/{engine_id}/presets/{preset_id}/poster.webp",
    response_class=RangedFileResponse,
    responses=documented(NotFoundError),
)
def preset_poster(services: ServicesDep, engine_id: str, preset_id: str) -> RangedFileResponse:
    """A small picture of what an engine's preset makes. Anybody may see it."""
    response = RangedFileResponse(services.system.preset_poster(engine_id, preset_id), media_type="image/webp")
    response.headers["Cache-Control"] = "public, max-age=3600"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
