"""Writes of a worker: progress, previews, checkpoints and the end, each fenced by the attempt of its lease."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlmodel import col, delete, select

from videogen.core.errors import ModerationRefusedError
from videogen.db.tables import FileRow, GenerationRow
from videogen.schemas.generations import Attention, Cost
from videogen.schemas.status import NEEDS_ATTENTION, Status
from videogen.store.base import BaseStore
from videogen.store.estimates import Measured, record_run
from videogen.store.queue_order import update_queue_positions
from videogen.store.transitions import cancel, error_columns, transition, update_progress, update_running
from videogen.store.webhooks import add_deliveries


@dataclass(frozen=True, slots=True)
class Fence:
    """A write is allowed only while this generation is processing in this attempt."""

    generation_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Progress:
    """State of a render. `percent` is 0..100."""

    percent: float
    stage: str
    step: int
    total_steps: int
    message: str
    eta_seconds: float | None
    estimated: bool = False
    """Whether `percent` is not exactly known."""


@dataclass(frozen=True, slots=True)
class Result:
    """A finished render. Its files are in the storage already; width and height are in pixels."""

    video: FileRow
    poster: FileRow | None
    width: int
    height: int
    fps: int
    duration_seconds: float
    has_audio: bool = False
    flagged: str | None = None
    """Why the operator should look at it."""
    measured: Measured | None = None
    """How long it took; None where it continued from a checkpoint."""
    frames: tuple[FileRow, ...] = ()
    """Lossless frames from which another render can go on."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a render ended without a result. The code `cancelled` stands for a cancel."""

    code: str
    message: str
    retryable: bool


@dataclass(frozen=True, slots=True)
class Unknown:
    """A render ended without it being known whether a service has its job. The owner must decide what to do."""

    message: str
    known: Attention


LAST_FRAME: Final = "last_frame"
"""The kind of the file that is a video's last frame; of others, `frame_N` is what N frames end with."""
SOURCE: Final = "source"
SOURCE_FRAME: Final = "source_frame"
"""The kinds of the files that an extension keeps of the video that it goes on from."""
Outcome = Result | Failure | Unknown
"""How an attempt ends for which a renderer answers."""
MAY_BE_BILLED: Final = "The service may still render it, and bill it."


def _owner_of(generation_id: str) -> Any:
    # It may be another session than when the attempt began: see `store.merge`.
    return select(GenerationRow.session_id).where(GenerationRow.id == generation_id)


