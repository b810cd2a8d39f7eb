"""The embedded queue: leases in the database that holds the generations."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, update
from sqlmodel import col, select

from videogen.db.database import Database, UnitOfWork
from videogen.db.tables import GenerationRow, SessionRow
from videogen.schemas.status import Status
from videogen.store.estimates import Expected, expect_row
from videogen.store.queue_order import queue_order, update_queue_positions
from videogen.store.transitions import cancelled, failure, not_before, set_queue_stage, transition

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to render one generation. `attempt` fences every write made under it."""

    generation_id: str
    session_id: str
    attempt: int
    recipe: dict[str, Any]
    checkpoint: dict[str, Any] | None
    progress: float
    last: bool = False
    """Whether its loss would be one too many."""
    expected: Expected | None = None
    """What the whole render should take, where others like it were measured."""


class EmbeddedQueue:
    """Claim, renew, give back. A lease that is not renewed in time passes to another worker."""

    def __init__(
        self,
        database: Database,
        *,
        lease_seconds: float = 10.0,
        max_attempts: int = 3,
        workers: int | None = None,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make a queue.

        Args:
            database: holds the generations.
            lease_seconds: how long a lease holds without being renewed.
            max_attempts: how many renderers one generation may lose.
            workers: how many render at once, for what is told of the wait; None where nobody knows.
            clock: wall time, which leases are written in; it may be set, forwards and backwards.
            steady: a time that nobody sets, by which a jump of the wall clock is known.
        """
        self._database = database
        self._lease_seconds = lease_seconds
        self._max_attempts = max_attempts
        self._workers = workers
        self._clock, self._steady = clock, steady
        self._looked = clock(), steady()
        self._served: float | None = None
        """The newest `last_served_at`, once it was looked up."""
        self._changed = threading.Condition()
        self._version = 0

    def notify(self) -> None:
        """Wake those who wait for work."""
        with self._changed:
            self._version += 1
            self._changed.notify_all()

    def wait(self, seen: int, timeout: float) -> int:
        """Wait until something was notified after `seen`; return the number to wait for next."""
        with self._changed:
            self._changed.wait_for(lambda: self._version != seen, timeout)
            return self._version

    def claim(self, owner: str, held: Collection[str] = ()) -> Lease | None:
        """Take the next generation, or None. Two workers never get the same one.

        Args:
            owner: who asks.
            held: what `owner` still renders. After the whole process stood still (a laptop's sleep), these leases
                may have run out, but nobody is lost.
        """
        now = self._clock()
        with self._database.write() as unit:
            self._forgive_jump(unit, now)
            self._take_over(unit, now, held)
            unit.flush()
            first = self._first(unit)
            if first is None:
                return None
            expected = expect_row(unit, first)
            values = _STARTING | {
                "lease_owner": owner,
                "lease_until": now + self._lease_seconds,
                "started_at": func.coalesce(
                    col(GenerationRow.started_at), not_before(col(GenerationRow.created_at), now)
                ),
                "eta_seconds": None if expected is None else round(expected.rest(first.checkpoint_progress, 0.0), 1),
            }
            row = transition(unit, first.id, Status.PROCESSING, now, values)
            self._note_service(unit, row.session_id, now)
            update_queue_positions(unit, now, self._workers)
            last = row.lost + 1 >= self._max_attempts
            held_by = (row.id, row.session_id, row.attempt, row.recipe, row.checkpoint, row.progress)
            return Lease(*held_by, last, expected)

    def _first(self, unit: UnitOfWork) -> GenerationRow | None:
        first = queue_order().limit(1).scalar_subquery()
        return unit.session.exec(select(GenerationRow).where(col(GenerationRow.id) == first)).first()

    def renew(self, owner: str, generation_ids: Collection[str]) -> None:
        """Push back the expiry of those that `owner` holds and still renders; of all others the lease runs out."""
        with self._database.write() as unit:
            unit.connection.execute(
                update(GenerationRow)
                .where(
                    col(GenerationRow.lease_owner) == owner,
                    col(GenerationRow.status) == Status.PROCESSING,
                    col(GenerationRow.id).in_(generation_ids),
                )
                .values(lease_until=self._clock() + self._lease_seconds)
            )

    def lose(self, lease: Lease, reason: str, *, count: bool = True) -> None:
        """The renderer of this lease is gone: queue it again, or fail it when its attempts are used up.

        With `count=False` it was not the renderer's fault (the server is stopping), and it is never the last.
        """
        with self._database.write() as unit:
            held = select(GenerationRow).where(
                GenerationRow.id == lease.generation_id,
                GenerationRow.attempt == lease.attempt,
                GenerationRow.status == Status.PROCESSING,
            )
            row = unit.session.exec(held).first()
            if row is not None:
                self._requeue(unit, row, reason, count=count)
                update_queue_positions(unit, self._clock(), self._workers)
        self.notify()

    def recover(self) -> int:
        """At start: queue again whatever was running when the last process ended; return how many.

        Only the one process that holds the data folder may call this.
        """
        with self._database.write() as unit:
            rows = unit.session.exec(select(GenerationRow).where(GenerationRow.status == Status.PROCESSING)).all()
            for row in rows:
                self._requeue(unit, row, "The server restarted.", count=False)
            update_queue_positions(unit, self._clock(), self._workers)
            return len(rows)

    def foretell(self) -> None:
        """Tell those who wait when they should begin and end, where that has changed since they were told."""
        with self._database.read() as session:
            if (
                session.exec(select(GenerationRow.id).where(GenerationRow.status == Status.QUEUED).limit(1)).first()
                is None
            ):
                return
        with self._database.write() as unit:
            update_queue_positions(unit, self._clock(), self._workers)

    def hold(self, message: str) -> None:
        """Tell those who are queued why nothing begins."""
        self._restage("waiting", message)

    def release(self) -> None:
        """Tell them that the wait is over."""
        self._restage("queued", "")

    def _restage(self, stage: str, message: str) -> None:
        query = select(GenerationRow.id).where(GenerationRow.status == Status.QUEUED, GenerationRow.stage != stage)
        with self._database.read() as session:
            if session.exec(query.limit(1)).first() is None:
                return
        with self._database.write() as unit:
            set_queue_stage(unit, self._clock(), stage, message)
            update_queue_positions(unit, self._clock(), self._workers)

    def _forgive_jump(self, unit: UnitOfWork, now: float) -> None:
        """When the wall clock was set, or the machine slept, every lease holds for a full term from now.

        Set forwards, all of them would seem to have run out; set backwards, that of a dead worker would hold for as
        long as the clock was set back.
        """
        steady = self._steady()
        jump = (now - self._looked[0]) - (steady - self._looked[1])
        self._looked = now, steady
        if abs(jump) <= self._lease_seconds / 2:
            return
        logger.warning("The clock moved by %+.1f seconds beside its pace; all leases hold for a full term.", jump)
        unit.connection.execute(
            update(GenerationRow)
            .where(col(GenerationRow.status) == Status.PROCESSING)
            .values(lease_until=now + self._lease_seconds)
        )

    def _note_service(self, unit: UnitOfWork, session_id: str, now: float) -> None:
        """Send a session to the end of those that wait, also when the clock was set back since others were served."""
        if self._served is None:
            self._served = unit.connection.scalar(select(func.max(SessionRow.last_served_at))) or 0.0
        self._served = max(now, self._served + _TICK)
        unit.connection.execute(
            update(SessionRow).where(col(SessionRow.id) == session_id).values(last_served_at=self._served)
        )

    def _take_over(self, unit: UnitOfWork, now: float, held: Collection[str]) -> None:
        expired = select(GenerationRow).where(
            GenerationRow.status == Status.PROCESSING,
            col(GenerationRow.lease_until) < now,
            col(GenerationRow.id).not_in(held),
        )
        for row in unit.session.exec(expired).all():
            self._requeue(unit, row, "Its worker fell silent.", count=True)

    def _requeue(self, unit: UnitOfWork, row: GenerationRow, reason: str, *, count: bool) -> None:
        now = self._clock()
        lost = row.lost + count
        if row.cancel_requested:
            cancelled(unit, row, now, "Cancelled.")
        elif count and lost >= self._max_attempts:
            text = f"The renderer was lost {lost} times. {reason} Retry it, or try a smaller size."
            values = failure("worker_lost", text, retryable=True) | {"lost": lost}
            transition(unit, row.id, Status.FAILED, now, values, attempt=row.attempt)
        else:
            rest = "It goes on from its last checkpoint." if row.checkpoint else "It begins again."
            values = _BACK | {"lost": lost, "message": f"{reason} {rest}"}
            transition(unit, row.id, Status.QUEUED, now, values, attempt=row.attempt)


_STARTING: Final = {
    "attempt": col(GenerationRow.attempt) + 1,
    # It goes on from its checkpoint, so that this much of it is still true.
    "progress": col(GenerationRow.checkpoint_progress),
    "step": col(GenerationRow.checkpoint_step),
    "queue_position": None,
    "expected_wait_seconds": None,
    "stage": "starting",
    "message": "",
}
_BACK: Final = {"lease_owner": None, "lease_until": 0.0, "stage": "queued", "eta_seconds": None}
_TICK: Final = 0.001
