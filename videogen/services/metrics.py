"""The metrics as Prometheus reads them: what `core.metrics` has counted, and the state of the app at this moment.

The state is read at each scrape, so that it is true after a restart too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector, CollectorRegistry

from videogen.core.errors import NotReadyError, StorageError
from videogen.core.memory import process_memory
from videogen.core.metrics import OTHER
from videogen.core.version import __version__
from videogen.engines.availability import capabilities_of
from videogen.live.hub import VISITORS
from videogen.schemas.status import NEEDS_ATTENTION, Status
from videogen.services.parts import Parts
from videogen.store.counts import ActiveCount, Totals
from videogen.store.queue_order import PAUSED

T = TypeVar("T")
STATES: Final = (Status.QUEUED.value, PAUSED, Status.PROCESSING.value, NEEDS_ATTENTION)
STREAMS: Final = ("session", "project", "generation", VISITORS)
KEPT: Final = 100
"""What takes long to count is kept for so many times as long as it took: it takes at most a hundredth of the time."""


class MetricsService:
    """Renders the metrics of one app. Blocks on the database: call it from a thread, never in the event loop."""

    def __init__(self, parts: Parts) -> None:
        self._registry = parts.metrics.registry
        self._registry.register(_State(parts))
        self._registry.register(_Garbage())
        ProcessCollector("videogen", registry=self._registry)

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """The text, and its media type: what the header `Accept` asks for, else Prometheus's text format."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type


@dataclass
class _Kept(Generic[T]):
    """A value that takes long to read."""

    read: Callable[[], T]
    clock: Callable[[], float] = time.monotonic
    value: T | None = None
    until: float = 0.0

    def get(self) -> T:
        """The value as it was at most `KEPT` times as long ago as it took to read."""
        begun = self.clock()
        if self.value is None or begun >= self.until:
            self.value = self.read()
            now = self.clock()
            self.until = now + KEPT * (now - begun)
        return self.value


class _State(Collector):
    """Reads database, disk, streams and renderers."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._totals: _Kept[Totals] = _Kept(parts.store.totals)
        self._available: _Kept[dict[str, float]] = _Kept(self._look_for_engines)

    def collect(self) -> Iterator[Metric]:
        """See `Collector`."""
        parts = self._parts
        yield InfoMetricFamily("videogen_build", "The version.", {"version": __version__})
        yield from self._ready()
        yield _by("videogen_streams", "Open event streams.", "scope", dict.fromkeys(STREAMS, 0) | parts.hub.counts())
        yield _by("videogen_engine_slots", "Jobs that render at once.", "engine", _slots(parts))
        yield _by("videogen_engine_available", "1: the engine can render.", "engine", self._available.get())
        yield from self._renderers()
        yield from self._snapshots()
        try:
            yield from self._disk()
            yield from self._queue(parts.store.active_counts())
            yield from self._stored(self._totals.get())
        except (StorageError, OSError):
            return  # `videogen_ready` shows it, and the rest is true

    def _ready(self) -> Iterator[Metric]:
        parts = self._parts
        try:
            parts.store.ping()
            parts.workers.check()
            is_ready = True
        except (StorageError, NotReadyError):
            is_ready = False
        yield GaugeMetricFamily("videogen_ready", "1: database and workers answer.", is_ready)
        held = parts.data_folder.shortage() is not None
        yield GaugeMetricFamily("videogen_rendering_held", "1: nothing starts, for want of disk space.", held)

    def _queue(self, counts: Iterable[ActiveCount]) -> Iterator[Metric]:
        """All states of all engines: a series that vanishes would keep its last value in a graph."""
        engines, now = self._parts.engines, self._parts.store.clock()
        active = {(engine, state): 0 for engine in engines for state in STATES}
        oldest = dict.fromkeys(engines, 0.0)
        for one in counts:
            engine = one.engine if one.engine in engines else OTHER
            active[engine, one.state] = active.get((engine, one.state), 0) + one.count
            if one.state == "queued":
                oldest[engine] = max(oldest.get(engine, 0.0), now - one.oldest)
        text = "Generations that have not ended."
        family = GaugeMetricFamily("videogen_generations_active", text, labels=("engine", "state"))
        for labels, count in active.items():
            family.add_metric(labels, count)
        yield family
        yield _by("videogen_queue_oldest_seconds", "The longest wait of what is queued now.", "engine", oldest)

    def _stored(self, totals: Totals) -> Iterator[Metric]:
        yield _by("videogen_generations_stored", "Generations in the database.", "status", totals.generations)
        yield GaugeMetricFamily("videogen_sessions_stored", "Sessions in the database.", totals.sessions)
        yield GaugeMetricFamily("videogen_files_stored", "Files in the storage.", totals.files)
        yield GaugeMetricFamily("videogen_files_bytes", "Size of all files in the storage.", totals.file_bytes)

    def _disk(self) -> Iterator[Metric]:
        folder = self._parts.data_folder
        yield GaugeMetricFamily("videogen_disk_free_bytes", "Free space of the data folder.", folder.free_bytes())
        reserve = folder.reserve_bytes
        yield GaugeMetricFamily("videogen_disk_reserve_bytes", "With less free space nothing is rendered.", reserve)
        sizes = self._parts.store.database.sizes()
        yield _by("videogen_database_bytes", "Size of the database's files.", "file", sizes)

    def _snapshots(self) -> Iterator[Metric]:
        """No values where no snapshots are taken."""
        keeper = self._parts.snapshots
        status = keeper.status if keeper else None
        tries = CounterMetricFamily("videogen_snapshots", "Snapshots that were tried.", labels=("outcome",))
        if status is not None:
            for outcome, count in (("taken", status.taken), ("failed", status.failed)):
                tries.add_metric((outcome,), count)
        yield tries
        for name, text, attribute in (
            ("timestamp_seconds", "As of when the last snapshot of this run is.", "last_at"),
            ("seconds", "How long the last one took.", "last_seconds"),
            ("database_bytes", "Size of the database in the last one.", "last_bytes"),
            ("files_missing", "Restored files that were not fetched yet.", "files_missing"),
        ):
            family = GaugeMetricFamily(f"videogen_snapshot_{name}", text)
            if status is not None and (shown := getattr(status, attribute)) is not None:
                family.add_metric((), shown)
            yield family

    def _renderers(self) -> Iterator[Metric]:
        pids = self._parts.workers.processes.pids()
        counts = {name: len(children) for name, children in pids.items()}
        memory = {name: sum(map(process_memory, children)) for name, children in pids.items()}
        yield _by("videogen_renderer_processes", "Renderers, with those that wait for a job.", "engine", counts)
        yield _by("videogen_renderer_memory_bytes", "Memory of the renderers.", "engine", memory)

    def _look_for_engines(self) -> dict[str, float]:
        return {name: capabilities_of(engine).available for name, engine in list(self._parts.engines.items())}


class _Garbage(Collector):
    """`GCCollector` under our prefix."""

    def __init__(self) -> None:
        self._own = GCCollector(CollectorRegistry(auto_describe=False))

    def collect(self) -> Iterator[Metric]:
        """See `Collector`."""
        for family in self._own.collect():
            family.name = f"videogen_{family.name}"
            family.samples = [sample._replace(name=f"videogen_{sample.name}") for sample in family.samples]
            yield family


def _by(name: str, text: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=(label,))
    for value in values:
        family.add_metric((value,), values[value])
    return family


def _slots(parts: Parts) -> dict[str, int]:
    """How many jobs of each engine render at once; 0 where no process renders it."""
    return dict.fromkeys(parts.engines, 0) | dict(parts.store.concurrency)
