"""`/api/v1/export` and `/api/v1/import`: all of a session as one zip."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from videogen.core.errors import LimitExceededError, NotAnExportError, PayloadTooLargeError, StorageError
from videogen.core.text import disposition
from videogen.schemas.portability import Imported
from videogen.web.bodies import receive_file
from videogen.web.dependencies import AppStateDep, ServicesDep
from videogen.web.problems import Responses, documented
from videogen.web.sessions import READS, WRITES, SessionDep, StoredSessionDep
from videogen.web.visitor import VisitorDep

router = APIRouter(prefix="/api/v1", tags=["export and import"])
_ZIP: Final[dict[str, Any]] = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}
ZIP_RESPONSE: Final[Responses] = {200: {"description": "The zip.", "content": _ZIP}}
_BODY: Final[dict[str, Any]] = {"requestBody": {"required": True, "content": _ZIP}}


@router.get("/export", response_class=StreamingResponse, responses=READS | ZIP_RESPONSE)
def export(session_id: SessionDep, services: ServicesDep) -> StreamingResponse:
    """All finished generations of the session, as a zip of videos, pictures, posters and a `manifest.json`.

    It is made while it is sent. Queued and running generations are left out.
    """
    return zip_response(services.exports.stream(session_id), f"videogen-export-{datetime.now(UTC):%Y-%m-%d}.zip")


def zip_response(chunks: Iterator[bytes], name: str) -> StreamingResponse:
    """A response with a zip that is made while it is sent; browsers save it under `name`."""
    headers = {
        "Content-Disposition": disposition("attachment", name),
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",
    }
    return StreamingResponse(chunks, media_type="application/zip", headers=headers)


@router.post(
    "/import",
    openapi_extra=_BODY,
    responses=WRITES | documented(PayloadTooLargeError, NotAnExportError, LimitExceededError, StorageError),
)
async def import_zip(
    request: Request, session_id: StoredSessionDep, state: AppStateDep, visitor: VisitorDep
) -> Imported:
    """Import a zip of `GET /export`, of this or another app: all of it or nothing.

    Generations that this session has already stay as they are, so the same zip can be sent again,
    as long as the storage has room for the zip. A session imports one zip at a time.
    """
    services, imports = state.services, state.services.imports
    with services.running_imports.slot(visitor, session_id):
        services.rates.count("uploads", visitor, session_id)
        with imports.upload_folder() as folder:
            check_space = partial(imports.check_space, session_id)
            await receive_file(request, folder / "upload.zip", imports.max_bytes, check_space)
            return await anyio.to_thread.run_sync(imports.import_zip, session_id, folder, limiter=state.importers)
