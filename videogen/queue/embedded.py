"""The embedded queue: leases in the database that holds the generations."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, or_, update
from sqlmodel import col, select

from videogen.database import Database, UnitOfWork
from videogen.models import GenerationRow, SessionRow
from videogen.moves import cancelled, failure, move, not_before, queue_order, refresh_positions, restage
from videogen.schemas import Status


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to render one generation. `attempt` fences every write made under it."""

    generation_id: str
    session_id: str
    attempt: int
    recipe: dict[str, Any]
    checkpoint: dict[str, Any] | None
    progress: float


class EmbeddedQueue:
    """Claim, renew, give back. A lease that is not renewed in time passes to another worker."""

    def __init__(
        self,
        database: Database,
        *,
        lease_seconds: float = 10.0,
        max_attempts: int = 3,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._lease_seconds = lease_seconds
        self._max_attempts = max_attempts
        self._clock = clock
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
            self._take_over(unit, now, held)
            next_id = unit.connection.scalar(queue_order().limit(1))
            if next_id is None:
                return None
            values = {
                "attempt": col(GenerationRow.attempt) + 1,
                # It goes on from its checkpoint, so that this much of it is still true.
                "progress": col(GenerationRow.checkpoint_progress),
                "step": col(GenerationRow.checkpoint_step),
                "lease_owner": owner,
                "lease_until": now + self._lease_seconds,
                "started_at": func.coalesce(
                    col(GenerationRow.started_at), not_before(col(GenerationRow.created_at), now)
                ),
                "queue_position": None,
                "eta_seconds": None,
                "stage": "starting",
                "message": "",
            }
            row = move(unit, next_id, Status.PROCESSING, now, values)
            unit.connection.execute(
                update(SessionRow).where(col(SessionRow.id) == row.session_id).values(last_served_at=now)
            )
            refresh_positions(unit, now)
            return Lease(row.id, row.session_id, row.attempt, row.recipe, row.checkpoint, row.progress)

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
                refresh_positions(unit, self._clock())
        self.notify()

    def recover(self) -> int:
        """At start: queue again whatever was running when the last process ended; return how many.

        Only the one process that holds the data folder may call this.
        """
        with self._database.write() as unit:
            rows = unit.session.exec(select(GenerationRow).where(GenerationRow.status == Status.PROCESSING)).all()
            for row in rows:
                self._requeue(unit, row, "The server restarted.", count=False)
            # Whom a clock that was ahead has served "later" than now would have to wait until then.
            late = col(SessionRow.last_served_at) > self._clock()
            unit.connection.execute(update(SessionRow).where(late).values(last_served_at=self._clock()))
            refresh_positions(unit, self._clock())
            return len(rows)

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
            restage(unit, self._clock(), stage, message)

    def _take_over(self, unit: UnitOfWork, now: float, held: Collection[str]) -> None:
        expired = select(GenerationRow).where(
            GenerationRow.status == Status.PROCESSING,
            or_(
                col(GenerationRow.lease_until) < now,
                # Nobody gave a lease for so long: the clock was set back, and nobody has renewed it since.
                col(GenerationRow.lease_until) > now + 2 * self._lease_seconds,
            ),
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
            move(unit, row.id, Status.FAILED, now, values, attempt=row.attempt)
        else:
            values = _BACK | {"lost": lost, "message": f"{reason} It goes on from its last checkpoint."}
            move(unit, row.id, Status.QUEUED, now, values, attempt=row.attempt)


_BACK: Final = {"lease_owner": None, "lease_until": 0.0, "stage": "queued", "eta_seconds": None}
