"""Files that a person chose on the page: taken here instead of by Gradio, until their handler has read them."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Final

import anyio.to_thread
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse
from pathvalidate import sanitize_filename

from videogen.core.addresses import visitor_name
from videogen.core.errors import (
    CrossSiteError,
    LimitExceededError,
    NotFoundError,
    StorageError,
)
from videogen.web.bodies import receive_upload
from videogen.web.same_origin import is_foreign, is_same_origin

KEPT_SECONDS: Final = 600.0
"""An upload is removed at this age; what was submitted is kept by the API then."""
SWEEP_SECONDS: Final = 60.0
MAX_FILES: Final = 128
"""Kept at once; 429 beyond."""
MAX_FILES_PER_ADDRESS: Final = 16
_NAME_CHARS: Final = 80
_HEAD_BYTES: Final = 12
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}


def media_type(path: Path) -> str | None:
    """The media type of an image that the page takes, from its first bytes; None for all else. Blocks on the disk."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return None


class Uploads:
    """The folder of these files. Each lies in a folder of its own, whose name nobody can guess."""

    def __init__(
        self,
        folder: Path,
        max_bytes: int,
        count: Callable[[Request], None] = lambda _request: None,
        kept_seconds: float = KEPT_SECONDS,
    ) -> None:
        """
        Args:
            folder: a folder for these alone; it is emptied by `clear`.
            max_bytes: of one file.
            count: counts an upload for its visitor, and raises LimitExceededError if it is one too many.
            kept_seconds: the age at which a file is removed.
        """
        self.folder = folder.absolute()
        self.max_bytes = max_bytes
        self._count = count
        self._kept_seconds = kept_seconds
        self._address: dict[str, str] = {}
        self._sweeper: asyncio.TimerHandle | None = None

    def clear(self) -> None:
        """Remove what an earlier run left: its pages are gone."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def find(self, path: object) -> Path | None:
        """The file of an upload that is still there, from the path that Gradio's browser side knows it by.

        A handler must ask here before it opens such a path: it comes from the browser, which may send any.
        """
        if not isinstance(path, str) or "\0" in path:
            return None
        found = Path(path)
        own = found.is_absolute() and ".." not in found.parts and found.parent.parent == self.folder
        with suppress(OSError):  # of a name that is too long
            return found if own and found.is_file() else None
        return None

    async def keep(self, request: Request) -> Path:
        """Store the one file of a request. Its handler looks at what it is, and says in words what is wrong with it.

        Raises:
            LimitExceededError: too many are kept, of this address or of all.
            PayloadTooLargeError, UnsupportedMediaTypeError, InvalidRequestError: see `receive_upload`.
            StorageError: the disk is full or cannot be written.
        """
        await anyio.to_thread.run_sync(self._count, request)
        slot = self._reserve(visitor_name(request.client.host if request.client else ""))
        try:
            upload = await receive_upload(request, self.max_bytes, name="files")
            try:
                name = sanitize_filename(Path(upload.filename or "").name, max_len=_NAME_CHARS)
                name = name if name.strip(".") else "file"
                path = self.folder / slot / name
                await anyio.to_thread.run_sync(_write, path, upload.file)
            finally:
                await upload.close()
        except BaseException:
            self._remove(slot)
            raise
        self._sweep_later()
        return path

    def remove(self, path: Path) -> None:
        """Remove a file that `find` has returned. Blocks on the disk."""
        self._remove(path.parent.name)

    def _reserve(self, address: str) -> str:
        if len(self._address) >= MAX_FILES or list(self._address.values()).count(address) >= MAX_FILES_PER_ADDRESS:
            wait = round(self._kept_seconds)
            raise LimitExceededError("Too many files were sent in a short time. Try again later.", wait)
        slot = secrets.token_urlsafe(18)
        self._address[slot] = address
        return slot

    def _remove(self, slot: str) -> None:
        shutil.rmtree(self.folder / slot, ignore_errors=True)
        self._address.pop(slot, None)

    def _sweep_later(self) -> None:
        if self._sweeper is None:
            wait = min(SWEEP_SECONDS, self._kept_seconds)
            self._sweeper = asyncio.get_running_loop().call_later(wait, self._sweep)

    def _sweep(self) -> None:
        """Remove what is too old, and look again later where something is left."""
        self._sweeper = None
        oldest = time.time() - self._kept_seconds
        left = 0
        with suppress(FileNotFoundError):
            for entry in self.folder.iterdir():
                if entry.stat().st_mtime <= oldest:
                    self._remove(entry.name)
                else:
                    left += 1
        if left:
            self._sweep_later()


def _write(path: Path, source: Any) -> None:
    try:
        path.parent.mkdir(parents=True)
        with path.open("wb") as file:
            shutil.copyfileobj(source, file)
    except OSError as error:
        raise StorageError(f"The file could not be stored: {error.strerror}.") from error


def _read_by_page(request: Request) -> None:
    if is_foreign(request):
        raise CrossSiteError("Only the page itself may read this.")


def _sent_by_page(request: Request) -> None:
    if not is_same_origin(request) or is_foreign(request):
        raise CrossSiteError("Only the page itself may upload here. Programs use POST /api/v1/files: see /docs.")


def upload_routes(uploads: Uploads) -> APIRouter:
    """The two routes, at the addresses where Gradio's browser side expects them."""
    router = APIRouter(prefix="/gradio_api", include_in_schema=False)

    @router.post("/upload")
    async def upload(request: Request, _: Annotated[None, Depends(_sent_by_page)]) -> list[str]:
        """Keep one file for a few minutes; its path, as Gradio's components name files."""
        return [str(await uploads.keep(request))]

    @router.get("/file={path:path}")
    def show(path: str, _: Annotated[None, Depends(_read_by_page)]) -> Response:
        """An image, for the page alone; it is never a document. No other kind of file is shown."""
        found = uploads.find(path)
        kind = None if found is None else media_type(found)
        if found is None or kind is None:
            raise NotFoundError
        return FileResponse(found, media_type=kind, headers=_HEADERS)

    return router
