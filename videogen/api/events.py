"""The event streams of a session, a project and a generation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import anyio.to_thread
from fastapi import APIRouter, Depends, Header, Response

from videogen.core.errors import (
    InvalidRequestError,
    LimitExceededError,
    NotFoundError,
    SessionMovedError,
    SessionRequiredError,
)
from videogen.web.dependencies import ServicesDep
from videogen.web.problems import Responses, documented
from videogen.web.sessions import READS, IdentityDep, SessionDep, TokenDep
from videogen.web.sse import AnyStream, stream_response
from videogen.web.visitor import VisitorDep

Kind = Literal["session", "project", "generation"]
router = APIRouter(prefix="/api/v1", tags=["events"])
_STREAM: Final[Responses] = {
    200: {
        "description": "`render_progress`, `render_result` and `error` events; a comment every 15 seconds.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
    204: {"description": "Every event was sent, and no more will come. An EventSource stops here."},
}
_RESPONSES: Final = _STREAM | READS | documented(NotFoundError, InvalidRequestError, LimitExceededError)


def last_event_id(
    value: Annotated[str | None, Header(alias="Last-Event-ID", description="The last `id` that you have seen.")] = None,
) -> int | None:
    """The event id after which to go on; None for the current state.

    Raises:
        InvalidRequestError: it is not an event id.
    """
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise InvalidRequestError("Last-Event-ID", "the id of an event, a whole number", value)
    return int(value)


LastEventId = Annotated[int | None, Depends(last_event_id)]


async def stream_slot(services: ServicesDep, session_id: SessionDep, visitor: VisitorDep) -> AsyncIterator[None]:
    """One of the streams that a session and an address may have open, until the response has ended in any way.

    Raises:
        LimitExceededError: too many are open.
    """
    with services.streams.slot(visitor, session_id):
        yield


SLOT: Final = [Depends(stream_slot)]


@dataclass(frozen=True, slots=True)
class StreamOpener:
    """Opens the event streams of one request."""

    services: ServicesDep
    token: TokenDep
    identity: IdentityDep

    async def open(self, session_id: str, scope: tuple[Kind, str], after: int | None) -> Response:
        """The response with the stream.

        Raises:
            SessionRequiredError: the device was signed out meanwhile, too early for the end of its streams.
            SessionMovedError: the same, where it has come to another session.
        """
        after = self.identity.resume_after(after) if scope[0] == "session" else after
        return await self.respond(session_id, await self.services.generations.stream(session_id, scope, after))

    async def respond(self, session_id: str, stream: AnyStream | None) -> Response:
        """The response with a stream of this session that was opened. Raises the same."""
        if stream is not None:
            now = await anyio.to_thread.run_sync(self.services.sessions.find, self.token)
            if now is None or now.session_id != session_id:
                stream.close()
                raise SessionRequiredError if now is None else SessionMovedError
        return stream_response(stream)


StreamOpenerDep = Annotated[StreamOpener, Depends()]


@router.get("/events", responses=_RESPONSES, response_class=Response, dependencies=SLOT)
async def session_events(opener: StreamOpenerDep, session_id: SessionDep, after: LastEventId) -> Response:
    """All events of the session, for as long as the connection is open.

    First the current state of each queued or running generation; with `Last-Event-ID` instead every event after
    that one, once and in order.
    """
    return await opener.open(session_id, ("session", session_id), after)


@router.get("/generations/{generation_id}/events", responses=_RESPONSES, response_class=Response, dependencies=SLOT)
async def generation_events(
    opener: StreamOpenerDep, session_id: SessionDep, generation_id: str, after: LastEventId
) -> Response:
    """The events of one generation, until it has ended."""
    return await opener.open(session_id, ("generation", generation_id), after)


@router.get("/projects/{project_id}/events", responses=_RESPONSES, response_class=Response, dependencies=SLOT)
async def project_events(
    opener: StreamOpenerDep, session_id: SessionDep, project_id: str, after: LastEventId
) -> Response:
    """The events of all generations of one submit, until each has ended."""
    return await opener.open(session_id, ("project", project_id), after)
