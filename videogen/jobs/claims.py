"""What both queues have in common: the leases are columns of the generations, and each change is one transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, func, update
from sqlmodel import col, select

from videogen.db.database import UnitOfWork
from videogen.db.tables import GenerationRow, SessionRow
from videogen.jobs.base import Lease
from videogen.schemas.status import Status
from videogen.store import Fence, Outcome, Result, Store, Unknown
from videogen.store.base import has_worker
from videogen.store.estimates import expect_row
from videogen.store.operator_state import is_held
from videogen.store.queue_order import update_queue_positions
from videogen.store.transitions import cancel, error_columns, not_before, transition


class LeasedQueue:
    """A queue whose leases are columns of the generations. Its contract is `jobs.base.Queue`.

    A subclass decides in which clock the leases are written, and which generation may start.
    """

    def __init__(self, store: Store, lease_seconds: float, max_attempts: int) -> None:
        """
        Args:
            store: holds the generations.
            lease_seconds: how long a lease holds without being renewed.
            max_attempts: how many renderers one generation may lose.
        """
        self._store, self._database = store, store.database
        self._clock, self._concurrency = store.clock, store.concurrency
        self._lease_seconds, self._max_attempts = lease_seconds, max_attempts
        self._cancel_callbacks: list[Callable[[str], None]] = []
        self._changed = threading.Condition()
        self._version = 0

    def withdraw(self) -> None:
        """Nobody else knows of this process, where a subclass does not say otherwise."""

    # What a subclass defines

    def _lease_clock(self) -> Any:
        """The time in the clock of the leases: seconds, or SQL for them."""
        raise NotImplementedError

    def _begin_claim(self, unit: UnitOfWork, now: float, held: Collection[str]) -> int:
        """Take back the leases that have expired, but those in `held`; return how many."""
        return self._requeue(unit, EXPIRED, self._is_expired(), col(GenerationRow.id).not_in(held), count=True)

    def _next_row(self, unit: UnitOfWork, full: Collection[str]) -> GenerationRow | None:
        """The generation that starts next, of all engines but those in `full`."""
        raise NotImplementedError

    def _last_service(self, unit: UnitOfWork) -> float:
        """The newest `last_served_at` of all sessions."""
        return unit.connection.scalar(select(func.max(SessionRow.last_served_at))) or 0.0

    # What is the same in all

    def notify(self) -> None:
        with self._changed:
            self._version += 1
            self._changed.notify_all()

    def wait(self, seen: int, timeout: float) -> int:
        with self._changed:
            self._changed.wait_for(lambda: self._version != seen, timeout)
            return self._version

    def cancel(self, generation_id: str) -> None:
        for callback in self._cancel_callbacks:
            callback(generation_id)

    def watch_cancels(self, callback: Callable[[str], None]) -> None:
        self._cancel_callbacks.append(callback)

    def finish(self, lease: Lease, outcome: Outcome) -> None:
        fence = Fence(lease.generation_id, lease.attempt)
        if isinstance(outcome, Result):
            self._store.complete(fence, outcome)
        elif isinstance(outcome, Unknown):
            self._store.park(fence, outcome)
        else:
            self._store.fail(fence, outcome.code, outcome.message, retryable=outcome.retryable)

    def claim(self, owner: str, held: Collection[str] = (), without: Collection[str] = ()) -> Lease | None:
        return next(iter(self._claim(owner, held, dict.fromkeys(without, 0), 1)), None)

    def claim_all(self, owner: str, slots: Mapping[str, int], held: Collection[str] = ()) -> list[Lease]:
        return self._claim(owner, held, dict(slots), CLAIMS_AT_ONCE)

    def _claim(
        self, owner: str, held: Collection[str], slots: dict[str, int], limit: int, *, expired: bool = True
    ) -> list[Lease]:
        """Claim up to `limit` generations in one transaction; `slots` is counted down.

        Without `expired` it takes back no leases.
        """
        now, leases = self._clock(), list[Lease]()
        with self._database.write() as unit:
            lost = self._begin_claim(unit, now, held) if expired else 0
            unit.flush()
            held_back = is_held(unit)
            while len(leases) < limit and not held_back:
                full = [engine for engine, count in slots.items() if count <= 0]
                # The order is read anew: each claim changes which session is next.
                if (row := self._next_row(unit, full)) is None:
                    break
                lease = self._claim_row(unit, row, owner, now)
                leases.append(lease)
                if lease.engine in slots:
                    slots[lease.engine] -= 1
            if lost or leases:
                # Once for all: each time, everything that still waits gets an event.
                update_queue_positions(unit, now, self._concurrency)
        return leases

    def _claim_row(self, unit: UnitOfWork, first: GenerationRow, owner: str, now: float) -> Lease:
        expected = expect_row(unit, first)
        values = _CLAIMED | {
            "lease_owner": owner,
            "lease_until": self._lease_clock() + self._lease_seconds,
            "started_at": func.coalesce(col(GenerationRow.started_at), not_before(col(GenerationRow.created_at), now)),
            "eta_seconds": None if expected is None else round(expected.rest(first.checkpoint_progress, 0.0), 1),
        }
        row = transition(unit, first.id, Status.PROCESSING, now, values)
        self._record_service(unit, row.session_id, now)
        last = row.lost + 1 >= self._max_attempts
        fields = (row.id, row.session_id, row.attempt, row.recipe, row.checkpoint, row.progress)
        return Lease(*fields, last=last, expected=expected, engine=row.engine)

    def renew(self, owner: str, generation_ids: Collection[str]) -> None:
        with self._database.write(exclusive=False) as unit:
            self._extend(unit, col(GenerationRow.lease_owner) == owner, col(GenerationRow.id).in_(generation_ids))

    def lose(self, lease: Lease, reason: str, *, count: bool = True) -> None:
        with self._database.write() as unit:
            held = col(GenerationRow.id) == lease.generation_id, col(GenerationRow.attempt) == lease.attempt
            if self._requeue(unit, reason, *held, count=count):
                update_queue_positions(unit, self._clock(), self._concurrency)
        self.notify()

    def _is_expired(self) -> ColumnElement[bool]:
        expired: ColumnElement[bool] = col(GenerationRow.lease_until) < self._lease_clock()
        return expired

    def _extend(self, unit: UnitOfWork, *conditions: ColumnElement[bool]) -> None:
        """Give the leases that meet all conditions a full term from now."""
        leased = update(GenerationRow).where(has_worker(), *conditions)
        unit.connection.execute(leased.values(lease_until=self._lease_clock() + self._lease_seconds))

    def _record_service(self, unit: UnitOfWork, session_id: str, now: float) -> float:
        """Note that this session was served last, even if the clock was set back since others were served."""
        last = max(now, self._last_service(unit) + _TICK)
        served = update(SessionRow).where(col(SessionRow.id) == session_id)
        unit.connection.execute(served.values(last_served_at=last))
        return last

    def _requeue(self, unit: UnitOfWork, reason: str, *conditions: ColumnElement[bool], count: bool) -> int:
        """End the attempts that meet all conditions, and return how many those were."""
        rows = unit.session.exec(select(GenerationRow).where(has_worker(), *conditions)).all()
        for row in rows:
            self._end_attempt(unit, row, reason, count=count)
        return len(rows)

    def _end_attempt(self, unit: UnitOfWork, row: GenerationRow, reason: str, *, count: bool) -> None:
        now = self._clock()
        lost = row.lost + count
        if row.cancel_requested:
            cancel(unit, row, now, "Cancelled.")
        elif count and lost >= self._max_attempts:
            text = f"The renderer was lost {lost} times. {reason} Retry it, or try a smaller size."
            values = error_columns("worker_lost", text, retryable=True) | {"lost": lost}
            transition(unit, row.id, Status.FAILED, now, values, attempt=row.attempt)
        else:
            rest = "It continues from its last checkpoint." if row.checkpoint else "It starts again."
            values = _REQUEUED | {"lost": lost, "message": f"{reason} {rest}"}
            transition(unit, row.id, Status.QUEUED, now, values, attempt=row.attempt)


_CLAIMED: Final = {
    "attempt": col(GenerationRow.attempt) + 1,
    # It continues from its checkpoint.
    "progress": col(GenerationRow.checkpoint_progress),
    "step": col(GenerationRow.checkpoint_step),
    "queue_position": None,
    "expected_wait_seconds": None,
    "stage": "starting",
    "message": "",
    "estimated": False,
}
_REQUEUED: Final = {"lease_owner": None, "lease_until": 0.0, "stage": "queued", "eta_seconds": None}
_TICK: Final = 0.001
EXPIRED: Final = "Its worker stopped responding."
CLAIMS_AT_ONCE: Final = 50
"""So many claims are one transaction at most: other writes wait for its end."""
