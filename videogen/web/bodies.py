"""Request bodies, counted while they come, so that none is kept beyond its limit."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Final

import anyio.to_thread
from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from videogen.core.errors import (
    InvalidRequestError,
    PayloadTooLargeError,
    StorageError,
    UnsupportedMediaTypeError,
)

_ENVELOPE: Final = 16 * 1024
"""Bytes that a multipart body may have around its file."""
_EXPECTED: Final = "one image as a part named `file` of a multipart/form-data body"


class _TooLargeError(MultiPartException):
    """Ends the parser, which then lets go of what it has of the file."""


async def receive_image(request: Request, most: int) -> UploadFile:
    """The one file of a multipart body, counted while it comes.

    Raises:
        PayloadTooLargeError: it is larger than `most` bytes; what comes after them is not read.
        UnsupportedMediaTypeError: the body is no multipart form.
        InvalidRequestError: it is a broken one, or has another shape.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise UnsupportedMediaTypeError(
            f"Expected {_EXPECTED}, got {request.headers.get('content-type', 'no type')!r}."
        )
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > most + _ENVELOPE:
        raise _too_large(most)
    try:
        async with aclosing(_counted(request, most + _ENVELOPE)) as stream:
            form = await MultiPartParser(request.headers, stream, max_files=1, max_fields=4).parse()
    except _TooLargeError:
        raise _too_large(most) from None
    except MultiPartException as problem:
        raise InvalidRequestError("body", _EXPECTED, f"nothing of the kind ({problem.message})") from None
    except ClientDisconnect:
        raise InvalidRequestError("body", _EXPECTED, "nothing: the connection was closed half-way") from None
    upload = form.get("file")
    if not isinstance(upload, UploadFile):
        await form.close()
        raise InvalidRequestError("file", _EXPECTED, "nothing")
    if (upload.size or 0) > most:
        await form.close()
        raise _too_large(most)
    return upload


async def _counted(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    seen = 0
    async for chunk in request.stream():
        seen += len(chunk)
        if seen > most:
            raise _TooLargeError("too large")
        yield chunk


def _too_large(most: int) -> PayloadTooLargeError:
    return PayloadTooLargeError(
        f"file: expected at most {most / 1e6:g} MB (VIDEOGEN_MAX_UPLOAD_MB), got more. Make the image smaller."
    )


async def receive_file(request: Request, path: Path, limit: int) -> None:
    """Write a request's body to a file.

    Raises:
        PayloadTooLargeError: it is larger than `limit` bytes; what comes after them is not read.
        StorageError: the disk is full or cannot be written.
    """
    too_large = PayloadTooLargeError(
        f"Expected a zip of at most {limit} bytes (VIDEOGEN_MAX_IMPORT_MB), got a larger one."
    )
    told = request.headers.get("content-length", "")
    if told.isascii() and told.isdigit() and int(told) > limit:
        raise too_large
    size = 0
    try:
        async with await anyio.open_file(path, "wb") as file:
            async for chunk in request.stream():
                size += len(chunk)
                if size > limit:
                    raise too_large
                await file.write(chunk)
    except OSError as problem:
        raise StorageError(f"The zip could not be kept: {problem.strerror}.") from problem
