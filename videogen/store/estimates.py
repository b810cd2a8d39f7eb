"""How long a render takes, from renders that were measured: nothing is expected where nothing was measured.

A measured run is a whole render by one renderer that ended with a result, in seconds that nobody sets. Runs are kept
by what decides their pace: engine and version, type, size in pixels, and steps where the engine has them. What was
cancelled, failed, lost or resumed was never measured whole, and counts for nothing.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from sqlalchemy import Table, delete, insert, select
from sqlmodel import SQLModel, col

from videogen.db.database import UnitOfWork
from videogen.db.tables import GenerationRow, RunRow

RECENT: Final = 15
"""So many of the newest runs of a kind are asked: their median follows a machine that changes, and no single one."""
KEPT: Final = 10_000
"""Runs of all kinds together."""
REACH: Final = 4.0
"""A run tells of one with up to so many times its frames, and down to that part of them."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a render should take: seconds until its first frame, and from there to its file."""

    startup: float
    body: float

    @property
    def total(self) -> float:
        """All of it, in seconds."""
        return self.startup + self.body

    def rest(self, progress: float, elapsed: float) -> float:
        """Seconds left at `progress` percent, `elapsed` seconds after the renderer was asked."""
        return max(self.startup - elapsed, 0.0) + self.body * (1.0 - min(progress, 100.0) / 100.0)


@dataclass(frozen=True, slots=True)
class Measured:
    """How long a whole render took, in seconds: until it began to count, and all of it."""

    startup: float
    total: float


@dataclass(frozen=True, slots=True)
class Kind:
    """What decides a render's pace."""

    engine: str
    engine_version: str
    type: str
    width: int
    height: int
    steps: int


STEPS: Final = col(GenerationRow.recipe)[("settings", "steps")].as_float()
"""What the recipe pins as `steps`; NULL for an engine without."""


def kind_of(row: Any, steps: float | None) -> Kind:
    """The kind of a generation; `row` has its columns."""
    return Kind(row.engine, row.engine_version, row.type, row.width, row.height, round(steps or 0))


def frames_of(row: Any) -> int:
    """How many frames a generation has; an image has one."""
    return max(1, round(float(row.duration_seconds) * int(row.fps)))


class Forecast:
    """Expectations inside one transaction: each kind's runs are read once."""

    def __init__(self, unit: UnitOfWork) -> None:
        self._unit = unit
        self._runs: dict[Kind, list[tuple[int, float, float]]] = {}

    def expect(self, kind: Kind, frames: int) -> Expected | None:
        """What a render of this kind should take, or None where no run tells."""
        if kind not in self._runs:
            query = select(_RUNS.c.frames, _RUNS.c.startup, _RUNS.c.seconds).where(*_same(kind))
            found = self._unit.connection.execute(query.order_by(_RUNS.c.id.desc()).limit(RECENT))
            self._runs[kind] = [(row.frames, row.startup, row.seconds) for row in found]
        near = [run for run in self._runs[kind] if frames / REACH <= run[0] <= frames * REACH]
        if not near:
            return None
        # The time to the first frame does not grow with the frames; the rest does, frame by frame.
        bodies = [(total - startup) * frames / count for count, startup, total in near]
        return Expected(median(startup for _, startup, _ in near), median(bodies))


def expect_row(unit: UnitOfWork, row: GenerationRow) -> Expected | None:
    """What the render of this generation should take, or None where no run tells."""
    steps = (row.recipe.get("settings") or {}).get("steps")
    return Forecast(unit).expect(kind_of(row, steps if isinstance(steps, (int, float)) else None), frames_of(row))


def note_run(unit: UnitOfWork, row: Any, measured: Measured) -> None:
    """Keep how long a whole render took. What is kept is bounded, of each kind and in all."""
    recipe = row.recipe if isinstance(row.recipe, dict) else {}
    steps = (recipe.get("settings") or {}).get("steps")
    kind = kind_of(row, steps if isinstance(steps, (int, float)) else None)
    values = {name: getattr(kind, name) for name in Kind.__slots__}
    values |= {"frames": frames_of(row), "startup": measured.startup, "seconds": measured.total}
    result = unit.connection.execute(insert(_RUNS), values)
    newest = select(_RUNS.c.id).where(*_same(kind)).order_by(_RUNS.c.id.desc()).limit(RECENT)
    unit.connection.execute(delete(_RUNS).where(*_same(kind), _RUNS.c.id.not_in(newest)))
    last = int(result.inserted_primary_key[0])  # type: ignore[index]
    unit.connection.execute(delete(_RUNS).where(_RUNS.c.id <= last - KEPT))


def schedule(
    running: Sequence[float | None], queued: Sequence[float | None], workers: int | None
) -> list[tuple[float, float] | None]:
    """When each that waits begins and ends, in seconds from now.

    Args:
        running: seconds left of each that renders; None where that is not known.
        queued: seconds that each render should take, in the order of service; None where that is not known.
        workers: how many render at once; None or 0 where nobody knows.

    Returns:
        for each that waits its seconds until it begins and until it ends, or None: what stands behind something
        unknown is unknown.
    """
    told: list[tuple[float, float] | None] = []
    if not workers or any(left is None for left in running):
        return [None] * len(queued)
    free = sorted(max(left or 0.0, 0.0) for left in running)
    # More than there are workers, while one takes over from another: the first to end are not replaced.
    free = free[max(len(free) - workers, 0) :] + [0.0] * max(workers - len(free), 0)
    heapq.heapify(free)
    for seconds in queued:
        if seconds is None:
            break
        begins = heapq.heappop(free)
        heapq.heappush(free, begins + seconds)
        told.append((begins, begins + seconds))
    return told + [None] * (len(queued) - len(told))


_RUNS: Final[Table] = SQLModel.metadata.tables[str(RunRow.__tablename__)]


def _same(kind: Kind) -> list[Any]:
    return [_RUNS.c[name] == getattr(kind, name) for name in Kind.__slots__]
