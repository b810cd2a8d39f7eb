"""`/api/v1/files`: images to start from, and the settings in files that were made here."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import anyio.to_thread
from fastapi import APIRouter, Request, Response

from videogen.core.errors import (
    FileInUseError,
    InvalidRequestError,
    LimitExceededError,
    NoSettingsError,
    NotFoundError,
    PayloadTooLargeError,
    StorageError,
    UnsupportedMediaTypeError,
)
from videogen.schemas.generations import File, FileSettings
from videogen.web.bodies import receive_upload
from videogen.web.dependencies import AppStateDep, ServicesDep
from videogen.web.problems import documented
from videogen.web.sessions import MAKES, READS, WRITES, SessionDep, StoredSessionDep
from videogen.web.visitor import VisitorDep

router = APIRouter(prefix="/api/v1", tags=["files"])
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}


@router.post(
    "/files",
    status_code=201,
    openapi_extra=_BODY,
    responses=MAKES
    | documented(
        *(PayloadTooLargeError, UnsupportedMediaTypeError, InvalidRequestError, LimitExceededError, StorageError)
    ),
)
async def upload_file(request: Request, state: AppStateDep, session_id: StoredSessionDep, visitor: VisitorDep) -> File:
    """Upload an image to start from: PNG, JPEG or WebP (its first frame), recognised by its bytes.

    Before it is stored, it is turned upright, encoded again without metadata, and scaled down to 3072 pixels on its
    longer side. The same image again gives the same file. An image that no generation uses is removed after a day.
    """
    # Before the body, which then need not be read.
    await anyio.to_thread.run_sync(state.services.bans.check, visitor, session_id)
    await anyio.to_thread.run_sync(state.services.rates.count, "uploads", visitor, session_id)
    upload = await receive_upload(request, int(state.config.max_upload_mb * 1_000_000))
    try:
        await anyio.to_thread.run_sync(state.services.storage_limits.check, session_id, upload.size or 0)
        take = partial(state.services.uploads.create, session_id, upload.file)
        return await anyio.to_thread.run_sync(take, limiter=state.image_decoders)
    finally:
        await upload.close()


@router.post(
    "/files/settings",
    openapi_extra=_BODY,
    responses=WRITES
    | documented(
        PayloadTooLargeError,
        UnsupportedMediaTypeError,
        InvalidRequestError,
        NoSettingsError,
        LimitExceededError,
        StorageError,
    ),
)
async def read_file_settings(
    request: Request, state: AppStateDep, session_id: SessionDep, visitor: VisitorDep
) -> FileSettings:
    """Read the prompt and the settings of a file that was made by videogen: an MP4, MOV, PNG, WebP or JPEG.

    They come as a request for `POST /generations`. What cannot be asked for here is replaced by what is nearest, or
    left out, and listed in `warnings`. The file is not stored.
    """
    await anyio.to_thread.run_sync(state.services.rates.count, "uploads", visitor, session_id)
    upload = await receive_upload(request, int(state.config.max_upload_mb * 1_000_000))
    try:
        read = partial(state.services.file_settings.read, session_id, upload.file)
        return await anyio.to_thread.run_sync(read, limiter=state.image_decoders)
    finally:
        await upload.close()


@router.get("/files/{file_id}", responses=READS | documented(NotFoundError))
def get_file(services: ServicesDep, session_id: SessionDep, file_id: str) -> File:
    """An uploaded image or a finished still, with a fresh link."""
    return services.uploads.get(session_id, file_id)


@router.delete(
    "/files/{file_id}", status_code=204, responses=WRITES | documented(NotFoundError, FileInUseError, StorageError)
)
def delete_file(services: ServicesDep, session_id: SessionDep, file_id: str) -> Response:
    """Delete an uploaded image that no generation uses, for good."""
    services.uploads.delete(session_id, file_id)
    return Response(status_code=204)
