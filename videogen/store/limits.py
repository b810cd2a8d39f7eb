"""How many generations may be queued or running."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import func, select
from sqlmodel import col

from videogen.core.errors import Limit, LimitExceededError
from videogen.db.database import UnitOfWork
from videogen.db.tables import GenerationRow
from videogen.schemas.status import ENGINE_UNAVAILABLE, NEEDS_ATTENTION, TERMINAL, Status
from videogen.store.queue_order import PAUSED
from videogen.store.quotas import take

_ACTIVE: Final = tuple(status for status in Status if status not in TERMINAL)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many generations may be queued or running in one session and from one address, and queued in all."""

    per_session: int
    per_address: int
    queue: int
    quotas: Mapping[str, float] = field(default_factory=dict)
    """Seconds of video that one session or address may have of an engine in 24 hours, by its id."""


def admit(unit: UnitOfWork, rows: Sequence[GenerationRow], limits: Limits, now: float) -> None:
    """Check that these, all of one session, address and engine, may be queued as well, and count them for its quota.

    Raises:
        LimitExceededError: a limit is reached.
    """
    # What is paused, or waits for an engine that cannot render, takes no worker's time. It must not fill the queue for
    # everybody else.
    waits = (col(GenerationRow.status) == Status.QUEUED, col(GenerationRow.stage).not_in((PAUSED, ENGINE_UNAVAILABLE)))
    same = [col(getattr(GenerationRow, name)) == getattr(rows[0], name) for name in ("session_id", "address_hash")]
    counts = [func.count().filter(one, col(GenerationRow.stage) != NEEDS_ATTENTION) for one in same]
    query = select(*counts, func.count().filter(*waits)).where(col(GenerationRow.status).in_(_ACTIVE))
    *active, waiting = unit.connection.execute(query).one()
    added = len(rows)
    for scope, count in zip(("session", "address"), active, strict=True):
        limit = getattr(limits, f"per_{scope}")
        if count + added > limit:
            raise LimitExceededError(
                f"At most {limit} generations of one {scope} may be queued or running "
                f"(VIDEOGEN_MAX_ACTIVE_PER_{scope.upper()}), {count} are. "
                "Wait until one has ended, or cancel one.",
                limit=Limit(f"active_per_{scope}", limit, count),
            )
    if waiting + added > limits.queue:
        raise LimitExceededError(
            f"The queue is full: {waiting} of {limits.queue} places are taken (VIDEOGEN_MAX_QUEUE). Try again later.",
            30,
            Limit("queue", limits.queue, waiting),
        )
    take(unit, rows, limits.quotas, now)
