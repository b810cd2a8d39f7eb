"""What the world sees: rows and stored events as public JSON, with fresh links to their files."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import orjson

from videogen.core.clock import to_datetime
from videogen.core.errors import FileMissingError
from videogen.core.security import Signer
from videogen.db.database import StoredEvent
from videogen.db.tables import FileRow, GenerationRow, UploadRow
from videogen.schemas.generations import ErrorInfo, File, Generation
from videogen.schemas.status import Status


class Serializer:
    """Turns what is stored into what is sent. Links begin with the app's public address, or its path."""

    def __init__(self, signer: Signer, base: str) -> None:
        self._signer = signer
        self._base = base

    def media_url(self, file_id: str | None, version: int | None = None) -> str | None:
        """A signed link to a file; `version` tells browsers that its bytes have changed."""
        if file_id is None:
            return None
        suffix = "" if version is None else f"&v={version}"
        return f"{self._base}/media/{file_id}?{self._signer.link(file_id)}{suffix}"

    def event_bytes(self, event: StoredEvent) -> bytes:
        """One SSE frame."""
        data = dict(event.data)
        if event.type == "render_progress":
            version = data.pop("previewVersion")
            data["previewUrl"] = self.media_url(data.pop("previewFileId"), version)
        elif event.type == "render_result":
            # Events of an older release, which made nothing but videos, do not say their type.
            for kind in ("video", "image"):
                data[f"{kind}Url"] = self.media_url(data["fileId"]) if data.get("type", "video") == kind else None
            data.pop("type", None)
            data["posterUrl"] = self.media_url(data.pop("posterFileId"))
        return b"event: %b\nid: %d\ndata: %b\n\n" % (event.type.encode(), event.id, orjson.dumps(data))

    def file(self, row: UploadRow | FileRow, width: int = 0, height: int = 0) -> File:
        """The public form of an image; a row that does not know its size in pixels is told it."""
        return File(
            id=row.id,
            content_type=row.content_type,
            width=row.width if isinstance(row, UploadRow) else width,
            height=row.height if isinstance(row, UploadRow) else height,
            size_bytes=row.size_bytes,
            created_at=to_datetime(row.created_at),
            url=f"{self._base}/media/{row.id}?{self._signer.link(row.id)}",
        )

    def generation(self, row: GenerationRow, now: float, gone: frozenset[str] = frozenset()) -> Generation:
        """The public form of a row.

        Args:
            row: what is stored.
            now: seconds since the epoch.
            gone: ids of files whose bytes are not there any more; no link leads to them.
        """
        missing = row.file_id in gone
        result = None if missing else self.media_url(row.file_id)
        values: dict[str, Any] = {
            name: getattr(row, name) for name in Generation.model_fields if name in GenerationRow.model_fields
        }
        for name in ("created_at", "started_at", "updated_at", "finished_at", "expires_at"):
            values[name] = _moment(values[name])
        values |= {
            "progress": round(row.progress, 2),
            "wait_seconds": round(max((row.started_at or row.finished_at or now) - row.created_at, 0.0), 3),
            **_left(row, now),
            "preview_url": self.media_url(row.preview_file_id, row.preview_version),
            "video_url": result if row.type == "video" else None,
            "image_url": result if row.type == "image" else None,
            "poster_url": None if row.poster_file_id in gone else self.media_url(row.poster_file_id),
            "title": row.title,
            "understanding": row.recipe.get("understanding"),
            "error": _missing(row) if missing else _error(row),
        }
        return Generation(**values)


RENDER_AGAIN: Final = "Retry renders it again, from the same recipe and seed."


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else to_datetime(seconds)


def _left(row: GenerationRow, now: float) -> dict[str, float | None]:
    """What is expected, counted from now: it was told when the row last changed."""
    passed = max(now - row.updated_at, 0.0)
    told = {name: getattr(row, name) for name in ("expected_wait_seconds", "eta_seconds")}
    return {name: None if left is None else round(max(left - passed, 0.0), 1) for name, left in told.items()}


def _missing(row: GenerationRow) -> ErrorInfo:
    text = f"The {row.type} is gone from the data folder. {RENDER_AGAIN}"
    return ErrorInfo(code=FileMissingError.code, message=text, retryable=True)


def _error(row: GenerationRow) -> ErrorInfo | None:
    if row.status not in (Status.FAILED, Status.CANCELLED) or row.error_code is None:
        return None
    return ErrorInfo(code=row.error_code, message=row.error_message or "", retryable=bool(row.error_retryable))
