"""Opens the data folder and puts the parts of the app together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial

from videogen.core.clock import SteadyClock
from videogen.core.config import AppConfig
from videogen.core.errors import ConfigError
from videogen.core.in_use import InUse
from videogen.core.lock import DataLock
from videogen.core.metrics import Metrics
from videogen.core.security import Signer, load_secret
from videogen.db.database import Database
from videogen.db.integrity import require_sound
from videogen.db.migrate import HEAD, migrate, revision
from videogen.engines.availability import UnavailableEngine, capabilities_of, concurrencies, unavailable
from videogen.engines.base import Engine
from videogen.engines.registry import load_engines, references_by_id
from videogen.jobs.base import Queue
from videogen.jobs.cleanup import look_for_damage
from videogen.jobs.exports import ExportWorker
from videogen.jobs.metrics import JobMetrics
from videogen.jobs.moderation import Moderator
from videogen.jobs.procrastinate_queue import ProcrastinateQueue
from videogen.jobs.queue import EmbeddedQueue
from videogen.jobs.retention import RetentionThread
from videogen.jobs.settings import WorkerSettings
from videogen.jobs.snapshots.keeper import SnapshotKeeper
from videogen.jobs.snapshots.settle import at_services, settle_jobs
from videogen.jobs.snapshots.start import SnapshotStart, begin_snapshots
from videogen.jobs.worker import WorkerPool
from videogen.live.hub import HUB, Hub
from videogen.services.parts import Parts
from videogen.services.serializers import Serializer
from videogen.services.visitor_tokens import VisitorTokens
from videogen.storage import DataFolder, DiskStorage, Storage
from videogen.store import RetentionRules, Store

_Closed = Callable[[], Collection[str]]


def build_engines(config: AppConfig) -> dict[str, Engine]:
    """Load the engines that the configuration names, by id.

    Raises:
        StartError, ConfigError: an engine cannot be loaded, or the default one is not among them.
    """
    engines = load_engines(config.engines)
    # One that cannot be imported may have another id than it seems.
    all_imported = not any(isinstance(engine, UnavailableEngine) for engine in engines.values())
    if config.engine and config.engine not in engines and all_imported:
        raise ConfigError("VIDEOGEN_ENGINE", f"one of {', '.join(engines)} (from VIDEOGEN_ENGINES)", config.engine)
    return engines


@contextmanager
def open_parts(config: AppConfig, engines: Mapping[str, Engine]) -> Iterator[Parts]:
    """Lock the data folder, check and migrate the database, and build the parts; close all of it at the end.

    Raises:
        StartError: the data folder or the database cannot be used; one line that says why, and what to do.
    """
    with ExitStack() as stack:
        stack.callback(DataLock.take(config.data_dir).close)
        data_folder = DataFolder(config.data_dir, config.reserve_mb * 1_000_000)
        data_folder.open()
        disk = DiskStorage(data_folder.files)
        database = Database(config.database, config.database_pool)
        stack.callback(database.close)
        start = None if config.uses_postgresql else begin_snapshots(config, database.path, disk)
        storage: Storage = disk if start is None else start.storage
        signer = Signer(load_secret(config.data_dir, config.secret_key))
        _check_and_migrate(config, database, storage, start)
        metrics = Metrics(engines)
        database.on_write = metrics.wrote
        database.listen(JobMetrics(metrics).record)
        store = _open_store(database, engines, concurrencies(engines, config.workers))
        serializer = Serializer(signer, config.base_url + config.root_path)
        hub = Hub(serializer.event_bytes, serializer.public_event_bytes)
        _connect(database, hub)
        queue = _queue(config, store, engines)
        tokens = VisitorTokens(store, config, engines, signer)
        settings = _settings(config, engines, _closed(start, queue, at_services(engines)))
        workers = WorkerPool(store, queue, storage, data_folder, references_by_id(config.engines), settings)
        workers.processes.account_key = tokens.key_of
        workers.unavailable = unavailable({name: capabilities_of(engine) for name, engine in engines.items()})
        keeper = SnapshotKeeper(start, data_folder, config.snapshot_seconds) if start else None
        rules, in_use = RetentionRules.of(config), InUse(store.clock)
        exporter = ExportWorker(store, storage, data_folder, in_use, settings)
        services = (hub, storage, data_folder, signer, serializer, engines, queue, workers, exporter)
        retention = RetentionThread(store, storage, data_folder, rules, in_use, hub).start()
        stack.callback(retention.stop)
        yield Parts(
            config, store, *services, tokens, metrics, keeper, settings.moderator, in_use, rules, retention.make_room
        )


def _open_store(database: Database, engines: Mapping[str, Engine], concurrency: Mapping[str, int]) -> Store:
    clock = SteadyClock()
    store = Store(database, clock, concurrency)
    clock.not_before(store.newest_time())
    settle_jobs(store, engines)
    return store


def _queue(config: AppConfig, store: Store, engines: Collection[str]) -> Queue:
    if config.uses_postgresql:
        return ProcrastinateQueue(store, config.lease_seconds, config.max_attempts, engines=list(engines))
    return EmbeddedQueue(store, config.lease_seconds, config.max_attempts)


def _connect(database: Database, hub: Hub) -> None:
    database.listen(hub.publish)
    database.subscribe(HUB, hub.receive)
    hub.send = partial(database.signal, HUB)


def _settings(
    config: AppConfig, engines: Mapping[str, Engine], closed: Callable[[], Collection[str]]
) -> WorkerSettings:
    limits = (config.workers, config.lease_seconds, config.stall_seconds, concurrencies(engines, config.workers))
    return WorkerSettings(*limits, Moderator.of(config), closed, config.max_attempts)


def _closed(start: SnapshotStart | None, queue: Queue, services: list[str]) -> _Closed:
    """Nothing is sent to a service before the snapshots are claimed: a start from them would send it again."""
    if start is None:
        return tuple
    start.on_open = queue.notify
    return lambda: services if start.taker is None else ()


def _check_and_migrate(config: AppConfig, database: Database, storage: Storage, start: SnapshotStart | None) -> None:
    if config.uses_postgresql:
        migrate(config.database)
        return
    complete = require_sound(database.path, has_files=any(storage.list()))
    if start is not None and revision(config.database) not in (None, HEAD):
        start.before_migration()
    migrate(config.database)
    if not complete:
        # A large database: the rest of it is checked while the app serves.
        threading.Thread(target=look_for_damage, args=(database,), name="look-for-damage", daemon=True).start()
