"""What a visitor of a public link sees of one generation: its state in words, and nothing that identifies its owner."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from videogen.core.i18n import DEFAULT, Catalog, catalog, error_message
from videogen.core.text import shorten
from videogen.db.tables import GenerationRow
from videogen.schemas.events import ErrorRecord, EventRecord, ProgressRecord, ResultRecord
from videogen.schemas.status import ENGINE_UNAVAILABLE, NEEDS_ATTENTION, Status
from videogen.store.attention import GIVEN_UP, REPLACED
from videogen.store.events import snapshot

# Relative to the page of the link, so that one encoding serves every visitor.
RESULTS: Final = {"video": "video.mp4", "image": "image.png"}
POSTER: Final = "poster.jpg"
PREVIEW: Final = "preview.jpg"

STAGES: Final = ("starting", "preparing", "finishing", "converting")
"""The stages that have a text in the catalog."""
_PRIVATE_CODES: Final = {
    *(GIVEN_UP.code, REPLACED.code, "cancelled"),
    *("key_refused", "no_credit", "refused_host", "engine_unavailable"),
}
"""Errors whose messages are for the owner alone."""
Message = dict[str, Any]
"""A message for any language: `key` with `values`; an error's `code` with its `detail`; or `text`, shown as it is."""
_PUBLIC_FIELDS: Final = {
    *("status", "progress", "attempt", "at"),
    *("stage", "step", "total_steps", "message", "queue_position", "expected_wait_seconds", "eta_seconds", "estimated"),
    *("type", "width", "height", "duration_seconds", "fps", "has_audio", "size_bytes", "code"),
}
"""The fields of a stored event that visitors receive; none of them identifies the session or a file."""


@dataclass(frozen=True, slots=True)
class PublicGeneration:
    """One generation as a visitor sees it. Links are relative to the share page, and None where there is no file."""

    type: str
    status: Status
    label: str
    """The catalog key of its status."""
    note: list[Message]
    progress: float
    title: str
    prompt: str
    negative_prompt: str
    engine: str
    settings: dict[str, Any]
    seed: int
    width: int
    height: int
    duration_seconds: float
    fps: int
    has_audio: bool
    size_bytes: int | None
    result_url: str | None
    poster_url: str | None
    preview_url: str | None
    created_at: datetime


def public_generation(row: GenerationRow, gone: Container[str | None] = ()) -> PublicGeneration:
    """A row as a visitor sees it. `gone` are ids of files that are missing in the storage."""
    is_missing = row.file_id in gone
    copied = ("type", "prompt", "negative_prompt", "engine", "settings", "seed", "width", "height", "duration_seconds")
    return PublicGeneration(
        **{name: getattr(row, name) for name in copied},
        fps=row.fps,
        has_audio=row.has_audio,
        status=Status(row.status),
        label=_label(snapshot(row)),
        note=[_text("visitor.missing")] if is_missing else status_note(snapshot(row)),
        progress=round(row.progress, 2),
        title=title(row),
        size_bytes=None if is_missing else row.size_bytes,
        result_url=RESULTS.get(row.type) if row.file_id and not is_missing else None,
        poster_url=POSTER if row.poster_file_id and row.poster_file_id not in gone else None,
        preview_url=None if is_missing else preview_link(row.preview_file_id, row.preview_version),
        created_at=datetime.fromtimestamp(int(row.created_at), UTC),
    )


def title(row: GenerationRow) -> str:
    """The generation's title, or the beginning of its prompt; one line of at most 80 characters."""
    return shorten(row.title or row.prompt, 80)


def preview_link(file_id: str | None, version: int) -> str | None:
    """The link to the newest preview. Each version has another link, so that browsers load it again."""
    return f"{PREVIEW}?v={version}" if file_id else None


def public_event(data: EventRecord) -> dict[str, Any]:
    """What visitors receive of an event, ready for JSON. Its links are relative to the address of the stream."""
    values = data.model_dump(mode="json", by_alias=True, include=_PUBLIC_FIELDS)
    if _is_private(data):
        values |= {"message": ""} | ({"stage": "waiting"} if isinstance(data, ProgressRecord) else {})
    match data:
        case ProgressRecord():
            values["previewUrl"] = preview_link(data.preview_file_id, data.preview_version)
        case ResultRecord():
            values |= {"url": RESULTS[data.type], "posterUrl": POSTER if data.poster_file_id else None}
    label, note, english = _label(data), status_note(data), catalog(DEFAULT)
    # In the API's own language for programs. The share page builds the same in the visitor's language from `said`.
    values |= {"label": english.gettext(label), "note": note_text(note, english)}
    return values | {"said": {"label": label, "note": note}}


def status_note(data: EventRecord) -> list[Message]:
    """What happens right now, or has happened, as the parts of one line."""
    match data:
        case ErrorRecord(status=Status.CANCELLED):
            return [_text("visitor.cancelled")]
        case ErrorRecord():
            is_shown = data.message and not _is_private(data)
            return [{"code": data.code, "detail": data.message}] if is_shown else [_text("visitor.failed")]
        case ProgressRecord(status=Status.QUEUED):
            position, wait = data.queue_position, data.expected_wait_seconds
            key = (
                "stage.waiting"
                if position is None or data.stage == ENGINE_UNAVAILABLE
                else "stage.next"
                if position <= 1
                else "visitor.place"
            )
            begins = [] if wait is None else [_text("visitor.begins", seconds=max(1, round(wait)))]
            return [_text(key, place=position), *begins]
        case ProgressRecord():
            return [_text("visitor.on_hold")] if _is_private(data) else _progress_note(data)
    return []


def _label(data: EventRecord) -> str:
    """The catalog key of the status. What waits at a service, or for its owner, is not rendered."""
    if isinstance(data, ProgressRecord) and data.status is Status.PROCESSING:
        return "status.waiting" if data.stage in ("waiting", NEEDS_ATTENTION) else "status.processing"
    return f"status.{data.status}"


def _is_private(data: EventRecord) -> bool:
    """Whether it is about the owner's account at a service, or a decision of the owner."""
    if isinstance(data, ProgressRecord):
        return data.stage in (NEEDS_ATTENTION, ENGINE_UNAVAILABLE)
    return isinstance(data, ErrorRecord) and data.code in _PRIVATE_CODES


def note_text(note: Sequence[Message], texts: Catalog) -> str:
    """A note as one line, as `share.js` builds it in the browser."""
    parts = [_message_text(message, texts) for message in note]
    return " · ".join(text[:1].upper() + text[1:] for text in parts)


def _message_text(message: Message, texts: Catalog) -> str:
    if "key" in message:
        return texts.gettext(message["key"], **message["values"])
    if "code" in message:
        return error_message(texts, message["code"], message["detail"])
    return str(message["text"])


def _progress_note(data: ProgressRecord) -> list[Message]:
    message, stage = data.message, data.stage or "starting"
    note: list[Message] = []
    if not message and stage in STAGES:
        note.append(_text(f"stage.{stage}"))
    # The label says already that it is rendering.
    elif message or stage != "rendering":
        note.append({"text": (message or stage).replace("_", " ")})
    if data.total_steps:
        note.append(_text("visitor.step", step=str(data.step), total=str(data.total_steps)))
    if data.eta_seconds is not None:
        key = "visitor.about_left" if data.estimated else "visitor.left"
        note.append(_text(key, seconds=max(1, round(data.eta_seconds))))
    return note


def _text(key: str, **values: Any) -> Message:
    return {"key": key, "values": values}
