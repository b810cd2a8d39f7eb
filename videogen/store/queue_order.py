"""The line of those who wait: its order, the place of each, when each should begin and end, and changes of places."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import func, select, update
from sqlmodel import col

from videogen.core.errors import NotFoundError, NotQueuedError
from videogen.db.database import UnitOfWork
from videogen.db.tables import GenerationRow, SessionRow
from videogen.schemas.status import Status
from videogen.store.base import BaseStore
from videogen.store.estimates import STEPS, Forecast, frames_of, kind_of, schedule
from videogen.store.events import append_event
from videogen.store.transitions import set_queue_stage, set_queued

RANK: Final = func.coalesce(col(GenerationRow.rank), col(GenerationRow.seq))
"""A generation's place among its own session's: that of its submit, until its owner changes it."""
BEGUN: Final = col(GenerationRow.attempt) > 0
SLACK_SECONDS: Final = 2.0
SLACK_PART: Final = 0.1
"""An expectation that has changed by less than both is not told again."""


def queue_order() -> Any:
    """Select the ids of what is queued, in the order in which it will be served.

    What had begun before it lost its renderer goes on before anything new begins. Then comes every session's first job
    (who was served longest ago comes first), then every session's second, ...
    """
    turn = func.row_number().over(partition_by=col(GenerationRow.session_id), order_by=(BEGUN.desc(), RANK))
    queued = (
        select(
            col(GenerationRow.id),
            RANK.label("rank"),
            col(GenerationRow.session_id),
            BEGUN.label("begun"),
            turn.label("turn"),
        )
        .where(col(GenerationRow.status) == Status.QUEUED)
        .subquery()
    )
    return (
        select(queued.c.id)
        .join(SessionRow, col(SessionRow.id) == queued.c.session_id)
        .order_by(queued.c.begun.desc(), queued.c.turn, col(SessionRow.last_served_at), queued.c.rank)
    )


def update_queue_positions(unit: UnitOfWork, now: float, workers: int | None) -> None:
    """Bring places and expectations up to date, and tell those for whom they have changed."""
    unit.flush()
    ids = list(unit.connection.scalars(queue_order()))
    if not ids:
        return
    rows = {row.id: row for row in unit.connection.execute(_QUEUED)}
    for place, (generation_id, expected) in enumerate(
        zip(ids, _expectations(unit, ids, rows, now, workers), strict=True)
    ):
        row = rows[generation_id]
        if row.queue_position != place + 1 or _is_news(row, expected, now):
            wait, end = expected or (None, None)
            values = {"queue_position": place + 1, "expected_wait_seconds": wait, "eta_seconds": end}
            append_event(unit, set_queued(unit, generation_id, now, values))


def _expectations(
    unit: UnitOfWork, ids: list[str], rows: dict[str, Any], now: float, workers: int | None
) -> list[tuple[float, float] | None]:
    if any(row.stage == "waiting" for row in rows.values()):
        return [None] * len(ids)  # nothing begins, and nobody knows for how long
    running = [
        None if row.eta_seconds is None else row.eta_seconds - max(now - row.updated_at, 0.0)
        for row in unit.connection.execute(_RUNNING)
    ]
    forecast = Forecast(unit)
    totals: list[float | None] = []
    for row in (rows[generation_id] for generation_id in ids):
        found = forecast.expect(kind_of(row, row.steps), frames_of(row))
        # What goes on from a checkpoint has the rest to do.
        totals.append(None if found is None else found.rest(row.checkpoint_progress, 0.0))
    told = schedule(running, totals, workers)
    return [None if one is None else (round(one[0], 1), round(one[1], 1)) for one in told]


def _is_news(row: Any, expected: tuple[float, float] | None, now: float) -> bool:
    """Whether somebody who counts down what was told last is wrong by now."""
    if expected is None or row.eta_seconds is None or row.expected_wait_seconds is None:
        return (expected is None) != (row.eta_seconds is None)
    passed = max(now - row.updated_at, 0.0)
    for before, after in zip((row.expected_wait_seconds, row.eta_seconds), expected, strict=True):
        if abs(max(before - passed, 0.0) - after) > max(SLACK_SECONDS, SLACK_PART * after):
            return True
    return False


def reorder(unit: UnitOfWork, row: GenerationRow, before: str | None) -> None:
    """Give a queued generation another place among those of its own session.

    The places that the session has in the line stay the same: only who stands in which of them changes, so that no
    other session waits longer or shorter. What had begun goes on before anything new, and keeps its turn.

    Args:
        row: what is moved; it is queued.
        before: the id of what it should come before, one of the same session that is queued; None: after all others.
    """
    unit.flush()
    own = select(col(GenerationRow.id), RANK.label("rank"), BEGUN.label("begun")).where(
        col(GenerationRow.session_id) == row.session_id, col(GenerationRow.status) == Status.QUEUED
    )
    line = unit.connection.execute(own.order_by(BEGUN.desc(), RANK)).all()
    order = [one.id for one in line if one.id != row.id]
    order.insert(len(order) if before is None else order.index(before), row.id)
    begun = {one.id: bool(one.begun) for one in line}
    same = [one for one in line if bool(one.begun) == begun[row.id]]
    for place, generation_id in zip(same, (one for one in order if begun[one] == begun[row.id]), strict=True):
        if place.id != generation_id:
            unit.connection.execute(
                update(GenerationRow).where(col(GenerationRow.id) == generation_id).values(rank=place.rank)
            )


def first_of(unit: UnitOfWork, session_id: str) -> str:
    """The id of what a session waits for first. It waits for something."""
    own = select(col(GenerationRow.id)).where(
        col(GenerationRow.session_id) == session_id, col(GenerationRow.status) == Status.QUEUED
    )
    return str(unit.connection.scalars(own.order_by(BEGUN.desc(), RANK).limit(1)).one())


_QUEUED: Final = select(
    *(
        getattr(GenerationRow, name)
        for name in (
            *("id", "engine", "engine_version", "type", "width", "height", "duration_seconds", "fps"),
            *("stage", "checkpoint_progress", "queue_position", "expected_wait_seconds", "eta_seconds", "updated_at"),
        )
    ),
    STEPS.label("steps"),
).where(col(GenerationRow.status) == Status.QUEUED)
_RUNNING: Final = select(col(GenerationRow.eta_seconds), col(GenerationRow.updated_at)).where(
    col(GenerationRow.status) == Status.PROCESSING
)


class QueueOrderStore(BaseStore):
    """The order of the queue, and what its owners are told of it."""

    def update_expectations(self) -> None:
        """Publish new expected times to those that wait, where they have changed since they were last published."""
        if self._any_queued():
            with self.database.write() as unit:
                update_queue_positions(unit, self.clock(), self.workers)

    def hold_queue(self, message: str) -> None:
        """Show all that is queued why nothing starts. Nothing is written where it is shown already."""
        self._set_stage("waiting", message)

    def release_queue(self) -> None:
        """Undo `hold_queue`."""
        self._set_stage("queued", "")

    def _set_stage(self, stage: str, message: str) -> None:
        if self._any_queued(GenerationRow.stage != stage):
            with self.database.write() as unit:
                set_queue_stage(unit, self.clock(), stage, message)
                update_queue_positions(unit, self.clock(), self.workers)

    def _any_queued(self, *conditions: Any) -> bool:
        query = select(col(GenerationRow.id)).where(col(GenerationRow.status) == Status.QUEUED, *conditions)
        with self.database.read() as session:
            return session.scalars(query.limit(1)).first() is not None

    def move_generation(self, session_id: str, generation_id: str, before: str | None) -> GenerationRow:
        """Put a queued generation before another one of the same session, or with None after all of them.

        Again is nothing. One write decides with every claim who was first: what has begun is not moved any more.
        Before one that has begun in the meantime means first of those that still wait.

        Raises:
            NotFoundError: one of the two is not this session's.
            NotQueuedError: it does not wait any more, or the other one has ended.
        """
        with self.database.write() as unit:
            row = _own(unit, session_id, generation_id)
            if row.status != Status.QUEUED:
                raise NotQueuedError
            target = before
            if before is not None and before != generation_id:
                other = _own(unit, session_id, before)
                if other.status == Status.PROCESSING:
                    target = first_of(unit, session_id)
                elif other.status != Status.QUEUED:
                    raise NotQueuedError(f"The generation {before!r} has ended, so that nothing can come before it.")
            if target != generation_id:
                reorder(unit, row, target)
                update_queue_positions(unit, self.clock(), self.workers)
            unit.session.refresh(row)
            return row


def _own(unit: UnitOfWork, session_id: str, generation_id: str) -> GenerationRow:
    query = select(GenerationRow).where(
        col(GenerationRow.id) == generation_id, col(GenerationRow.session_id) == session_id
    )
    row = unit.session.scalars(query).first()
    if row is None:
        raise NotFoundError
    return row
