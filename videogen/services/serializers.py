"""The public form of rows and stored events, with fresh links to their files.

The owner gets `Generation` and the events of `schemas.events`. `public_view` has what visitors of a public link get.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any, Final, cast

import orjson

from videogen.core.clock import to_datetime
from videogen.core.errors import FileMissingError
from videogen.core.security import Signer
from videogen.core.text import file_stem
from videogen.db.signals import StoredEvent
from videogen.db.tables import FileRow, GenerationRow, UploadRow
from videogen.live.hub import EncodedEvent
from videogen.schemas.events import (
    ErrorRecord,
    Event,
    ProgressRecord,
    RenderError,
    RenderProgress,
    RenderResult,
    ResultRecord,
)
from videogen.schemas.exports import EVENT, KINDS, Export, ExportFormat
from videogen.schemas.generations import ErrorInfo, File, Generation, Shot
from videogen.schemas.status import Status
from videogen.services.public_view import public_event
from videogen.store import StoredExport

NAME_CHARS: Final = 60
"""Of a title in the name of an export."""


class Serializer:
    """Turns what is stored into what is sent."""

    def __init__(self, signer: Signer, base: str) -> None:
        """
        Args:
            signer: signs the links to files.
            base: what a link begins with: the app's public address, or only its path.
        """
        self._signer = signer
        self._base = base

    def media_url(self, file_id: str | None, version: int | None = None) -> str | None:
        """A signed link to a file. A new `version` makes browsers load the file again."""
        if not file_id:
            return None
        suffix = "" if version is None else f"&v={version}"
        return f"{self._base}/media/{file_id}?{self._signer.link(file_id)}{suffix}"

    def event(self, stored: StoredEvent) -> Event:
        """The public form of a stored event, with fresh links."""
        fields: dict[str, Any] = vars(stored.data) | {"id": stored.id}
        match stored.data:
            case ProgressRecord():
                preview = self.media_url(fields.pop("preview_file_id"), fields.pop("preview_version"))
                return RenderProgress(**fields, preview_url=preview)
            case ResultRecord():
                poster = self.media_url(fields.pop("poster_file_id"))
                links = self._result_urls(fields.pop("type"), fields["file_id"])
                return RenderResult(**fields, **links, poster_url=poster)
            case ErrorRecord():
                return RenderError(**fields)

    def event_bytes(self, stored: StoredEvent) -> bytes:
        """The server-sent event for the owner."""
        return _server_sent(stored, self.event(stored).model_dump_json(by_alias=True).encode())

    def public_event_bytes(self, stored: StoredEvent) -> bytes:
        """The server-sent event for visitors of a public link."""
        return _server_sent(stored, orjson.dumps(public_event(stored.data)))

    def _result_urls(self, kind: str, file_id: str | None) -> dict[str, str | None]:
        url = self.media_url(file_id)
        return {"video_url": url if kind == "video" else None, "image_url": url if kind == "image" else None}

    def file(self, row: UploadRow | FileRow, width: int = 0, height: int = 0) -> File:
        """The public form of an image. `width` and `height` in pixels are for a `FileRow`, which does not have them."""
        return File(
            id=row.id,
            content_type=row.content_type,
            width=row.width if isinstance(row, UploadRow) else width,
            height=row.height if isinstance(row, UploadRow) else height,
            size_bytes=row.size_bytes,
            created_at=to_datetime(row.created_at),
            url=f"{self._base}/media/{row.id}?{self._signer.link(row.id)}",
        )

    def export(self, export: StoredExport) -> Export:
        """The public form of an export, with a fresh link."""
        row = export.row
        kind = KINDS[cast(ExportFormat, row.format)]
        values: dict[str, Any] = {name: getattr(row, name) for name in Export.model_fields if hasattr(row, name)}
        for name in ("created_at", "updated_at", "finished_at"):
            values[name] = None if values[name] is None else to_datetime(values[name])
        failed = row.status == "failed"
        error = ErrorInfo(code=row.error_code or "", message=row.error_message or "", retryable=True)
        return Export(
            **values,
            name=export_name(export.title, row.generation_id, kind.ending),
            content_type=kind.content_type,
            sound_left_out=export.has_audio and row.format != "webm",
            url=self.media_url(row.file_id),
            error=error if failed else None,
        )

    def export_event(self, export: StoredExport) -> EncodedEvent:
        """The server-sent event with the state of an export."""
        shown = self.export(export)
        data = shown.model_dump_json(by_alias=True).encode()
        text = b"event: %b\nid: %d\ndata: %b\n\n" % (EVENT.encode(), export.row.version, data)
        return EncodedEvent(export.row.version, export.row.id, shown.has_ended, text)

    def generation(
        self,
        row: GenerationRow,
        now: float,
        gone: frozenset[str] = frozenset(),
        expires_at: float | None = None,
    ) -> Generation:
        """The public form of a row.

        Args:
            row: what is stored.
            now: seconds since the epoch.
            gone: ids of files that are missing in the storage; they get no link.
            expires_at: until when it is kept, in seconds since the epoch; None: for ever.
        """
        missing = row.file_id in gone
        values: dict[str, Any] = {
            name: getattr(row, name) for name in Generation.model_fields if name in GenerationRow.model_fields
        }
        values["expires_at"] = expires_at
        for name in ("created_at", "started_at", "updated_at", "finished_at", "expires_at"):
            values[name] = None if values[name] is None else to_datetime(values[name])
        values |= {
            "progress": round(row.progress, 2),
            "wait_seconds": round(max((row.started_at or row.finished_at or now) - row.created_at, 0.0), 3),
            **_remaining(row, now),
            "preview_url": self.media_url(row.preview_file_id, row.preview_version),
            **self._result_urls(row.type, None if missing else row.file_id),
            "poster_url": None if row.poster_file_id in gone else self.media_url(row.poster_file_id),
            "understanding": row.recipe.get("understanding"),
            "shots": shots_of(row.recipe),
            "error": _error(row, missing=missing),
        }
        return Generation(**values)


def _server_sent(stored: StoredEvent, data: bytes) -> bytes:
    return b"event: %b\nid: %d\ndata: %b\n\n" % (stored.type.encode(), stored.id, data)


def export_name(title: str, generation_id: str, ending: str) -> str:
    """The name of an export's file, such as `videogen-calm-lake-k3x9q2ab.webm`; that of a zip of frames says so."""
    number = "".join(char for char in generation_id.partition("_")[2].lower() if char.isalnum())[:8]
    words = textwrap.shorten(title, NAME_CHARS, placeholder="") or title[:NAME_CHARS]
    mark = next(kind.mark for kind in KINDS.values() if kind.ending == ending)
    return f"videogen-{file_stem(words)}-{number}{mark}.{ending}"


