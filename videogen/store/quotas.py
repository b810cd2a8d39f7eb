"""Quotas: seconds of video that one session, and one address, may have of an engine in 24 hours.

The window moves on with the time: what was submitted counts for 24 hours, then it is free again. No hour of the day is
better than another, and nobody's time zone matters.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import delete, select
from sqlmodel import col

from videogen.core.errors import Limit, LimitExceededError
from videogen.db.database import UnitOfWork
from videogen.db.tables import GenerationRow, QuotaRow
from videogen.store.base import BaseStore

WINDOW_SECONDS: Final = 24 * 3600
IMAGE_SECONDS: Final = 1.0
"""An image counts as a video of this length."""
_ROUNDING: Final = 1e-6


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """What counts now."""

    seconds: float = 0.0
    resets_at: float | None = None
    """When the oldest part of it stops to count, in seconds since the epoch; None: there is none."""


def seconds_of(kind: str, duration_seconds: float) -> float:
    """What a generation of this type and length takes of a quota."""
    return IMAGE_SECONDS if kind == "image" else duration_seconds


def take(unit: UnitOfWork, rows: Sequence[GenerationRow], quotas: Mapping[str, float], now: float) -> None:
    """Count a submit, in its own transaction: two at the same time never get more than there is.

    Args:
        rows: all of one session, one address and one engine.
        quotas: seconds by engine id; an engine that is not in it has no limit.

    Raises:
        LimitExceededError: it is more than is left.
    """
    taken = [
        QuotaRow(
            generation_id=row.id,
            session_id=row.session_id,
            address_hash=row.address_hash,
            engine=row.engine,
            seconds=seconds_of(row.type, row.duration_seconds),
            at=now,
        )
        for row in rows
    ]
    if taken and taken[0].engine in quotas:
        _check(unit, taken, quotas[taken[0].engine], now)
        unit.session.add_all(taken)


def take_again(unit: UnitOfWork, row: GenerationRow, seconds: float, quotas: Mapping[str, float], now: float) -> None:
    """Count a queued generation with another length.

    Raises:
        LimitExceededError: it is more than is left.
    """
    known = unit.session.get(QuotaRow, row.id)
    if known is None or known.seconds == seconds:
        return
    added = QuotaRow(**known.model_dump() | {"seconds": seconds})
    if seconds > known.seconds and row.engine in quotas:
        _check(unit, [added], quotas[row.engine], now)
    known.seconds = seconds
    unit.session.add(known)


def give_back(unit: UnitOfWork, generation_id: str) -> None:
    """Count a generation no longer: it has ended before anything was rendered."""
    unit.connection.execute(delete(QuotaRow).where(col(QuotaRow.generation_id) == generation_id))


def _check(unit: UnitOfWork, taken: Sequence[QuotaRow], limit: float, now: float) -> None:
    added, own = sum(row.seconds for row in taken), [row.generation_id for row in taken]
    for scope, column in (("session", "session_id"), ("address", "address_hash")):
        if (owner := getattr(taken[0], column)) is None:
            continue
        same = (col(getattr(QuotaRow, column)) == owner, col(QuotaRow.engine) == taken[0].engine)
        query = select(col(QuotaRow.at), col(QuotaRow.seconds)).where(*same, col(QuotaRow.generation_id).not_in(own))
        uses = unit.connection.execute(query.where(_counts(now)).order_by(col(QuotaRow.at))).all()
        used = math.fsum(seconds for _, seconds in uses)
        if used + added > limit + _ROUNDING:
            raise _refusal(scope, [tuple(use) for use in uses], added, limit, now)


def _refusal(scope: str, uses: Sequence[Any], added: float, limit: float, now: float) -> LimitExceededError:
    """The error, with the time when so much is free that the same request fits."""
    used = math.fsum(seconds for _, seconds in uses)
    free_at, left = now, limit - used
    for at, seconds in uses:
        if left + _ROUNDING >= added:
            break
        free_at, left = at + WINDOW_SECONDS, left + seconds
    wait = max(1, math.ceil(free_at - now))
    what = "Ask for less." if added > limit + _ROUNDING else f"There is enough again in {_rough(wait)}."
    return LimitExceededError(
        f"This asks for {added:g} seconds, and {max(0.0, limit - used):g} of {limit:g} are left for one {scope} in 24 "
        f"hours (VIDEOGEN_QUOTA_SECONDS_PER_DAY, or quota_seconds_per_day of the engine). {what}",
        wait,
        Limit(f"quota_per_{scope}", limit, used, WINDOW_SECONDS),
    )


def _rough(seconds: int) -> str:
    if seconds < 100:
        return f"{seconds} seconds"
    return f"{math.ceil(seconds / 60)} minutes" if seconds < 6000 else f"{math.ceil(seconds / 3600)} hours"


def _counts(now: float) -> Any:
    return col(QuotaRow.at) > now - WINDOW_SECONDS


class QuotaStore(BaseStore):
    """What counts of quotas."""

    def quota_uses(self, session_id: str, address_hash: str, engines: Collection[str]) -> dict[str, QuotaUse]:
        """What counts for a session or for its address, whichever is more, by engine id."""
        now, found = self.clock(), dict.fromkeys(engines, QuotaUse())
        columns = (col(QuotaRow.engine), col(QuotaRow.at), col(QuotaRow.seconds))
        for same in (col(QuotaRow.session_id) == session_id, col(QuotaRow.address_hash) == address_hash):
            query = select(*columns).where(same, col(QuotaRow.engine).in_(engines), _counts(now))
            with self.database.read() as session:
                rows = session.connection().execute(query).all()
            for engine in engines:
                uses = [(at, seconds) for name, at, seconds in rows if name == engine]
                total = math.fsum(seconds for _, seconds in uses)
                if total > found[engine].seconds:
                    found[engine] = QuotaUse(total, min(at for at, _ in uses) + WINDOW_SECONDS)
        return found
