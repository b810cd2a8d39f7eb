"""The embedded queue: of one process, which decides alone about all leases."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection

from videogen.db.database import UnitOfWork
from videogen.db.tables import GenerationRow
from videogen.jobs.claims import LeasedQueue
from videogen.store import Store
from videogen.store.operator_state import end_drain
from videogen.store.queue_order import first_queued, update_queue_positions

logger = logging.getLogger(__name__)


class EmbeddedQueue(LeasedQueue):
    """The queue of one process. Its contract is `jobs.base.Queue`."""

    def __init__(
        self,
        store: Store,
        lease_seconds: float = 10.0,
        max_attempts: int = 3,
        *,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            store: holds the generations. Its clock may be set, forwards and backwards; leases are written in it.
            lease_seconds: how long a lease holds without being renewed.
            max_attempts: how many renderers one generation may lose.
            steady: a clock in seconds that nobody sets, to detect that the store's clock was set.
        """
        super().__init__(store, lease_seconds, max_attempts)
        self._steady = steady
        self._last_seen = self._clock(), steady()
        self._last_served: float | None = None
        """The newest `last_served_at` of all sessions, once it was read."""

    def recover(self) -> int:
        """Only the one process that holds the data folder may call this."""
        with self._database.write() as unit:
            end_drain(unit)
            count = self._requeue(unit, "The server restarted.", count=False)
            update_queue_positions(unit, self._clock(), self._concurrency)
            return count

    def supervise(self) -> None:
        """Nobody else has leases: each claim looks for those that have expired."""

    def _lease_clock(self) -> float:
        return self._clock()

    def _begin_claim(self, unit: UnitOfWork, now: float, held: Collection[str]) -> int:
        self._renew_after_clock_jump(unit, now)
        return super()._begin_claim(unit, now, held)

    def _next_row(self, unit: UnitOfWork, full: Collection[str]) -> GenerationRow | None:
        row: GenerationRow | None = unit.session.exec(first_queued(full)).first()
        return row

    def _last_service(self, unit: UnitOfWork) -> float:
        if self._last_served is None:
            self._last_served = super()._last_service(unit)
        return self._last_served

    def _record_service(self, unit: UnitOfWork, session_id: str, now: float) -> float:
        self._last_served = super()._record_service(unit, session_id, now)
        return self._last_served

    def _renew_after_clock_jump(self, unit: UnitOfWork, now: float) -> None:
        """Give every lease a full term from now, if the clock was set or the machine was suspended.

        After a jump forwards all leases would seem to have expired. After a jump backwards the lease of a dead worker
        would hold for as long as the jump.
        """
        steady = self._steady()
        jump = (now - self._last_seen[0]) - (steady - self._last_seen[1])
        self._last_seen = now, steady
        if abs(jump) <= self._lease_seconds / 2:
            return
        logger.warning("The clock jumped by %+.1f seconds; all leases hold for a full term.", jump)
        self._extend(unit)
