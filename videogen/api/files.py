"""`/api/v1/files`: images to start from."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Any, Final, cast

import anyio.to_thread
from fastapi import APIRouter, FastAPI, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from videogen.api.auth import ServiceDep, SessionDep
from videogen.api.problems import documented
from videogen.core.errors import (
    CrossSite,
    InvalidRequest,
    LimitExceeded,
    NotFound,
    PayloadTooLarge,
    SessionRequired,
    StorageFault,
    UnsupportedMediaType,
)
from videogen.schemas.generations import File

router = APIRouter(prefix="/api/v1", tags=["files"])
_ENVELOPE: Final = 16 * 1024
"""Bytes that a multipart body may have around its file."""
_EXPECTED: Final = "one image as a part named `file` of a multipart/form-data body"
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


class _TooLarge(MultiPartException):
    """Ends the parser, which then lets go of what it has of the file."""


@router.post(
    "/files",
    status_code=201,
    openapi_extra=_BODY,
    responses=documented(
        *(SessionRequired, CrossSite, PayloadTooLarge, UnsupportedMediaType),
        *(InvalidRequest, LimitExceeded, StorageFault),
    ),
)
async def upload_file(request: Request, service: ServiceDep, session_id: SessionDep) -> File:
    """Upload an image to start from: PNG, JPEG or WebP (its first frame), by its bytes and not by its name.

    It is turned upright, freed of all metadata and encoded anew before it is kept; a longer side above 3072 pixels is
    scaled down. The same image again gives the same file. An image that no generation starts from is removed after a
    day.
    """
    upload = await _receive(request, service.max_upload_bytes)
    try:
        take = partial(service.uploads.take, session_id, upload.file)
        return await anyio.to_thread.run_sync(take, limiter=_decoders(request.app))
    finally:
        await upload.close()


@router.get("/files/{file_id}", responses=documented(SessionRequired, NotFound))
def get_file(service: ServiceDep, session_id: SessionDep, file_id: str) -> File:
    """An uploaded image or a finished still, with a fresh link."""
    return service.uploads.get(session_id, file_id)


async def _receive(request: Request, most: int) -> UploadFile:
    """The one file of a multipart body, counted while it comes.

    Raises:
        PayloadTooLarge: it is larger than `most` bytes; what comes after them is not read.
        UnsupportedMediaType: the body is no multipart form.
        InvalidRequest: it is a broken one, or has another shape.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise UnsupportedMediaType(f"Expected {_EXPECTED}, got {request.headers.get('content-type', 'no type')!r}.")
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > most + _ENVELOPE:
        raise _too_large(most)
    try:
        async with aclosing(_counted(request, most + _ENVELOPE)) as stream:
            form = await MultiPartParser(request.headers, stream, max_files=1, max_fields=4).parse()
    except _TooLarge:
        raise _too_large(most) from None
    except MultiPartException as problem:
        raise InvalidRequest("body", _EXPECTED, f"nothing of the kind ({problem.message})") from None
    except ClientDisconnect:
        raise InvalidRequest("body", _EXPECTED, "nothing: the connection was closed half-way") from None
    upload = form.get("file")
    if not isinstance(upload, UploadFile):
        await form.close()
        raise InvalidRequest("file", _EXPECTED, "nothing")
    if (upload.size or 0) > most:
        await form.close()
        raise _too_large(most)
    return upload


async def _counted(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    seen = 0
    async for chunk in request.stream():
        seen += len(chunk)
        if seen > most:
            raise _TooLarge("too large")
        yield chunk


def _too_large(most: int) -> PayloadTooLarge:
    return PayloadTooLarge(
        f"file: expected at most {most / 1e6:g} MB (VIDEOGEN_MAX_UPLOAD_MB), got more. Make the image smaller."
    )


def _decoders(app: FastAPI) -> anyio.CapacityLimiter:
    """The limiter of this app, which has one event loop."""
    if not hasattr(app.state, "decoders"):
        app.state.decoders = anyio.CapacityLimiter(_DECODERS)
    return cast(anyio.CapacityLimiter, app.state.decoders)
