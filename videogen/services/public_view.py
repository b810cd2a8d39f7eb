"""What a visitor with a link sees of one generation: how it stands, in words; nothing of the session around it."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from videogen.core.i18n import DEFAULT, Catalog, catalog, error_message
from videogen.db.database import StoredEvent
from videogen.db.tables import GenerationRow
from videogen.schemas.status import Status
from videogen.store.events import snapshot

# Relative to the page of the link, so that one encoding serves every visitor.
RESULTS: Final = {"video": "video.mp4", "image": "image.png"}
POSTER: Final = "poster.jpg"
PREVIEW: Final = "preview.jpg"

LABELS: Final[Mapping[Status, str]] = {
    Status.QUEUED: "status.queued",
    Status.PROCESSING: "status.processing",
    Status.COMPLETED: "status.completed",
    Status.FAILED: "status.failed",
    Status.CANCELLED: "status.cancelled",
}
STAGES: Final[Mapping[str, str]] = {
    "starting": "stage.starting",
    "preparing": "stage.preparing",
    "finishing": "stage.finishing",
}
Message = dict[str, Any]
"""Something to say in any language: `key` with `values`, an error's `code` with its `detail`, or `text` as it is."""
_COMMON: Final = ("status", "progress", "attempt", "at")
_KEPT: Final = {
    "render_progress": (
        *("stage", "step", "totalSteps", "message"),
        *("queuePosition", "expectedWaitSeconds", "etaSeconds", "estimated"),
    ),
    "render_result": ("width", "height", "durationSeconds", "fps", "sizeBytes"),
    "error": ("code", "message"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One generation as a visitor may see it. Links are relative to the page, and None where there is no file."""

    type: str
    status: Status
    label: str
    """The key of its status in a word."""
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
    size_bytes: int | None
    result_url: str | None
    poster_url: str | None
    preview_url: str | None
    created_at: datetime


def shown(row: GenerationRow, gone: Container[str | None] = ()) -> Shown:
    """The visitor's view of a row; `gone` are ids of files whose bytes are not there any more."""
    data, status = snapshot(row), Status(row.status)
    lost = row.file_id in gone
    return Shown(
        type=row.type,
        status=status,
        label=LABELS[status],
        note=[_key("visitor.missing")] if lost else note(data),
        progress=round(row.progress, 2),
        title=title(row),
        prompt=row.prompt,
        negative_prompt=row.negative_prompt,
        engine=row.engine,
        settings=row.settings,
        seed=row.seed,
        width=row.width,
        height=row.height,
        duration_seconds=row.duration_seconds,
        fps=row.fps,
        size_bytes=None if lost else row.size_bytes,
        result_url=RESULTS.get(row.type) if row.file_id and not lost else None,
        poster_url=POSTER if row.poster_file_id and row.poster_file_id not in gone else None,
        preview_url=None if lost else preview(row.preview_file_id, row.preview_version),
        created_at=datetime.fromtimestamp(int(row.created_at), UTC),
    )


def title(row: GenerationRow, length: int = 80) -> str:
    """The generation's title, or the beginning of its prompt; one line of at most `length` characters."""
    words = " ".join((row.title or row.prompt).split())
    return words if len(words) <= length else words[: length - 1].rstrip() + "…"


def preview(file_id: str | None, version: int) -> str | None:
    """The link to the newest intermediate picture; its bytes change, and the link with them."""
    return f"{PREVIEW}?v={version}" if file_id else None


def event_bytes(event: StoredEvent) -> bytes:
    """One SSE frame for visitors. Its links are relative to the address of the stream."""
    data = event.data
    told: dict[str, Any] = {name: data.get(name) for name in (*_COMMON, *_KEPT[event.type])}
    if event.type == "render_progress":
        told["previewUrl"] = preview(data.get("previewFileId"), data.get("previewVersion", 0))
    elif event.type == "render_result":
        kind = data.get("type", "video")
        told |= {"type": kind, "url": RESULTS[kind], "posterUrl": POSTER if data.get("posterFileId") else None}
    label, parts, english = LABELS[Status(data["status"])], note(data), catalog(DEFAULT)
    # In the API's own language for programs; the page says the same in its visitor's, and one encoding serves all.
    told |= {"label": english.gettext(label), "note": say(parts, english), "said": {"label": label, "note": parts}}
    return b"event: %b\nid: %d\ndata: %b\n\n" % (event.type.encode(), event.id, orjson.dumps(told))


def note(data: Mapping[str, Any]) -> list[Message]:
    """What happens right now, or has happened, in parts of one line. `data` is an event's."""
    match data["status"]:
        case Status.QUEUED:
            place = data.get("queuePosition")
            key = "stage.waiting" if place is None else "stage.next" if place <= 1 else "visitor.place"
            wait = data.get("expectedWaitSeconds")
            begins = [] if wait is None else [_key("visitor.begins", seconds=max(1, round(wait)))]
            return [_key(key, place=place), *begins]
        case Status.PROCESSING:
            return _progress(data)
        case Status.FAILED:
            message = data.get("message")
            return [{"code": data.get("code") or "", "detail": message}] if message else [_key("visitor.failed")]
        case Status.CANCELLED:
            return [_key("visitor.cancelled")]
    return []


def say(parts: Sequence[Message], texts: Catalog) -> str:
    """These parts as one line, as `share.js` says them in the browser."""
    return " · ".join(_sentence(_said(part, texts)) for part in parts)


def _said(part: Message, texts: Catalog) -> str:
    if "key" in part:
        return texts.gettext(part["key"], **part["values"])
    return error_message(texts, part["code"], part["detail"]) if "code" in part else str(part["text"])


def _progress(data: Mapping[str, Any]) -> list[Message]:
    message, stage = data.get("message"), str(data.get("stage") or "starting")
    parts: list[Message] = []
    if not message and stage in STAGES:
        parts.append(_key(STAGES[stage]))
    # The label says that it renders already.
    elif message or stage != "rendering":
        parts.append({"text": str(message or stage).replace("_", " ")})
    if data.get("totalSteps"):
        parts.append(_key("visitor.step", step=str(data["step"]), total=str(data["totalSteps"])))
    if (seconds := data.get("etaSeconds")) is not None:
        key = "visitor.about_left" if data.get("estimated") else "visitor.left"
        parts.append(_key(key, seconds=max(1, round(seconds))))
    return parts


def _key(key: str, **values: Any) -> Message:
    return {"key": key, "values": values}


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
