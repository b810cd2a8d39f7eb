"""Request bodies with a size limit, counted while they arrive."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Final

import anyio.to_thread
from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from videogen.core.errors import InvalidRequestError, PayloadTooLargeError, StorageError, UnsupportedMediaTypeError

_ENVELOPE: Final = 16 * 1024
"""Bytes that a multipart body may add to its file."""
_CHECKED_BYTES: Final = 1_000_000
_EXPECTED: Final = "one file as a part named `{}` of a multipart/form-data body"


class _TooLargeError(MultiPartException):
    """Ends the parser, which then closes the files that it has opened."""


class _Parser(MultiPartParser):
    """Takes a part for a file that has only the `filename*` of RFC 5987, which some clients send in any script."""

    def on_headers_finished(self) -> None:
        part = self._current_part
        if part.content_disposition and re.search(rb";\s*filename\*=", part.content_disposition, re.IGNORECASE):
            part.content_disposition += b'; filename="image"'
        super().on_headers_finished()


async def receive_upload(request: Request, limit: int, name: str = "file") -> UploadFile:
    """The one file of a multipart body, in the part of this name.

    Raises:
        PayloadTooLargeError: it is larger than `limit` bytes; the rest is not read.
        UnsupportedMediaTypeError: the body is not a multipart form.
        InvalidRequestError: the form is broken, or has other parts.
    """
    expected = _EXPECTED.format(name)
    content_type = request.headers.get("content-type", "no type")
    if not content_type.lower().startswith("multipart/form-data"):
        raise UnsupportedMediaTypeError(f"Expected {expected}, got {content_type!r}.")
    try:
        async with aclosing(_chunks(request, limit + _ENVELOPE)) as chunks:
            form = await _Parser(request.headers, chunks, max_files=1, max_fields=4).parse()
    except _TooLargeError:
        raise _upload_too_large(limit) from None
    except MultiPartException as error:
        raise InvalidRequestError("body", expected, f"another body ({error.message})") from None
    except ClientDisconnect:
        raise InvalidRequestError("body", expected, "nothing: the connection was closed before its end") from None
    upload = form.get(name)
    if not isinstance(upload, UploadFile):
        await form.close()
        raise InvalidRequestError(name, expected, "nothing")
    if (upload.size or 0) > limit:
        await form.close()
        raise _upload_too_large(limit)
    return upload


def _upload_too_large(limit: int) -> PayloadTooLargeError:
    return PayloadTooLargeError(
        f"The file must have at most {limit / 1e6:g} MB (VIDEOGEN_MAX_UPLOAD_MB). Send a smaller file."
    )


async def receive_file(request: Request, path: Path, limit: int, check_space: Callable[[int], None]) -> None:
    """Write a request's body to a file.

    Args:
        request: whose body it is.
        path: of the file.
        limit: bytes of the largest body.
        check_space: raises if there is no space for so many bytes. It is called in a thread before the body is read,
            and again for each megabyte that arrives: with the stated size, or what has arrived where that is more.

    Raises:
        PayloadTooLargeError: it is larger than `limit` bytes; the rest is not read.
        InvalidRequestError: the connection was closed before the end.
        StorageError: the disk is full or cannot be written.
    """
    try:
        stated, size, checked = _stated_size(request, limit), 0, 0
        await anyio.to_thread.run_sync(check_space, stated)
        async with await anyio.open_file(path, "wb") as file, aclosing(_chunks(request, limit)) as chunks:
            async for chunk in chunks:
                size += len(chunk)
                if size - checked >= _CHECKED_BYTES:
                    checked = size
                    await anyio.to_thread.run_sync(check_space, max(stated, size))
                await file.write(chunk)
    except _TooLargeError:
        expected = f"Expected a zip of at most {limit} bytes (VIDEOGEN_MAX_IMPORT_MB)"
        raise PayloadTooLargeError(f"{expected}, got a larger one.") from None
    except ClientDisconnect:
        raise InvalidRequestError("body", "a zip", "nothing: the connection was closed before its end") from None
    except OSError as error:
        raise StorageError(f"The zip could not be stored: {error.strerror}.") from error


def whole_number(text: bytes) -> int:
    """The number in a `Content-Length`; 0 where it is none. Thousands of zeros may stand before it."""
    digits = text.lstrip(b"0")
    return int(digits[:20]) if digits.isdigit() else 0


def _stated_size(request: Request, limit: int) -> int:
    """The size of the body that its headers state; 0 where they do not. Raises _TooLargeError above the limit."""
    size = whole_number(request.headers.get("content-length", "").encode("latin-1"))
    if size > limit:
        raise _TooLargeError("too large")
    return size


async def _chunks(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    """The body as it arrives. Raises _TooLargeError as soon as it is known to be larger than `limit` bytes."""
    _stated_size(request, limit)
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise _TooLargeError("too large")
        yield chunk
