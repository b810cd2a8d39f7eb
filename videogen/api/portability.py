"""`/api/v1/export` and `/api/v1/import`: all of a session as one zip, and links for the same without a token."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import anyio.to_thread
from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse

from videogen.core.errors import (
    LimitExceededError,
    ModerationRefusedError,
    ModerationUnavailableError,
    NotAnExportError,
    PayloadTooLargeError,
    StorageError,
)
from videogen.core.text import disposition
from videogen.schemas.portability import ExportLink, Imported, ImportLink
from videogen.services.container import Services
from videogen.web.bodies import receive_file
from videogen.web.dependencies import AppState, AppStateDep, ServicesDep
from videogen.web.problems import Responses, documented
from videogen.web.sessions import MAKES, READS, WRITES, SessionDep, StoredSessionDep
from videogen.web.visitor import VisitorDep

router = APIRouter(prefix="/api/v1", tags=["export and import"])
IMPORT_REFUSALS: Final = (
    *(PayloadTooLargeError, NotAnExportError, LimitExceededError, StorageError),
    *(ModerationRefusedError, ModerationUnavailableError),
)
_ZIP: Final[dict[str, Any]] = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}
ZIP_RESPONSE: Final[Responses] = {200: {"description": "The zip.", "content": _ZIP}}
ZIP_BODY: Final[dict[str, Any]] = {"requestBody": {"required": True, "content": _ZIP}}


async def zip_slot(services: ServicesDep, session_id: SessionDep, visitor: VisitorDep) -> AsyncIterator[None]:
    """One of the zips that a session and an address may download at once, until the response has ended in any way.

    Raises:
        LimitExceededError: too many are being sent.
    """
    with services.running_zips.slot(visitor, session_id):
        yield


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses=READS | ZIP_RESPONSE | documented(LimitExceededError),
    dependencies=[Depends(zip_slot)],
)
def export(session_id: SessionDep, services: ServicesDep) -> StreamingResponse:
    """All finished generations of the session, as a zip of videos, pictures, posters and a `manifest.json`.

    It is made while it is sent. Queued and running generations are left out.
    """
    return export_response(services, session_id)


def export_response(services: Services, session_id: str) -> StreamingResponse:
    """The zip of everything of a session."""
    return zip_response(services.exports.stream(session_id), f"videogen-export-{datetime.now(UTC):%Y-%m-%d}.zip")


def zip_response(chunks: Iterator[bytes], name: str) -> StreamingResponse:
    """A response with a zip that is made while it is sent; browsers save it under `name`."""
    headers = {
        "Content-Disposition": disposition("attachment", name),
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",
    }
    return StreamingResponse(chunks, media_type="application/zip", headers=headers)


@router.post("/export", status_code=201, responses=WRITES)
def create_export_link(session_id: SessionDep, state: AppStateDep) -> ExportLink:
    """Get a link to the same zip. It needs no token: a browser downloads by following a link."""
    path, expires_at = state.services.session_links.create("exports", session_id)
    return ExportLink(url=_base(state) + path, expires_at=expires_at)


@router.post("/import/link", status_code=201, responses=WRITES | documented(LimitExceededError))
def create_import_link(session_id: StoredSessionDep, state: AppStateDep) -> ImportLink:
    """Get a link to which a zip can be sent without a token: `POST` it there, as to `/import`."""
    path, expires_at = state.services.session_links.create("imports", session_id)
    return ImportLink(url=_base(state) + path, expires_at=expires_at, max_bytes=state.services.imports.max_bytes)


def _base(state: AppState) -> str:
    return state.config.base_url + state.config.root_path


@router.post(
    "/import",
    openapi_extra=ZIP_BODY,
    responses=MAKES | documented(*IMPORT_REFUSALS),
)
async def import_zip(
    request: Request, session_id: StoredSessionDep, state: AppStateDep, visitor: VisitorDep
) -> Imported:
    """Import a zip of `GET /export`, of this or another app: all of it or nothing.

    Generations that this session has already stay as they are, so the same zip can be sent again,
    as long as the storage has room for the zip. A session imports one zip at a time.
    """
    return await receive_import(request, session_id, state, visitor)


async def receive_import(request: Request, session_id: str, state: AppState, visitor: str) -> Imported:
    """Import the zip that is the body of a request."""
    services, imports = state.services, state.services.imports
    await anyio.to_thread.run_sync(services.bans.check, visitor, session_id)
    with services.running_imports.slot(visitor, session_id), services.in_use.hold(session_id):
        await anyio.to_thread.run_sync(services.rates.count, "uploads", visitor, session_id)
        with imports.upload_folder() as folder:
            check_space = partial(imports.check_space, session_id)
            await receive_file(request, folder / "upload.zip", imports.max_bytes, check_space)
            return await anyio.to_thread.run_sync(imports.import_zip, session_id, folder, limiter=state.importers)
