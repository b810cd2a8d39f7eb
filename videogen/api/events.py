"""The three event streams."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Response

from videogen.core.errors import InvalidRequestError, NotFoundError, SessionRequiredError
from videogen.store import Scope
from videogen.web.problems import Responses, documented
from videogen.web.sessions import ServiceDep, SessionDep
from videogen.web.sse import EventStreamResponse

router = APIRouter(prefix="/api/v1", tags=["events"])
_STREAM: Final[Responses] = {
    200: {
        "description": "`render_progress`, `render_result` and `error` events; a comment every 15 seconds.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
    204: {"description": "Everything was told; nothing more will come. An EventSource stops here."},
}
_RESPONSES: Final = documented(SessionRequiredError, NotFoundError, InvalidRequestError, also=_STREAM)


def last_event_id(
    value: Annotated[str | None, Header(alias="Last-Event-ID", description="The last `id` that you have seen.")] = None,
) -> int | None:
    """The number after which to go on; None for the current state.

    Raises:
        InvalidRequestError: it is no number of ours.
    """
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise InvalidRequestError("Last-Event-ID", "the id of an event, a whole number", value)
    return int(value)


LastEventId = Annotated[int | None, Depends(last_event_id)]


async def _open(service: ServiceDep, session_id: str, scope: Scope, after: int | None) -> Response:
    stream = await service.stream(session_id, scope, after)
    return Response(status_code=204) if stream is None else EventStreamResponse(stream)


@router.get("/events", responses=_RESPONSES, response_class=Response)
async def session_events(service: ServiceDep, session_id: SessionDep, after: LastEventId) -> Response:
    """Everything that happens in the session, for as long as you listen.

    First the current state of each generation that is queued or running; with `Last-Event-ID`, everything after
    it instead, once and in order.
    """
    return await _open(service, session_id, ("session", session_id), after)


@router.get("/generations/{generation_id}/events", responses=_RESPONSES, response_class=Response)
async def generation_events(
    service: ServiceDep, session_id: SessionDep, generation_id: str, after: LastEventId
) -> Response:
    """One generation, until it has ended."""
    return await _open(service, session_id, ("generation", generation_id), after)


@router.get("/projects/{project_id}/events", responses=_RESPONSES, response_class=Response)
async def project_events(service: ServiceDep, session_id: SessionDep, project_id: str, after: LastEventId) -> Response:
    """All generations of one submit, until each has ended."""
    return await _open(service, session_id, ("project", project_id), after)
