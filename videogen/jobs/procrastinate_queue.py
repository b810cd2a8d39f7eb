"""The queue of any number of processes on PostgreSQL.

A job of procrastinate is the permission to start one generation on the queue of its engine (`store.permissions`).
Which one starts is decided when the permission is used: by the order of the embedded queue, in one transaction with the
claim. Leases are in the clock of the database, because those of the hosts may differ.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any

from sqlalchemy import Connection, update
from sqlmodel import Session, col, select

from videogen.core.security import new_id
from videogen.db.database import UnitOfWork
from videogen.db.tables import GenerationRow
from videogen.jobs.base import Lease
from videogen.jobs.claims import LeasedQueue
from videogen.store import Store
from videogen.store.base import database_clock, has_worker
from videogen.store.permissions import CANCEL, START, end_unused, missing, queue_name, top_up, use, waiting
from videogen.store.queue_order import count_startable, first_queued, update_queue_positions
from videogen.store.workers import Offer

logger = logging.getLogger(__name__)


class ProcrastinateQueue(LeasedQueue):
    """One process's part of the common queue. Its contract is `jobs.base.Queue`."""

    def __init__(
        self,
        store: Store,
        lease_seconds: float = 10.0,
        max_attempts: int = 3,
        *,
        engines: Collection[str] | None = None,
        lease_clock: Callable[[], Any] = database_clock,
    ) -> None:
        """
        Args:
            store: holds the generations.
            lease_seconds: how long a lease holds without being renewed.
            max_attempts: how many renderers one generation may lose.
            engines: ids of the engines whose generations this process takes; None for all.
            lease_clock: the clock that all processes have in common, in seconds.
        """
        super().__init__(store, lease_seconds, max_attempts)
        self._engines, self._common_clock = engines, lease_clock
        self.offers: Mapping[str, Offer] = {}
        """What this process renders; it is announced with each renewal."""
        self._id = new_id("wrk")
        self._names = None if engines is None else frozenset(map(queue_name, engines))
        self._database.subscribe(START, self._on_start)
        self._database.subscribe(CANCEL, self._on_cancel)

    def _on_start(self, name: str) -> None:
        """Wake the workers for new permissions of a queue, or for whatever there may be."""
        if not name or self._names is None or name in self._names:
            self.notify()

    def _on_cancel(self, generation_id: str) -> None:
        # A cancel of which no signal came is seen at the next renewal.
        if generation_id:
            self.cancel(generation_id)

    def recover(self) -> int:
        """Queue nothing: others may be rendering. What a dead worker has left is taken back when its lease expires."""
        if self.offers:
            self._store.announce(self._id, self.offers, begins=True)
        return 0

    def withdraw(self) -> None:
        """Announce that this process renders nothing more."""
        if self.offers:
            self._store.withdraw(self._id)

    def renew(self, owner: str, generation_ids: Collection[str]) -> None:
        """Also passes on the cancels of which no signal came."""
        if self.offers:
            self._store.announce(self._id, self.offers)
        held = has_worker(), col(GenerationRow.lease_owner) == owner, col(GenerationRow.id).in_(generation_ids)
        leased = update(GenerationRow).where(*held).values(lease_until=self._lease_clock() + self._lease_seconds)
        with self._database.write(exclusive=False) as unit:
            rows = unit.connection.execute(
                leased.returning(col(GenerationRow.id), col(GenerationRow.cancel_requested))
            ).all()
        for generation_id, cancel_requested in rows:
            if cancel_requested:
                self.cancel(generation_id)

    def supervise(self) -> None:
        """Take back expired leases, and add permissions that are missing.

        Every worker looks, and the first one acts: the lock of the write is all that is needed. It ends with its
        transaction, so that a worker that is frozen does not keep the others from it.
        """
        if not self._needs_supervision():
            return
        with self._database.write() as unit:
            if not self._begin_claim(unit, self._clock(), ()):
                logger.warning("Permissions to start were missing; there are %s.", waiting(unit.connection))
            update_queue_positions(unit, self._clock(), self._concurrency)

    def _needs_supervision(self) -> bool:
        with self._database.read() as session:
            if self._any_expired(session):
                return True
            connection = session.connection()
            return bool(missing(connection, count_startable(connection)))

    def _lease_clock(self) -> Any:
        return self._common_clock()

    def _any_expired(self, session: Session, held: Collection[str] = ()) -> bool:
        expired = select(GenerationRow.id).where(has_worker(), self._is_expired(), col(GenerationRow.id).not_in(held))
        return session.exec(expired.limit(1)).first() is not None

    def _claim(
        self, owner: str, held: Collection[str], slots: dict[str, int], limit: int, *, expired: bool = True
    ) -> list[Lease]:
        # A look that no other process waits for.
        with self._database.read(snapshot=False) as session:
            expired = expired and self._any_expired(session, held)
            full = [engine for engine, count in slots.items() if count <= 0]
            if not expired and not self._is_permitted(session.connection(), full):
                return []
        return super()._claim(owner, held, slots, limit, expired=expired)

    def _is_permitted(self, connection: Connection, full: Collection[str]) -> bool:
        """Whether a permission waits for an engine of this process that is not in `full`."""
        without = frozenset(map(queue_name, full))
        if self._names is not None and self._names <= without:
            return False
        names = waiting(connection).keys() - without
        return bool(names if self._names is None else names & self._names)

    def _begin_claim(self, unit: UnitOfWork, now: float, held: Collection[str]) -> int:
        lost = super()._begin_claim(unit, now, held)
        if lost:
            # It may start again in this same transaction.
            unit.flush()
            top_up(unit, count_startable(unit.connection))
        return lost

    def _next_row(self, unit: UnitOfWork, full: Collection[str]) -> GenerationRow | None:
        # Another process, which was woken by the same permission, may have used it since the look.
        if not self._is_permitted(unit.connection, full):
            return None
        without = list(full)
        while row := self._first_row(unit, without):
            if use(unit, row.engine):
                return row
            logger.warning("No permission to start waits for the engine %s, though a generation does.", row.engine)
            without.append(row.engine)
        end_unused(unit, without, self._engines)
        return None

    def _first_row(self, unit: UnitOfWork, without: Collection[str]) -> GenerationRow | None:
        row: GenerationRow | None = unit.session.exec(first_queued(without, self._engines)).first()
        return row
