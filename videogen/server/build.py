"""Puts the parts of a process together that serves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from videogen.core.config import AppConfig
from videogen.core.in_use import InUse
from videogen.core.metrics import Metrics
from videogen.db.database import Database
from videogen.engines.availability import concurrencies
from videogen.engines.base import Engine
from videogen.jobs.exports import ExportWorker
from videogen.jobs.metrics import JobMetrics
from videogen.jobs.retention import RetentionThread
from videogen.jobs.snapshots.keeper import SnapshotKeeper
from videogen.jobs.snapshots.settle import settle_jobs
from videogen.live.hub import HUB, Hub
from videogen.server.state import open_state
from videogen.server.workers import make_workers
from videogen.services.parts import Parts
from videogen.services.serializers import Serializer
from videogen.store import RetentionRules


@contextmanager
def open_parts(config: AppConfig, engines: Mapping[str, Engine]) -> Iterator[Parts]:
    """Open the state of the installation and build the parts; close all of it at the end.

    Raises:
        StartError: the data folder or the database cannot be used; one line that says why, and what to do.
    """
    with open_state(config, concurrencies(engines, config.workers)) as state:
        store, storage, data_folder, signer = state.store, state.storage, state.data_folder, state.signer
        metrics = Metrics(engines)
        state.database.on_write = metrics.wrote
        state.database.listen(JobMetrics(metrics).record)
        settle_jobs(store, engines)
        serializer = Serializer(signer, config.base_url + config.root_path)
        hub = Hub(serializer.event_bytes, serializer.public_event_bytes)
        _connect(state.database, hub)
        workers = make_workers(state, engines)
        keeper = SnapshotKeeper(state.snapshots, data_folder, config.snapshot_seconds) if state.snapshots else None
        rules, in_use = RetentionRules.of(config), InUse(store.clock)
        exporter = ExportWorker(store, storage, data_folder, in_use, workers.settings)
        retention = RetentionThread(store, storage, data_folder, rules, in_use, hub).start()
        services = (hub, storage, data_folder, signer, serializer, engines, workers.queue, workers.pool, exporter)
        moderator, make_room = workers.settings.moderator, retention.make_room
        try:
            yield Parts(config, store, *services, workers.tokens, metrics, keeper, moderator, in_use, rules, make_room)
        finally:
            retention.stop()


def _connect(database: Database, hub: Hub) -> None:
    database.listen(hub.publish)
    database.subscribe(HUB, hub.receive)
    hub.send = partial(database.signal, HUB)
