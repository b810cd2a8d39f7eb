"""Opens the data folder and puts the parts of the app together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from videogen.core.clock import SteadyClock
from videogen.core.config import AppConfig
from videogen.core.errors import ConfigError, StartError, StorageError
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
from videogen.jobs.offers import OfferedEngine, OfferedEngines, Offers
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
from videogen.store.workers import Offer

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
    # On a common database, what an engine can do is what the workers say that render it.
    return OfferedEngines(engines, Offers()) if config.uses_postgresql else engines


@dataclass(frozen=True, slots=True)
class State:
    """What every process has: where its state is kept."""

    database: Database
    store: Store
    storage: Storage
    data_folder: DataFolder
    signer: Signer
    snapshots: SnapshotStart | None


@contextmanager
def open_state(config: AppConfig, engines: Mapping[str, Engine]) -> Iterator[State]:
    """Lock the data folder, check and migrate the database, and open the storage; close all of it at the end.

    Raises:
        StartError: the data folder, the database or the storage cannot be used; one line that says why.
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
        if config.storage_url:
            storage = _open_storage(config, data_folder)
        signer = Signer(load_secret(config.data_dir, config.secret_key))
        _check_and_migrate(config, database, storage, start)
        store = _open_store(config, database, engines)
        if config.uses_postgresql and not store.has_key(signer.derive("installation")):
            expected = "the key with which this database was first used (docs/scaling.md: how to change it)"
            raise ConfigError("VIDEOGEN_SECRET_KEY", expected, "another one")
        yield State(database, store, storage, data_folder, signer, start)


@contextmanager
def open_parts(config: AppConfig, engines: Mapping[str, Engine]) -> Iterator[Parts]:
    """Open the state, and build the parts of a process that serves; close all of it at the end.

    Raises:
        StartError: see `open_state`.
    """
    if config.uses_postgresql and not (config.workers or config.storage_url):
        raise StartError(
            "VIDEOGEN_WORKERS=0 leaves all rendering to other processes, which need a bucket in common with this one: "
            "set VIDEOGEN_STORAGE_URL=s3://..."
        )
    with open_state(config, engines) as state, ExitStack() as stack:
        store, storage, data_folder, signer = state.store, state.storage, state.data_folder, state.signer
        metrics = Metrics(engines)
        state.database.on_write = metrics.wrote
        state.database.listen(JobMetrics(metrics).record)
        serializer = Serializer(signer, config.base_url + config.root_path)
        hub = Hub(serializer.event_bytes, serializer.public_event_bytes)
        _connect(state.database, hub)
        queue = open_queue(config, store, here(engines), own_concurrency(config, engines), list(engines))
        stack.callback(queue.withdraw)
        tokens = VisitorTokens(store, config, engines, signer)
        settings = _settings(config, engines, _closed(state.snapshots, queue, at_services(engines)))
        workers = WorkerPool(store, queue, storage, data_folder, references_by_id(config.engines), settings)
        workers.processes.account_key = tokens.key_of
        workers.unavailable = unavailable({name: capabilities_of(engine) for name, engine in engines.items()})
        keeper = SnapshotKeeper(state.snapshots, data_folder, config.snapshot_seconds) if state.snapshots else None
        rules, in_use = RetentionRules.of(config), InUse(store.clock)
        exporter = ExportWorker(store, storage, data_folder, in_use, settings)
        services = (hub, storage, data_folder, signer, serializer, engines, queue, workers, exporter)
        retention = RetentionThread(store, storage, data_folder, rules, in_use, hub).start()
        stack.callback(retention.stop)
        yield Parts(
            config, store, *services, tokens, metrics, keeper, settings.moderator, in_use, rules, retention.make_room
        )


def _open_storage(config: AppConfig, data_folder: DataFolder) -> Storage:
    # Imported here: only an installation with a bucket has the package for it.
    from videogen.storage.object_storage import open_storage

    storage = open_storage(config.storage_url, data_folder.root / "cache")
    try:
        next(iter(storage.list()), None)
    except StorageError as problem:
        raise ConfigError(
            "VIDEOGEN_STORAGE_URL", f"a bucket that can be read ({problem.detail})", config.storage_url
        ) from problem
    return storage


def _open_store(config: AppConfig, database: Database, engines: Mapping[str, Engine]) -> Store:
    clock = SteadyClock()
    offers = engines.offers if isinstance(engines, OfferedEngines) else None
    store = Store(database, clock, concurrencies(engines, config.workers) if offers is None else offers.concurrency)
    clock.not_before(store.newest_time())
    if offers is None:
        settle_jobs(store, engines)
    else:
        offers.open(store, config.lease_seconds)
    return store


def own_concurrency(config: AppConfig, engines: Mapping[str, Engine]) -> dict[str, int]:
    """How many jobs of each engine a server renders itself, by id. What it cannot render is left to others."""
    known = here(engines)
    found = concurrencies(known, config.workers)
    if not config.uses_postgresql:
        return found
    return {name: count if capabilities_of(known[name]).available else 0 for name, count in found.items()}


def here(engines: Mapping[str, Engine]) -> dict[str, Engine]:
    """The engines as they are in this process."""
    return {name: engine.here if isinstance(engine, OfferedEngine) else engine for name, engine in engines.items()}


def open_queue(
    config: AppConfig,
    store: Store,
    engines: Mapping[str, Engine],
    concurrency: Mapping[str, int],
    takes: Collection[str],
) -> Queue:
    """The queue as a process sees it that takes jobs of the engines `takes`, so many of each at once."""
    if not config.uses_postgresql:
        return EmbeddedQueue(store, config.lease_seconds, config.max_attempts)
    queue = ProcrastinateQueue(store, config.lease_seconds, config.max_attempts, engines=takes)
    able = {name: capabilities_of(engines[name]) for name, count in concurrency.items() if count}
    queue.offers = {
        name: Offer(concurrency[name], one.model_dump(mode="json"), engines[name].version) for name, one in able.items()
    }
    return queue


def _connect(database: Database, hub: Hub) -> None:
    database.listen(hub.publish)
    database.subscribe(HUB, hub.receive)
    hub.send = partial(database.signal, HUB)


def _settings(
    config: AppConfig, engines: Mapping[str, Engine], closed: Callable[[], Collection[str]]
) -> WorkerSettings:
    limits = (config.workers, config.lease_seconds, config.stall_seconds, own_concurrency(config, engines))
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