class ProgressStore(BaseStore):
    """Fenced writes: a worker that lost its lease cannot write any more.

    Each raises `StaleWriteError`, and writes nothing, when the fence does not hold.
    """

    def record_progress(self, fence: Fence, progress: Progress) -> None:
        """Store and publish progress. The percentage never falls within an attempt."""
        values = asdict(progress)
        values["progress"] = min(values.pop("percent"), 100.0)
        with self.database.write(exclusive=False, durable=False) as unit:
            update_progress(unit, fence.generation_id, self.clock(), values, attempt=fence.attempt)

    def record_log(self, generation_id: str, key: str, size_bytes: int) -> None:
        """Store that a generation that has ended has a log. Nothing happens if it was deleted. Safe to repeat."""
        with self.database.write() as unit:
            query = select(GenerationRow).where(GenerationRow.id == generation_id)
            row = unit.session.exec(query).first()
            if row is None or unit.session.get(FileRow, f"log_{row.id}") is not None:
                return
            unit.session.add(
                FileRow(
                    id=f"log_{row.id}",
                    session_id=row.session_id,
                    generation_id=row.id,
                    kind="log",
                    key=key,
                    content_type="text/plain",
                    size_bytes=size_bytes,
                    created_at=self.clock(),
                )
            )

    def record_preview(self, fence: Fence, file: FileRow) -> None:
        """Store and publish a preview, which replaces the one before."""
        values = {"preview_file_id": file.id, "preview_version": col(GenerationRow.preview_version) + 1}
        with self.database.write(exclusive=False, durable=False) as unit:
            # The fence first: a deleted generation can have no file.
            update_running(unit, fence.generation_id, self.clock(), values, attempt=fence.attempt)
            file.session_id = unit.connection.execute(_owner_of(fence.generation_id)).scalar_one()
            unit.session.merge(file)

    def record_checkpoint(self, fence: Fence, checkpoint: dict[str, Any]) -> None:
        """Store where the next attempt may continue; an empty checkpoint means at the start. No event."""
        with self.database.write(exclusive=False) as unit:
            values = {
                "checkpoint": checkpoint or None,
                "checkpoint_progress": col(GenerationRow.progress) if checkpoint else 0.0,
                "checkpoint_step": col(GenerationRow.step) if checkpoint else 0,
            }
            update_running(unit, fence.generation_id, self.clock(), values, attempt=fence.attempt, publish=False)

    def record_cost(self, fence: Fence, cost: Cost) -> None:
        """Store what it costs, in place of what was stored before. No event."""
        with self.database.write(exclusive=False) as unit:
            values = {"cost": cost.model_dump()}
            update_running(unit, fence.generation_id, self.clock(), values, attempt=fence.attempt, publish=False)

    def park(self, fence: Fence, unknown: Unknown) -> None:
        """End the attempt; the generation stays `processing` in the stage `needs_attention`, without a worker.

        If its cancel was requested, it ends as cancelled.
        """
        now = self.clock()
        values = {
            "stage": NEEDS_ATTENTION,
            "message": unknown.message,
            "attention": unknown.known.model_dump(mode="json"),
            "lease_owner": None,
            "lease_until": 0.0,
            "eta_seconds": None,
        }
        with self.database.write() as unit:
            update_running(unit, fence.generation_id, now, values, attempt=fence.attempt)
            row = unit.session.exec(select(GenerationRow).where(GenerationRow.id == fence.generation_id)).one()
            if row.cancel_requested:
                cancel(unit, row, now, f"Cancelled. {MAY_BE_BILLED}")
            else:
                add_deliveries(unit, row, NEEDS_ATTENTION)
            update_queue_positions(unit, now, self.concurrency)

    def complete(self, fence: Fence, result: Result) -> None:
        """Store the result: status, files and terminal event in one transaction."""
        copied = ("width", "height", "fps", "duration_seconds", "has_audio")
        values = {name: getattr(result, name) for name in copied} | {
            "file_id": result.video.id,
            "poster_file_id": result.poster.id if result.poster else None,
            "size_bytes": result.video.size_bytes,
            "preview_file_id": None,
            "progress": 100.0,
            "step": col(GenerationRow.total_steps),
            "message": "",
            "estimated": False,
            "checkpoint": None,
        }
        if result.flagged is not None:
            values["flagged"] = result.flagged
        with self.database.write() as unit:
            row = transition(unit, fence.generation_id, Status.COMPLETED, self.clock(), values, attempt=fence.attempt)
            if result.measured is not None:
                record_run(unit, row, result.measured)
            for file in filter(None, (result.video, result.poster, *result.frames)):
                # Another one than when the attempt began, if its session was merged meanwhile.
                file.session_id = row.session_id
                unit.session.add(file)

    def fail(self, fence: Fence, code: str, message: str, *, retryable: bool) -> None:
        """End without a result; the code `cancelled` has a status of its own."""
        target = Status.CANCELLED if code == "cancelled" else Status.FAILED
        values = error_columns(code, message, retryable=retryable)
        with self.database.write() as unit:
            if code == ModerationRefusedError.code:
                # What was shown before there was a hook goes too; the cleanup removes files without a row.
                values |= {"preview_file_id": None}
                shown = col(FileRow.generation_id) == fence.generation_id, col(FileRow.kind) == "preview"
                unit.session.exec(delete(FileRow).where(*shown))
            transition(unit, fence.generation_id, target, self.clock(), values, attempt=fence.attempt)

    def cancel_requested(self, generation_id: str) -> bool:
        """Whether the owner has requested to cancel it."""
        query = select(GenerationRow.cancel_requested).where(GenerationRow.id == generation_id)
        with self.database.read(snapshot=False) as session:
            return bool(session.exec(query).first())
