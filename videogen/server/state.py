"""What every process of an installation has: its engines, the database, the files and the key."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from videogen.core.clock import SteadyClock
from videogen.core.config import AppConfig
from videogen.core.errors import ConfigError
from videogen.core.lock import DataLock
from videogen.core.security import Signer, load_secret
from videogen.db.database import Database
from videogen.db.integrity import require_sound
from videogen.db.migrate import HEAD, migrate, revision
from videogen.engines.availability import UnavailableEngine
from videogen.engines.base import Engine
from videogen.engines.registry import load_engines
from videogen.jobs.cleanup import look_for_damage
from videogen.jobs.snapshots.start import SnapshotStart, begin_snapshots
from videogen.storage import DataFolder, DiskStorage, Storage
from videogen.store import Store


@dataclass(frozen=True, slots=True)
class State:
    """Where an installation keeps its state, opened for one process."""

    config: AppConfig
    database: Database
    store: Store
    storage: Storage
    data_folder: DataFolder
    signer: Signer
    snapshots: SnapshotStart | None
    """None where the configuration names no place for them."""


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
def open_state(config: AppConfig, concurrency: Mapping[str, int]) -> Iterator[State]:
    """Lock the data folder, check and migrate the database, and open the store; close all of it at the end.

    Args:
        config: names the places.
        concurrency: how many generations of each engine are rendered at once, by its id.

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
        clock = SteadyClock()
        store = Store(database, clock, concurrency)
        clock.not_before(store.newest_time())
        yield State(config, database, store, storage, data_folder, signer, start)


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