RENDER_AGAIN: Final = "Retry renders it again, from the same recipe and seed."


def shots_of(recipe: Mapping[str, Any]) -> list[Shot]:
    """The parts of a video, from its recipe as it is stored."""
    shots: list[Shot] = []
    fps, start = recipe.get("fps") or 1, 0
    for span in recipe.get("spans", ()):
        part = span["recipe"] or {}
        shots.append(
            Shot(
                prompt=span["prompt"],
                start_seconds=round(start / fps, 3),
                duration_seconds=round(span["num_frames"] / fps, 3),
                kept=span["kept_from"] is not None,
                join=span["join"],
                seed=part.get("seed"),
                understanding=part.get("understanding"),
            )
        )
        start += span["num_frames"]
    return shots


def _remaining(row: GenerationRow, now: float) -> dict[str, float | None]:
    """The expected times counted from now; the row has them counted from `updated_at`."""
    elapsed = max(now - row.updated_at, 0.0)
    stored = {name: getattr(row, name) for name in ("expected_wait_seconds", "eta_seconds")}
    return {name: None if left is None else round(max(left - elapsed, 0.0), 1) for name, left in stored.items()}


def _error(row: GenerationRow, *, missing: bool) -> ErrorInfo | None:
    if missing:
        text = f"The {row.type} is gone from the data folder. {RENDER_AGAIN}"
        return ErrorInfo(code=FileMissingError.code, message=text, retryable=True)
    if row.status not in (Status.FAILED, Status.CANCELLED) or row.error_code is None:
        return None
    return ErrorInfo(code=row.error_code, message=row.error_message or "", retryable=bool(row.error_retryable))
