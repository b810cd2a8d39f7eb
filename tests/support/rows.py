"""Rows as the service would store them, and a clock that stands still."""

from __future__ import annotations

from itertools import count
from typing import Any

from videogen.core.security import new_id
from videogen.db.signals import StoredEvent
from videogen.db.tables import FileRow, GenerationRow, ProjectRow, UploadRow
from videogen.schemas.events import EventType
from videogen.schemas.status import Status
from videogen.store import Limits, Result, Store
from videogen.store.events import snapshot

PLENTY = Limits(per_session=1000, per_address=1000, queue=1000)
_prompts = count(1)


class Clock:
    """Seconds since the epoch; moves only when a test moves it.

    `clock.now += 5` lets time pass. `clock.set_by(-3600)` sets the wall clock; `clock.steady()` knows nothing of it.
    """

    def __init__(self, now: float = 1_750_000_000.0) -> None:
        self.now = now
        self._set = 0.0

    def __call__(self) -> float:
        return self.now + self._set

    def set_by(self, seconds: float) -> None:
        self._set += seconds

    def steady(self) -> float:
        return self.now


def project_row(session_id: str, now: float = 0.0, key: str | None = None, body: str = "body") -> ProjectRow:
    """A project that is not stored yet."""
    return ProjectRow(
        id=new_id("prj"),
        session_id=session_id,
        request_id=new_id("req"),
        idempotency_key=key,
        body_hash=body,
        created_at=now,
    )


def generation_row(project: ProjectRow, **values: Any) -> GenerationRow:
    """A generation that is not stored yet."""
    prompt = f"prompt {next(_prompts)}"
    recipe = {"engine": "bars", "prompt": prompt}
    defaults = {
        "id": new_id("gen"),
        "session_id": project.session_id,
        "project_id": project.id,
        "request_id": project.request_id,
        "type": "video",
        "engine": "bars",
        "engine_version": "1",
        "prompt": prompt,
        "settings": {"seed": 1},
        "recipe": recipe,
        "recipe_hash": "hash",
        "seed": 1,
        "width": 64,
        "height": 64,
        "fps": 8,
        "duration_seconds": 0.5,
        "created_at": project.created_at,
        "updated_at": project.created_at,
    }
    return GenerationRow(**(defaults | values))


class Submitter:
    """Stores generations without asking for limits."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(self, session_id: str, **values: Any) -> GenerationRow:
        """One generation in a project of its own, as it is stored."""
        return self.project(session_id, 1, **values)[0]

    def project(self, session_id: str, number: int, **values: Any) -> list[GenerationRow]:
        """The generations of one submit."""
        project = project_row(session_id, self._store.clock())
        rows = [generation_row(project, **values) for _ in range(number)]
        self._store.create_project(project, rows, PLENTY)
        return [self._store.get_generation(session_id, row.id) for row in rows]


def fields(row: Any) -> dict[str, Any]:
    """All that a generation's row holds, whether it is an object or a plain row."""
    return {name: getattr(row, name) for name in GenerationRow.model_fields}


def file_row(row: GenerationRow, kind: str = "video") -> FileRow:
    """A file of a generation that is not stored yet."""
    return FileRow(
        id=new_id("fil"),
        session_id=row.session_id,
        generation_id=row.id,
        kind=kind,
        key=f"{row.id}/{kind}.mp4",
        content_type="video/mp4",
        size_bytes=1234,
        created_at=row.created_at,
    )


def upload_row(session_id: str, digest: str = "digest", now: float = 0.0) -> UploadRow:
    """An upload that is not stored yet."""
    upload_id = new_id("fil")
    return UploadRow(
        id=upload_id,
        session_id=session_id,
        digest=digest,
        key=f"uploads/{upload_id}.png",
        content_type="image/png",
        width=64,
        height=48,
        size_bytes=7,
        created_at=now,
    )


def result(row: GenerationRow) -> Result:
    """A finished render of a generation."""
    return Result(file_row(row), file_row(row, "poster"), row.width, row.height, row.fps, row.duration_seconds)


def stored_event(
    number: int, generation: str = "gen_a", kind: EventType = "render_progress", **ids: str
) -> StoredEvent:
    """An event as a listener of the database gets it; of session `ses_a` and project `prj_a` where `ids` has no other.

    Args:
        number: the id of the event; also its `step`, where it is progress.
    """
    status = {"render_progress": Status.PROCESSING, "render_result": Status.COMPLETED, "error": Status.FAILED}[kind]
    session, project = ids.get("session", "ses_a"), ids.get("project", "prj_a")
    row = generation_row(
        ProjectRow(id=project, session_id=session, request_id="req_a", body_hash="", created_at=0.0),
        id=generation,
        status=status,
        step=number,
        file_id="fil_a",
        size_bytes=1,
    )
    return StoredEvent(number, session, project, generation, kind, snapshot(row))
