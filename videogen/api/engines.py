"""`/api/v1/engines`: the engines on offer, and the pictures of their presets."""

from __future__ import annotations

from fastapi import APIRouter

from videogen.core.errors import NotFoundError
from videogen.schemas.engines import EngineList
from videogen.web.dependencies import ServicesDep
from videogen.web.file_response import RangedFileResponse
from videogen.web.problems import documented

router = APIRouter(prefix="/api/v1", tags=["engines"])


@router.get("/engines")
def list_engines(services: ServicesDep) -> EngineList:
    """The engines on offer: what each can do, whether it is available, and the JSON Schema of its settings."""
    return services.system.engines()


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
