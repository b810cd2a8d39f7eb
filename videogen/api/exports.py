"""`/api/v1/generations/{id}/exports` and `/api/v1/exports/{id}`: a result as WebM, GIF or a zip of PNG files."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Response

from videogen.api.events import SLOT, LastEventId, StreamOpenerDep
from videogen.core.errors import InvalidRequestError, LimitExceededError, NotFoundError, NotTerminalError
from videogen.schemas.exports import Export, ExportCreate, ExportList
from videogen.web.dependencies import ServicesDep
from videogen.web.problems import documented
from videogen.web.sessions import MAKES, READS, WRITES, SessionDep
from videogen.web.visitor import VisitorDep

router = APIRouter(prefix="/api/v1", tags=["exports"])
_EVENTS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "`export` events, each a whole `Export`; a comment every 15 seconds.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
    204: {"description": "It has ended, and you have its last event. An EventSource stops here."},
}


@router.post(
    "/generations/{generation_id}/exports",
    status_code=201,
    responses=MAKES
    | documented(NotFoundError, NotTerminalError, InvalidRequestError, LimitExceededError)
    | {200: {"model": Export, "description": "The same format was asked for before: the same export."}},
)
def create_export(
    services: ServicesDep,
    session_id: SessionDep,
    visitor: VisitorDep,
    generation_id: str,
    create: ExportCreate,
    response: Response,
) -> Export:
    """Have a finished video made into another format, by a job of its own.

    It is durable when this answers. Safe to repeat: the same format gives the same export. One that failed, or whose
    file is gone, is made again. It is kept as long as the generation, unless the storage is full.
    """
    export, new = services.result_exports.create(session_id, generation_id, create.format, visitor)
    response.status_code = 201 if new else 200
    return export


@router.get("/generations/{generation_id}/exports", responses=READS | documented(NotFoundError))
def list_exports(services: ServicesDep, session_id: SessionDep, generation_id: str) -> ExportList:
    """The exports of a generation, the oldest first."""
    return services.result_exports.list(session_id, generation_id)


@router.get("/exports/{export_id}", responses=READS | documented(NotFoundError))
def get_export(services: ServicesDep, session_id: SessionDep, export_id: str) -> Export:
    """One export as it is now, with a fresh link to its file."""
    return services.result_exports.get(session_id, export_id)


@router.delete("/exports/{export_id}", status_code=204, responses=WRITES | documented(NotFoundError))
def delete_export(services: ServicesDep, session_id: SessionDep, export_id: str) -> Response:
    """Remove an export and its file; one that is being made stops. The generation stays."""
    services.result_exports.delete(session_id, export_id)
    return Response(status_code=204)


@router.get(
    "/exports/{export_id}/events",
    responses=_EVENTS | READS | documented(NotFoundError, InvalidRequestError, LimitExceededError),
    response_class=Response,
    dependencies=SLOT,
)
async def export_events(
    services: ServicesDep, opener: StreamOpenerDep, session_id: SessionDep, export_id: str, after: LastEventId
) -> Response:
    """The state of an export, and each change of it until it has ended."""
    return await opener.respond(session_id, await services.result_exports.stream(session_id, export_id, after))
