"""What a visitor with a link sees of one generation: how it stands, in words; nothing of the session around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from videogen.database import StoredEvent
from videogen.journal import snapshot
from videogen.models import GenerationRow
from videogen.schemas import Status

# Relative to the page of the link, so that one encoding serves every visitor.
RESULTS: Final = {"video": "video.mp4", "image": "image.png"}
POSTER: Final = "poster.jpg"
PREVIEW: Final = "preview.jpg"

LABELS: Final[Mapping[Status, str]] = {
    Status.QUEUED: "Queued",
    Status.PROCESSING: "Rendering",
    Status.COMPLETED: "Finished",
    Status.FAILED: "Failed",
    Status.CANCELLED: "Cancelled",
}
_COMMON: Final = ("status", "progress", "attempt", "at")
_KEPT: Final = {
    "render_progress": ("stage", "step", "totalSteps", "message", "queuePosition", "etaSeconds", "estimated"),
    "render_result": ("width", "height", "durationSeconds", "fps", "sizeBytes"),
    "error": ("code", "message"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One generation as a visitor may see it. Links are relative to the page, and None where there is no file."""

    type: str
    status: Status
    label: str
    note: str
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


def shown(row: GenerationRow) -> Shown:
    """The visitor's view of a row."""
    data, status = snapshot(row), Status(row.status)
    return Shown(
        type=row.type,
        status=status,
        label=LABELS[status],
        note=note(data),
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
        size_bytes=row.size_bytes,
        result_url=RESULTS.get(row.type) if row.file_id else None,
        poster_url=POSTER if row.poster_file_id else None,
        preview_url=preview(row.preview_file_id, row.preview_version),
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
    told |= {"label": LABELS[Status(data["status"])], "note": note(data)}
    return b"event: %b\nid: %d\ndata: %b\n\n" % (event.type.encode(), event.id, orjson.dumps(told))


def note(data: Mapping[str, Any]) -> str:
    """What happens right now, or has happened, as one line. `data` is an event's."""
    match data["status"]:
        case Status.QUEUED:
            place = data.get("queuePosition")
            return "Waiting for a renderer" if place is None else "Next in line" if place <= 1 else f"{place} in line"
        case Status.PROCESSING:
            return _progress(data)
        case Status.FAILED:
            return _sentence(data.get("message") or "It ended without a result.")
        case Status.CANCELLED:
            return "Whoever started it has stopped it."
    return ""


def _progress(data: Mapping[str, Any]) -> str:
    stage = str(data.get("message") or data.get("stage") or "starting").replace("_", " ")
    # The label says that it renders already.
    parts = [] if stage == "rendering" else [_sentence(stage)]
    if data.get("totalSteps"):
        parts.append(f"{data['step']} / {data['totalSteps']}")
    if (seconds := data.get("etaSeconds")) is not None:
        about = "about " if data.get("estimated") else ""
        parts.append(f"{about}{max(1, round(seconds))} s left")
    return " · ".join(parts)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
