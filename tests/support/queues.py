"""The queue that belongs to a database."""

from __future__ import annotations

from typing import Any

from tests.support.rows import Clock
from videogen.db.backend import is_postgresql
from videogen.jobs.base import Queue
from videogen.jobs.procrastinate_queue import ProcrastinateQueue
from videogen.jobs.queue import EmbeddedQueue
from videogen.store import Store


def make_queue(store: Store, clock: Clock, lease_seconds: float = 10, max_attempts: int = 3, **options: Any) -> Queue:
    """Leases hold ten seconds of the test's clock; a third lost renderer is the last."""
    terms: dict[str, Any] = {"lease_seconds": lease_seconds, "max_attempts": max_attempts}
    if is_postgresql(store.database.url):
        return ProcrastinateQueue(store, lease_clock=clock.steady, **terms, **options)
    return EmbeddedQueue(store, steady=clock.steady, **terms)
