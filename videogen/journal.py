"""Writes the events of a generation: each a full snapshot of its row, in the transaction that changed the row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import insert

from videogen.database import StoredEvent, UnitOfWork
from videogen.models import EventRow, GenerationRow
from videogen.schemas.status import Status

# Built once: building a statement costs more than running it.
_INSERT: Final = insert(EventRow)
_TYPES: Final = {Status.COMPLETED: "render_result", Status.FAILED: "error", Status.CANCELLED: "error"}


def iso(seconds: float) -> str:
    """Seconds since the epoch as ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def snapshot(row: GenerationRow) -> dict[str, Any]:
    """What an event says of this row. Files are told by id; links are made when the event is sent."""
    common = {
        "generationId": row.id,
        "projectId": row.project_id,
        "requestId": row.request_id,
        "status": str(row.status),
        "progress": round(row.progress, 2),
        "attempt": row.attempt,
        "at": iso(row.updated_at),
    }
    match row.status:
        case Status.COMPLETED:
            return common | {
                "type": row.type,
                "fileId": row.file_id,
                "posterFileId": row.poster_file_id,
                "width": row.width,
                "height": row.height,
                "durationSeconds": row.duration_seconds,
                "fps": row.fps,
                "sizeBytes": row.size_bytes,
            }
        case Status.FAILED | Status.CANCELLED:
            return common | {
                "code": row.error_code,
                "message": row.error_message,
                "retryable": bool(row.error_retryable),
            }
    return common | _progress(row)


def _progress(row: GenerationRow) -> dict[str, Any]:
    return {
        "stage": row.stage,
        "step": row.step,
        "totalSteps": row.total_steps,
        "message": row.message,
        "queuePosition": row.queue_position,
        "expectedWaitSeconds": row.expected_wait_seconds,
        "etaSeconds": row.eta_seconds,
        "estimated": row.estimated,
        "previewFileId": row.preview_file_id,
        "previewVersion": row.preview_version,
    }


def record(unit: UnitOfWork, row: GenerationRow) -> None:
    """Store the event that tells of the row as it is now, and have it published after the commit."""
    event_type = _TYPES.get(Status(row.status), "render_progress")
    data = snapshot(row)
    result = unit.connection.execute(
        _INSERT,
        {
            "session_id": row.session_id,
            "project_id": row.project_id,
            "generation_id": row.id,
            "type": event_type,
            "data": data,
            "created_at": row.updated_at,
        },
    )
    event_id = int(result.inserted_primary_key[0])  # type: ignore[index]
    unit.events.append(StoredEvent(event_id, row.session_id, row.project_id, row.id, event_type, data))
