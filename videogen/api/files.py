"""`/api/v1/files`: images to start from."""

from __future__ import annotations

from functools import partial
from typing import Any, Final, cast

import anyio.to_thread
from fastapi import APIRouter, FastAPI, Request

from videogen.core.errors import (
    CrossSiteError,
    InvalidRequestError,
    LimitExceededError,
    NotFoundError,
    PayloadTooLargeError,
    SessionRequiredError,
    StorageError,
    UnsupportedMediaTypeError,
)
from videogen.schemas.generations import File
from videogen.web.bodies import receive_image
from videogen.web.problems import documented
from videogen.web.sessions import ServiceDep, SessionDep

router = APIRouter(prefix="/api/v1", tags=["files"])
_DECODERS: Final = 2
"""Pictures decoded at once: each may take 400 MB for a moment. Others wait, without holding a thread."""
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
    responses=documented(
        *(SessionRequiredError, CrossSiteError, PayloadTooLargeError, UnsupportedMediaTypeError),
        *(InvalidRequestError, LimitExceededError, StorageError),
    ),
)
async def upload_file(request: Request, service: ServiceDep, session_id: SessionDep) -> File:
    """Upload an image to start from: PNG, JPEG or WebP (its first frame), by its bytes and not by its name.

    It is turned upright, freed of all metadata and encoded anew before it is kept; a longer side above 3072 pixels is
    scaled down. The same image again gives the same file. An image that no generation starts from is removed after a
    day.
    """
    upload = await receive_image(request, service.max_upload_bytes)
    try:
        take = partial(service.uploads.take, session_id, upload.file)
        return await anyio.to_thread.run_sync(take, limiter=_decoders(request.app))
    finally:
        await upload.close()


@router.get("/files/{file_id}", responses=documented(SessionRequiredError, NotFoundError))
def get_file(service: ServiceDep, session_id: SessionDep, file_id: str) -> File:
    """An uploaded image or a finished still, with a fresh link."""
    return service.uploads.get(session_id, file_id)


def _decoders(app: FastAPI) -> anyio.CapacityLimiter:
    """The limiter of this app, which has one event loop."""
    if not hasattr(app.state, "decoders"):
        app.state.decoders = anyio.CapacityLimiter(_DECODERS)
    return cast(anyio.CapacityLimiter, app.state.decoders)
