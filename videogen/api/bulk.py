"""`/api/v1/generations/...` for many at once: ids that match, trash and restore, and one zip."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from videogen.api.generations import wanted_by
from videogen.api.portability import zip_response
from videogen.core.errors import CrossSiteError, InvalidRequestError, NotFoundError, SessionRequiredError
from videogen.schemas.history import Bundle, Chosen, IdsPage, IdsQuery, Restored, Trashed
from videogen.services.archives import Zips
from videogen.services.trash import Trash
from videogen.web.pagination import decode_cursor, encode_cursor
from videogen.web.problems import documented
from videogen.web.sessions import ServiceDep, SessionDep

router = APIRouter(prefix="/api/v1/generations", tags=["generations"])
zips = APIRouter(tags=["media"])
_WRITE: Final = documented(SessionRequiredError, CrossSiteError, InvalidRequestError)
_ZIP: Final[dict[str, Any]] = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}


@dataclass(frozen=True, slots=True)
class Desk:
    """What the routes work with, and where the app's own links begin."""

    trash: Trash
    zips: Zips
    base: str


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


DeskDep = Annotated[Desk, Depends(_desk)]


@router.get("/ids", responses=documented(SessionRequiredError, InvalidRequestError))
def list_ids(service: ServiceDep, session_id: SessionDep, query: Annotated[IdsQuery, Query()]) -> IdsPage:
    """The ids of all that match, newest first, up to a thousand a page: for calls that take many ids."""
    ids, following = service.list_ids(session_id, wanted_by(query), decode_cursor(query.cursor), query.limit)
    return IdsPage(ids=ids, next_cursor=encode_cursor(following))


@router.post("/trash", responses=_WRITE)
def trash(desk: DeskDep, session_id: SessionDep, chosen: Chosen) -> Trashed:
    """Delete these in a way that can be undone: at once out of every view, and their links with them.

    `POST /generations/restore` brings them back until `restorableUntil`; then they are removed with their files. What
    is queued or running is left out (`not_terminal`); so is what is not there, or not yours (`not_found`). Safe to
    repeat.
    """
    return desk.trash.trash(session_id, chosen)


@router.post("/restore", responses=_WRITE)
def restore(desk: DeskDep, session_id: SessionDep, chosen: Chosen) -> Restored:
    """Undo `POST /generations/trash`: they are as they were, public links included. Safe to repeat."""
    return desk.trash.restore(session_id, chosen)


@router.post("/zip", status_code=201, responses=_WRITE)
def make_zip(desk: DeskDep, session_id: SessionDep, chosen: Chosen) -> Bundle:
    """Get a link to a zip of these: videos, pictures, posters, and a `manifest.json` that `POST /import` takes.

    What has not ended, or is not yours, is left out; where nothing finished is left, it is an `invalid_request`.
    """
    return desk.zips.make(session_id, chosen, desk.base)


@zips.get(
    "/zips/{ticket}",
    response_class=StreamingResponse,
    responses=documented(NotFoundError, also={200: {"description": "The zip.", "content": _ZIP}}),
)
def fetch_zip(desk: DeskDep, ticket: str) -> StreamingResponse:
    """The zip behind a link of `POST /generations/zip`. It is made while it is sent."""
    return zip_response(desk.zips.stream(ticket), f"videogen-{datetime.now(UTC):%Y-%m-%d}.zip")
