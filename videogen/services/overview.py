"""What the operator sees of all sessions, put together from the store, the engines and the counters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from videogen.core.clock import to_datetime
from videogen.db.tables import GenerationRow
from videogen.engines.availability import capabilities_of
from videogen.engines.base import Engine
from videogen.schemas.admin import (
    AdminEngine,
    AdminFlag,
    AdminGeneration,
    AdminOutcomes,
    AdminSession,
    AdminStorage,
    Ban,
    OperatorQueue,
    Overview,
    WaitsFor,
)
from videogen.schemas.engines import Capabilities
from videogen.schemas.status import ENGINE_UNAVAILABLE, NEEDS_ATTENTION, Status
from videogen.services.parts import Parts
from videogen.store import OperatorState
from videogen.store.counts import ActiveCount
from videogen.store.overview import Outcomes, SessionUse
from videogen.store.queue_order import PAUSED

ACTIVE_SHOWN: Final = 200
SESSIONS_SHOWN: Final = 50
LARGEST_SHOWN: Final = 10
FLAGS_SHOWN: Final = 20
HOUR, DAY = 3600.0, 86_400.0


def make_overview(parts: Parts, queue: OperatorQueue) -> Overview:
    """All that goes on."""
    store = parts.store
    now, state, counts = store.clock(), store.operator_state(), store.active_counts()
    running = _sums(counts, Status.PROCESSING)
    capabilities = {name: capabilities_of(engine) for name, engine in list(parts.engines.items())}
    uses = store.session_uses(now - DAY)
    bans = store.list_bans()
    banned = {ban.target for ban in bans if ban.kind == "session"}
    waiting_for = _Reasons(state, parts.data_folder.shortage() is not None, capabilities, running, store.concurrency)
    sessions = [_session(use, banned) for use in uses]
    return Overview(
        at=to_datetime(now),
        queue=queue.queue,
        paused=state.paused,
        draining=state.draining,
        active=[_generation(row, waiting_for) for row in store.list_active(ACTIVE_SHOWN)],
        running_count=running.total(),
        waiting_count=_sums(counts, Status.QUEUED, PAUSED).total(),
        engines=_engines(parts, capabilities, counts, now),
        storage=_storage(parts),
        sessions=sessions[:SESSIONS_SHOWN],
        largest=sorted(sessions, key=lambda one: -one.bytes)[:LARGEST_SHOWN],
        refused=parts.metrics.refused(),
        bans=[
            Ban.model_validate({"kind": row.kind, "target": row.target, "at": to_datetime(row.created_at)})
            for row in bans
        ],
        flags=make_flags(parts),
    )


def _sums(counts: Iterable[ActiveCount], *states: str) -> Counter[str]:
    """How many generations of each engine are in these states."""
    sums: Counter[str] = Counter()
    for one in counts:
        if one.state in states:
            sums[one.engine] += one.count
    return sums


class _Reasons:
    """Why a generation waits."""

    def __init__(
        self,
        state: OperatorState,
        is_short: bool,
        capabilities: Mapping[str, Capabilities],
        running: Counter[str],
        slots: Mapping[str, int],
    ) -> None:
        self._state, self._is_short = state, is_short
        self._capabilities, self._running, self._slots = capabilities, running, slots

    def of(self, row: GenerationRow) -> WaitsFor | None:
        """None for one that runs."""
        if row.status != Status.QUEUED:
            return "owner" if row.stage == NEEDS_ATTENTION else None
        if self._state.holds:
            return "operator"
        if row.stage == PAUSED:
            return "owner"
        if self._is_short:
            return "disk"
        known = self._capabilities.get(row.engine)
        if row.stage == ENGINE_UNAVAILABLE or known is None or not known.available:
            return "engine"
        return "slot" if self._running[row.engine] >= self._slots.get(row.engine, 1) else "turn"


def _generation(row: GenerationRow, reasons: _Reasons) -> AdminGeneration:
    names = ("id", "session_id", "address_hash", "type", "engine", "status", "stage", "message", "prompt", "progress")
    return AdminGeneration(
        **{name: getattr(row, name) for name in names},
        attempt=row.attempt,
        queue_position=row.queue_position,
        waits_for=reasons.of(row),
        created_at=to_datetime(row.created_at),
        started_at=None if row.started_at is None else to_datetime(row.started_at),
    )


def _engines(
    parts: Parts, capabilities: Mapping[str, Capabilities], counts: Collection[ActiveCount], now: float
) -> list[AdminEngine]:
    hour, day = parts.store.outcomes(now - HOUR), parts.store.outcomes(now - DAY)
    running, waiting = _sums(counts, Status.PROCESSING), _sums(counts, Status.QUEUED, PAUSED)
    engines: dict[str, Engine] = dict(parts.engines)
    # Of an engine that is not on offer any more, some may still wait.
    names = [*engines, *sorted((waiting.keys() | running.keys() | day.keys()) - engines.keys())]
    return [
        AdminEngine(
            id=name,
            title=engines[name].title if name in engines else name,
            available=name in capabilities and capabilities[name].available,
            reason=(capabilities[name].reason or None) if name in capabilities else "It is not on offer any more.",
            slots=parts.store.concurrency.get(name),
            running=running[name],
            waiting=waiting[name],
            hour=_outcomes(hour.get(name)),
            day=_outcomes(day.get(name)),
        )
        for name in names
    ]


def _outcomes(outcomes: Outcomes | None) -> AdminOutcomes:
    if outcomes is None:
        return AdminOutcomes()
    completed, failed, cancelled = (
        outcomes.statuses[status] for status in (Status.COMPLETED, Status.FAILED, Status.CANCELLED)
    )
    rate = round(failed / (completed + failed), 4) if completed + failed else None
    return AdminOutcomes(
        completed=completed, failed=failed, cancelled=cancelled, error_rate=rate, codes=dict(outcomes.codes)
    )


def _session(use: SessionUse, banned: Collection[str]) -> AdminSession:
    return AdminSession(
        id=use.id,
        banned=use.id in banned,
        paused=use.paused,
        generations=use.generations,
        today=use.recent,
        active=use.active,
        bytes=use.bytes,
        files=use.files,
        created_at=to_datetime(use.created_at),
        last_seen_at=None if use.last_seen_at is None else to_datetime(use.last_seen_at),
    )


def _storage(parts: Parts) -> AdminStorage:
    totals, limit = parts.store.totals(), parts.config.max_storage_gb
    return AdminStorage(
        generations=totals.generations,
        sessions=totals.sessions,
        files=totals.files,
        bytes=totals.file_bytes,
        limit_bytes=round(limit * 1e9) if limit else None,
        free_bytes=parts.data_folder.free_bytes(),
        shortage=parts.data_folder.shortage(),
    )


def make_flags(parts: Parts) -> list[AdminFlag]:
    """What was reported, then what was flagged, the newest first."""
    found = parts.store.list_reported(FLAGS_SHOWN)
    found += [(row, 0, row.flagged or "") for row in parts.store.list_flagged(FLAGS_SHOWN)]
    slugs = parts.store.public_slugs({row.id for row, _, _ in found})
    return [
        AdminFlag(
            id=row.id, session_id=row.session_id, prompt=row.prompt, reports=count, words=words, slug=slugs.get(row.id)
        )
        for row, count, words in found
    ]
