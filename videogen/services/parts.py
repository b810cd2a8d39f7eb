"""The parts that the services are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from videogen.core.config import AppConfig
from videogen.core.in_use import InUse
from videogen.core.metrics import Metrics
from videogen.core.security import Signer
from videogen.engines.base import Engine
from videogen.jobs.base import Queue
from videogen.jobs.exports import ExportWorker
from videogen.jobs.moderation import Moderator
from videogen.jobs.snapshots.keeper import SnapshotKeeper
from videogen.jobs.worker import WorkerPool
from videogen.live.hub import Hub
from videogen.services.serializers import Serializer
from videogen.services.visitor_tokens import VisitorTokens
from videogen.storage import DataFolder, Storage
from videogen.store import RetentionRules, Store


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one running app; `server.build` makes them."""

    config: AppConfig
    store: Store
    hub: Hub
    storage: Storage
    data_folder: DataFolder
    signer: Signer
    serializer: Serializer
    engines: Mapping[str, Engine]
    queue: Queue
    workers: WorkerPool
    exporter: ExportWorker
    visitor_tokens: VisitorTokens
    metrics: Metrics = field(default_factory=Metrics)
    snapshots: SnapshotKeeper | None = None
    """None where the configuration names no place for them."""
    moderator: Moderator = field(default_factory=Moderator)
    in_use: InUse = field(default_factory=InUse)
    rules: RetentionRules = field(default_factory=RetentionRules)
    make_room: Callable[[], None] = lambda: None
    """Has what was used longest ago removed soon, where the storage is full."""
