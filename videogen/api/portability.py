"""`/api/v1/export` and `/api/v1/import`: everything, to take along."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import anyio.to_thread
from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse

from videogen.core.errors import (
    CrossSiteError,
    NotAnExportError,
    PayloadTooLargeError,
    SessionRequiredError,
    StorageError,
)
from videogen.schemas.portability import Imported
from videogen.services.exports import Exports
from videogen.services.imports import ImportService
from videogen.web.bodies import receive_file
from videogen.web.problems import documented
from videogen.web.sessions import SessionDep

router = APIRouter(prefix="/api/v1", tags=["export and import"])
_ZIP: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}
_BODY: Final[dict[str, Any]] = {"requestBody": {"required": True, "content": {"application/zip": _ZIP}}}


def _exports(request: Request) -> Exports:
    exports: Exports = request.app.state.exports
    return exports


def _imports(request: Request) -> ImportService:
    imports: ImportService = request.app.state.imports
    return imports


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses=documented(
        SessionRequiredError, also={200: {"description": "The zip.", "content": {"application/zip": _ZIP}}}
    ),
)
def export(session_id: SessionDep, exports: Annotated[Exports, Depends(_exports)]) -> StreamingResponse:
    """Everything that the session has finished, as a zip of videos, posters and a `manifest.json`.

    It is made while it is sent. What is still queued or running is left out.
    """
    return zip_response(exports.stream(session_id), f"videogen-export-{datetime.now(UTC):%Y-%m-%d}.zip")


def zip_response(pieces: Iterator[bytes], name: str) -> StreamingResponse:
    """A zip that is made while it is sent, to be saved under `name`."""
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",
    }
    return StreamingResponse(pieces, media_type="application/zip", headers=headers)


@router.post(
    "/import",
    openapi_extra=_BODY,
    responses=documented(SessionRequiredError, CrossSiteError, PayloadTooLargeError, NotAnExportError, StorageError),
)
async def import_zip(
    request: Request, session_id: SessionDep, imports: Annotated[ImportService, Depends(_imports)]
) -> Imported:
    """Bring in a zip of `GET /export`, of this or another app: all of it or nothing.

    What this session has already stays as it is, so that the same zip can be sent again without doubles.
    """
    with imports.upload_folder() as folder:
        await receive_file(request, folder / "upload.zip", imports.max_bytes)
        return await anyio.to_thread.run_sync(imports.import_zip, session_id, folder)
