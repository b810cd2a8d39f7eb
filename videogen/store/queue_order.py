"""The order of the queue: positions, expected times, and changes of the order by the owner."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

import sqlmodel
from sqlalchemy import Connection, func, or_, select, true, update
from sqlmodel import col

from videogen.core.errors import NotQueuedError
from videogen.core.text import searchable
from videogen.db.database import UnitOfWork
from videogen.db.tables import GenerationRow, SessionRow
from videogen.schemas.status import ENGINE_UNAVAILABLE, TERMINAL, Status
from videogen.store.base import BaseStore, get_owned, has_worker
from videogen.store.estimates import STEPS, Forecast, frames_of, kind_of, schedule
from videogen.store.permissions import top_up
from videogen.store.quotas import seconds_of, take_again
from videogen.store.transitions import update_queued

SESSION_RANK: Final = func.coalesce(col(GenerationRow.rank), col(GenerationRow.seq))
"""Orders the generations of one session: by submit, until the owner moves one."""
HAS_STARTED: Final = col(GenerationRow.attempt) > 0
PAUSED: Final = "paused"
"""The stage of what is queued in a paused queue."""
SLACK_SECONDS: Final = 2.0
SLACK_PART: Final = 0.1
"""A change of an expected time that is smaller than the larger of these two (seconds; part of it) is not published."""


def queue_order(without: Collection[str] = (), only: Collection[str] | None = None) -> Any:
    """Select the ids of the queued generations, in the order in which workers will claim those of each engine.

    First come those that lost their renderer. Then comes the first generation of every session, beginning with the
    session that was served longest ago, then the second of every session, and so on. In a paused queue only those come
    that have begun. Each engine has a queue of its own: what waits for one counts for no other.

    Args:
        without: ids of engines whose generations are left out.
        only: ids of the engines whose generations are selected; None for all.
    """
    return _queue_order(frozenset(without), None if only is None else frozenset(only))


def first_queued(without: Collection[str] = (), only: Collection[str] | None = None) -> Any:
    """Select the generation that is claimed next; see `queue_order`."""
    return _first_queued(frozenset(without), None if only is None else frozenset(only))


# Kept: building one of these statements costs more than running it.
@lru_cache
def _first_queued(without: frozenset[str], only: frozenset[str] | None) -> Any:
    next_id = queue_order(without, only).limit(1).scalar_subquery()
    return sqlmodel.select(GenerationRow).where(col(GenerationRow.id) == next_id)


@lru_cache
def _queue_order(without: frozenset[str], only: frozenset[str] | None) -> Any:
    engine = col(GenerationRow.engine)
    turn = func.row_number().over(
        partition_by=(col(GenerationRow.session_id), engine),
        order_by=(HAS_STARTED.desc(), SESSION_RANK),
    )
    queued = (
        select(
            col(GenerationRow.id),
            SESSION_RANK.label("rank"),
            col(GenerationRow.session_id),
            HAS_STARTED.label("has_started"),
            turn.label("turn"),
        )
        .where(col(GenerationRow.status) == Status.QUEUED, engine.not_in(sorted(without)))
        .where(true() if only is None else engine.in_(sorted(only)))
        .subquery()
    )
    return (
        select(queued.c.id)
        .join(SessionRow, col(SessionRow.id) == queued.c.session_id)
        .where(or_(queued.c.has_started, ~col(SessionRow.queue_paused)))
        .order_by(queued.c.has_started.desc(), queued.c.turn, col(SessionRow.last_served_at), queued.c.rank)
    )


def count_startable(connection: Connection) -> Counter[str]:
    """How many generations may start, by engine."""
    engines = select(col(GenerationRow.engine)).where(col(GenerationRow.id).in_(queue_order()))
    return Counter(connection.scalars(engines))


def update_queue_positions(unit: UnitOfWork, now: float, concurrency: Mapping[str, int]) -> None:
    """Compute positions and expected times of all that is queued, and append an event where they have changed.

    What a paused queue holds has neither. A position is one in the queue of its engine. Whatever changes what may start
    ends with this call: it adds the permissions to start as well.

    Args:
        concurrency: how many generations of each engine render at once, by its id.
    """
    unit.flush()
    rows = {row.id: row for row in unit.connection.execute(_QUEUED)}
    if not rows:
        return
    ids = list(unit.connection.scalars(queue_order()))
    served = set(ids)
    for generation_id, row in rows.items():
        if generation_id not in served and row.stage != PAUSED:
            update_queued(unit, generation_id, now, _UNKNOWN | {"stage": PAUSED})
    top_up(unit, Counter(rows[generation_id].engine for generation_id in ids))
    expectations = _expectations(unit, ids, rows, now, concurrency)
    positions: Counter[str] = Counter()
    for generation_id in ids:
        row, expected = rows[generation_id], expectations.get(generation_id)
        positions[row.engine] += 1
        position = positions[row.engine]
        if row.queue_position != position or _has_changed(row, expected, now):
            wait, end = expected or (None, None)
            values = {"queue_position": position, "expected_wait_seconds": wait, "eta_seconds": end}
            update_queued(unit, generation_id, now, values | ({"stage": "queued"} if row.stage == PAUSED else {}))


def _expectations(
    unit: UnitOfWork, ids: Sequence[str], rows: Mapping[str, Any], now: float, concurrency: Mapping[str, int]
) -> dict[str, tuple[float, float]]:
    """Seconds until the start and the end of each queued generation, by id; those that are not known are left out."""
    if any(row.stage == "waiting" for row in rows.values()):
        return {}  # the queue is held, and nobody knows for how long
    running: dict[str, list[float | None]] = defaultdict(list)
    for row in unit.connection.execute(_RUNNING):
        left = None if row.eta_seconds is None else row.eta_seconds - max(now - row.updated_at, 0.0)
        running[row.engine].append(left)
    queued: dict[str, dict[str, float | None]] = defaultdict(dict)
    forecast = Forecast(unit.connection)
    for row in (rows[generation_id] for generation_id in ids if rows[generation_id].stage != ENGINE_UNAVAILABLE):
        expected = forecast.expect(kind_of(row, row.steps), frames_of(row))
        # After a checkpoint only the rest remains.
        queued[row.engine][row.id] = None if expected is None else expected.rest(row.checkpoint_progress, 0.0)
    return {
        generation_id: (round(time[0], 1), round(time[1], 1))
        for engine, totals in queued.items()
        for generation_id, time in zip(
            totals, schedule(running[engine], list(totals.values()), concurrency.get(engine)), strict=True
        )
        if time is not None
    }


def _has_changed(row: Any, expected: tuple[float, float] | None, now: float) -> bool:
    """Whether a countdown of the times that were published last is wrong by now."""
    if expected is None or row.eta_seconds is None or row.expected_wait_seconds is None:
        return (expected is None) != (row.eta_seconds is None)
    elapsed = max(now - row.updated_at, 0.0)
    for before, after in zip((row.expected_wait_seconds, row.eta_seconds), expected, strict=True):
        if abs(max(before - elapsed, 0.0) - after) > max(SLACK_SECONDS, SLACK_PART * after):
            return True
    return False


def _reorder(unit: UnitOfWork, row: GenerationRow, before: str | None) -> None:
    """Move a queued generation before another one of its session, or with None to the end.

    The session's generations exchange their ranks, so that no other session waits longer or shorter. One that lost its
    renderer stays before the new ones. Where `before` is not queued any more, the generation becomes the first.
    """
    columns = (col(GenerationRow.id), SESSION_RANK.label("rank"), HAS_STARTED.label("has_started"))
    mine = (col(GenerationRow.session_id) == row.session_id, col(GenerationRow.status) == Status.QUEUED)
    queued = unit.connection.execute(select(*columns).where(*mine).order_by(HAS_STARTED.desc(), SESSION_RANK)).all()
    order = [other.id for other in queued if other.id != row.id]
    order.insert(len(order) if before is None else order.index(before) if before in order else 0, row.id)
    has_started = {other.id: bool(other.has_started) for other in queued}
    slots = [other for other in queued if has_started[other.id] == has_started[row.id]]
    ids = (generation_id for generation_id in order if has_started[generation_id] == has_started[row.id])
    for slot, generation_id in zip(slots, ids, strict=True):
        if slot.id != generation_id:
            change = update(GenerationRow).where(col(GenerationRow.id) == generation_id).values(rank=slot.rank)
            unit.connection.execute(change)


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
_UNKNOWN: Final = {"message": "", "queue_position": None, "expected_wait_seconds": None, "eta_seconds": None}
_NO_CHECKPOINT: Final = {"checkpoint": None, "checkpoint_progress": 0.0, "checkpoint_step": 0}
QUEUED_IDS: Final = select(col(GenerationRow.id)).where(col(GenerationRow.status) == Status.QUEUED)
_RUNNING: Final = select(
    col(GenerationRow.engine), col(GenerationRow.eta_seconds), col(GenerationRow.updated_at)
).where(has_worker())


class QueueOrderStore(BaseStore):
    """The order of the queue, and the published positions and times."""

    def update_expectations(self) -> None:
        """Publish new expected times to those that wait, where they have changed since they were last published."""
        with self.database.read() as session:
            waits = session.scalars(QUEUED_IDS.limit(1)).first() is not None
        if waits:
            with self.database.write() as unit:
                update_queue_positions(unit, self.clock(), self.concurrency)

    def move_generation(self, session_id: str, generation_id: str, before: str | None) -> GenerationRow:
        """Move a queued generation before another one of the same session, or with None to the end. Idempotent.

        If the other one has started in the meantime, the generation becomes the first of those that still wait.

        Raises:
            NotFoundError: one of the two is not this session's, or in the trash.
            NotQueuedError: it is not queued, or the other one has ended.
        """
        with self.database.write() as unit:
            row = get_owned(unit.session, session_id, generation_id)
            if row.status != Status.QUEUED:
                raise NotQueuedError
            if before is not None and before != generation_id:
                other = get_owned(unit.session, session_id, before)
                if other.status in TERMINAL:
                    raise NotQueuedError(f"The generation {before!r} has ended, so that nothing can come before it.")
            if before != generation_id:
                _reorder(unit, row, before)
                update_queue_positions(unit, self.clock(), self.concurrency)
                if row.stage == PAUSED:  # it has no position whose change would be published
                    update_queued(unit, row.id, self.clock(), {})
            unit.session.refresh(row)
            return row

    def edit_generation(
        self,
        session_id: str,
        generation_id: str,
        values: dict[str, Any],
        recipe_hash: str,
        quotas: Mapping[str, float] = MappingProxyType({}),
    ) -> GenerationRow | None:
        """Set columns of a queued generation, and publish it.

        Args:
            session_id: the owner.
            generation_id: the generation.
            values: all columns that come from the recipe, and others that the owner may change.
            recipe_hash: of the recipe that the new one was made from.
            quotas: see `Limits`.

        Returns:
            the generation; None where its recipe is another one by now, and nothing was changed.

        Raises:
            NotFoundError: it is not this session's, or in the trash.
            NotQueuedError: it is not queued.
            LimitExceededError: it is longer now than what is left of the quota.
        """
        now = self.clock()
        with self.database.write() as unit:
            row = get_owned(unit.session, session_id, generation_id)
            if row.status != Status.QUEUED:
                raise NotQueuedError
            if row.recipe_hash != recipe_hash:
                return None
            seconds = seconds_of(row.type, values.get("duration_seconds", row.duration_seconds))
            take_again(unit, row, seconds, quotas, now)
            text = searchable(values.get("title", row.title), values.get("prompt", row.prompt))
            # A checkpoint of another recipe is of no use.
            update_queued(unit, row.id, now, values | _NO_CHECKPOINT | {"search_text": text})
            update_queue_positions(unit, now, self.concurrency)
            unit.session.refresh(row)
            return row

    def pause_queue(self, session_id: str, *, paused: bool) -> None:
        """Pause the queue of a session, or let it go on. What is queued gets an event. Safe to repeat."""
        with self.database.write() as unit:
            change = update(SessionRow).where(col(SessionRow.id) == session_id, col(SessionRow.queue_paused) != paused)
            if unit.connection.execute(change.values(queue_paused=paused)).rowcount:
                update_queue_positions(unit, self.clock(), self.concurrency)

    def own_queue(self, session_id: str) -> tuple[bool, list[GenerationRow]]:
        """Whether a session's queue is paused, and what of it runs and waits, in the order of service."""
        mine = (col(GenerationRow.session_id) == session_id, col(GenerationRow.status).not_in(TERMINAL))
        order = (col(GenerationRow.status) == Status.QUEUED, HAS_STARTED.desc(), SESSION_RANK)
        with self.database.read() as session:
            owner = session.get(SessionRow, session_id)
            rows = session.scalars(select(GenerationRow).where(*mine).order_by(*order)).all()
            return owner is not None and owner.queue_paused, list(rows)
