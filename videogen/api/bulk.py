"""`/api/v1/generations/...` for many at once: matching ids, trash and restore, and one zip."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from videogen.api.portability import ZIP_CONTENT, zip_response
from videogen.core.errors import CrossSiteError, InvalidRequestError, NotFoundError, SessionRequiredError
from videogen.schemas.history import Bundle, Chosen, IdsPage, IdsQuery, Restored, Trashed
from videogen.web.dependencies import AppStateDep, ServicesDep
from videogen.web.pagination import decode_cursor, encode_cursor
from videogen.web.problems import documented
from videogen.web.sessions import SessionDep

router = APIRouter(prefix="/api/v1/generations", tags=["generations"])
archive_router = APIRouter(tags=["media"])
_WRITE: Final = documented(SessionRequiredError, CrossSiteError, InvalidRequestError)


@router.get("/ids", responses=documented(SessionRequiredError, InvalidRequestError))
def list_ids(services: ServicesDep, session_id: SessionDep, query: Annotated[IdsQuery, Query()]) -> IdsPage:
    """The ids of all matching generations, newest first, up to 1000 a page: for calls that take many ids."""
    ids, following = services.generations.list_ids(session_id, query, decode_cursor(query.cursor))
    return IdsPage(ids=ids, next_cursor=encode_cursor(following))


@router.post("/trash", responses=_WRITE)
def trash_generations(services: ServicesDep, session_id: SessionDep, chosen: Chosen) -> Trashed:
    """Delete these in a way that can be undone. They and their links are hidden at once.

    `POST /generations/restore` brings them back until `restorableUntil`; then they are removed with their files.
    Queued and running ones are left out (`not_terminal`), and so are those that do not exist or are not yours
    (`not_found`). Safe to repeat.
    """
    return services.trash.trash(session_id, chosen)


@router.post("/restore", responses=_WRITE)
def restore_generations(services: ServicesDep, session_id: SessionDep, chosen: Chosen) -> Restored:
    """Undo `POST /generations/trash`: they are as they were, public links included. Safe to repeat."""
    return services.trash.restore(session_id, chosen)


@router.post("/zip", status_code=201, responses=_WRITE)
def create_archive(services: ServicesDep, state: AppStateDep, session_id: SessionDep, chosen: Chosen) -> Bundle:
    """Get a link to a zip of these: videos, pictures, posters, and a `manifest.json` that `POST /import` takes.

    Generations that have not ended or are not yours are left out. If none is left, it is an `invalid_request`.
    """
    return services.exports.create_link(session_id, chosen, state.config.base_url + state.config.root_path)


@archive_router.get(
    "/zips/{ticket}",
    response_class=StreamingResponse,
    responses=documented(NotFoundError, also={200: {"description": "The zip.", "content": ZIP_CONTENT}}),
)
def get_archive(services: ServicesDep, ticket: str) -> StreamingResponse:
    """The zip of a link from `POST /generations/zip`. It is made while it is sent."""
    return zip_response(services.exports.stream_link(ticket), f"videogen-{datetime.now(UTC):%Y-%m-%d}.zip")
