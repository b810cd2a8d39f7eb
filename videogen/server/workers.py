"""What a process has that renders: its part of the queue, and its workers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from videogen.core.config import AppConfig
from videogen.engines.availability import capabilities_of, unavailable
from videogen.engines.base import Engine
from videogen.engines.registry import references_by_id
from videogen.jobs.base import Queue
from videogen.jobs.moderation import Moderator
from videogen.jobs.procrastinate_queue import ProcrastinateQueue
from videogen.jobs.queue import EmbeddedQueue
from videogen.jobs.settings import WorkerSettings
from videogen.jobs.snapshots.settle import at_services
from videogen.jobs.snapshots.start import SnapshotStart
from videogen.jobs.worker import WorkerPool
from videogen.server.state import State
from videogen.services.visitor_tokens import VisitorTokens
from videogen.store import Store


@dataclass(frozen=True, slots=True)
class Workers:
    """The workers of one process, and what they take their jobs from."""

    queue: Queue
    pool: WorkerPool
    tokens: VisitorTokens
    settings: WorkerSettings


def make_workers(state: State, engines: Mapping[str, Engine]) -> Workers:
    """The workers of this process, not started: for all engines, as many at once as the store has been given.

    Raises:
        ConfigError: see `VisitorTokens`.
    """
    config, store = state.config, state.store
    queue = _queue(config, store, engines)
    tokens = VisitorTokens(store, config, engines, state.signer)
    settings = _settings(config, store.concurrency, _closed(state.snapshots, queue, at_services(engines)))
    references = references_by_id(config.engines)
    pool = WorkerPool(store, queue, state.storage, state.data_folder, references, settings)
    pool.processes.account_key = tokens.key_of
    pool.unavailable = unavailable({name: capabilities_of(engine) for name, engine in engines.items()})
    return Workers(queue, pool, tokens, settings)


def _queue(config: AppConfig, store: Store, engines: Collection[str]) -> Queue:
    if config.uses_postgresql:
        return ProcrastinateQueue(store, config.lease_seconds, config.max_attempts, engines=list(engines))
    return EmbeddedQueue(store, config.lease_seconds, config.max_attempts)


def _settings(
    config: AppConfig, concurrency: Mapping[str, int], closed: Callable[[], Collection[str]]
) -> WorkerSettings:
    limits = (config.workers, config.lease_seconds, config.stall_seconds, concurrency)
    return WorkerSettings(*limits, Moderator.of(config), closed, config.max_attempts)


def _closed(start: SnapshotStart | None, queue: Queue, services: list[str]) -> Callable[[], Collection[str]]:
    """Nothing is sent to a service before the snapshots are claimed: a start from them would send it again."""
    if start is None:
        return tuple
    start.on_open = queue.notify
    return lambda: services if start.taker is None else ()
