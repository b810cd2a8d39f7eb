"""`/media`, `/zips`, `/exports` and `/imports`: files and zips by link."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, Response, StreamingResponse
from pydantic import BaseModel

from videogen.api.portability import (
    IMPORT_REFUSALS,
    ZIP_BODY,
    ZIP_RESPONSE,
    export_response,
    receive_import,
    zip_response,
)
from videogen.core.errors import FileMissingError, LimitExceededError, NotFoundError, StorageAwayError
from videogen.schemas.portability import Imported
from videogen.web.dependencies import AppStateDep, ServicesDep
from videogen.web.file_response import in_media_thread, stored_response
from videogen.web.problems import documented
from videogen.web.visitor import VisitorDep

router = APIRouter(tags=["media"])
_PARTIAL: Final[dict[int | str, dict[str, Any]]] = {
    206: {"description": "The part that `Range` asks for."},
    304: {"description": "`If-None-Match` names the current bytes."},
    307: {"description": "Where browsers reach the bucket (`public=`): a link to the file, which works for minutes."},
}


@router.head("/media/{file_id}", include_in_schema=False)
@router.get(
    "/media/{file_id}",
    response_class=FileResponse,
    responses=documented(NotFoundError, FileMissingError, StorageAwayError) | _PARTIAL,
)
async def get_media(
    request: Request, services: ServicesDep, file_id: str, exp: str = "", sig: str = "", download: str | None = None
) -> Response:
    """A video, picture, poster or export. The signed link is valid for a day; whatever it came from has a new one.

    With `download` a browser saves it: where it is led to the bucket, the name that a page has for it counts no more.
    """
    file = await in_media_thread(partial(services.media.open, file_id, exp, sig))
    response = stored_response(request, file if download is None else replace(file, attached=True))
    # A finished file never changes; a new preview has a new link.
    response.headers.setdefault("Cache-Control", "private, max-age=3600")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def ticket_session(services: ServicesDep, ticket: str) -> str:
    """The session of a link to a zip."""
    return services.exports.owner(ticket)


async def ticket_slot(
    services: ServicesDep, session_id: Annotated[str, Depends(ticket_session)], visitor: VisitorDep
) -> AsyncIterator[None]:
    """A place for its zip, as `portability.zip_slot`."""
    with services.running_zips.slot(visitor, session_id):
        yield


@router.get(
    "/zips/{ticket}",
    response_class=StreamingResponse,
    responses=ZIP_RESPONSE | documented(NotFoundError, LimitExceededError),
    dependencies=[Depends(ticket_slot)],
)
def get_archive(services: ServicesDep, ticket: str) -> StreamingResponse:
    """The zip of a link from `POST /generations/zip`. It is made while it is sent."""
    name, chunks = services.exports.open_link(ticket)
    return zip_response(chunks, name)


class _Link(BaseModel):
    """The query of a link."""

    session: str = ""
    exp: str = ""
    sig: str = ""


LinkDep = Annotated[_Link, Query()]


def export_session(services: ServicesDep, link: LinkDep) -> str:
    """The session of a link from `POST /export`."""
    services.session_links.check("exports", link.session, link.exp, link.sig)
    return link.session


ExportSessionDep = Annotated[str, Depends(export_session)]


async def export_slot(services: ServicesDep, session_id: ExportSessionDep, visitor: VisitorDep) -> AsyncIterator[None]:
    """A place for its zip, as `portability.zip_slot`."""
    with services.running_zips.slot(visitor, session_id):
        yield


@router.get(
    "/exports",
    response_class=StreamingResponse,
    responses=ZIP_RESPONSE | documented(NotFoundError, LimitExceededError),
    dependencies=[Depends(export_slot)],
)
def export_by_link(services: ServicesDep, session_id: ExportSessionDep) -> StreamingResponse:
    """The zip of a link from `POST /export`."""
    return export_response(services, session_id)


def import_session(services: ServicesDep, link: LinkDep) -> str:
    """The session of a link from `POST /import/link`."""
    services.session_links.check("imports", link.session, link.exp, link.sig)
    return link.session


@router.post("/imports", openapi_extra=ZIP_BODY, responses=documented(NotFoundError, *IMPORT_REFUSALS))
async def import_by_link(
    request: Request, state: AppStateDep, visitor: VisitorDep, session_id: Annotated[str, Depends(import_session)]
) -> Imported:
    """Import a zip by a link from `POST /import/link`."""
    return await receive_import(request, session_id, state, visitor)
