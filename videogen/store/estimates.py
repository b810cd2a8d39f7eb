"""How long a render should take, computed from measured runs of the same kind.

A run is a complete render by one renderer that ended with a result, measured with a monotonic clock. A kind is what
decides the speed: engine and version, type, size in pixels, and steps where the engine has them. Renders that were
cancelled, failed, lost or resumed are not measured.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Table, delete, insert, select
from sqlmodel import SQLModel, col

from videogen.db.database import UnitOfWork
from videogen.db.tables import GenerationRow, RunRow
from videogen.store.base import BaseStore

MAX_RUNS_PER_KIND: Final = 15
"""The estimate is the median of so many newest runs of a kind; older ones are deleted."""
MAX_RUNS: Final = 10_000
"""The number of runs of all kinds that are kept."""
MAX_FRAME_RATIO: Final = 4.0
"""A run counts for a render with at most so many times more or fewer frames."""


@dataclass(frozen=True, slots=True)
class Expected:
    """How long a render should take: seconds to its first frame, and from there to its file."""

    startup: float
    body: float

    def rest(self, progress: float, elapsed: float) -> float:
        """Seconds left at `progress` percent, `elapsed` seconds after the renderer was started."""
        return max(self.startup - elapsed, 0.0) + self.body * (1.0 - min(progress, 100.0) / 100.0)


@dataclass(frozen=True, slots=True)
class Measured:
    """How long a complete render took, in seconds: to its first frame, and in all."""

    startup: float
    total: float


class Kind(NamedTuple):
    """What decides the speed of a render."""

    engine: str
    engine_version: str
    type: str
    width: int
    height: int
    steps: int


STEPS: Final = col(GenerationRow.recipe)[("settings", "steps")]
"""`steps` in the recipe, whatever it is; NULL for an engine without steps."""


def kind_of(row: Any, steps: Any) -> Kind:
    """The kind of a generation; `row` has the columns of one."""
    number = round(steps) if isinstance(steps, (int, float)) else 0
    return Kind(row.engine, row.engine_version, row.type, row.width, row.height, number)


def steps_of(settings: Any) -> float | None:
    """`steps` in the settings of a recipe; None for an engine without steps."""
    steps = (settings or {}).get("steps")
    return steps if isinstance(steps, (int, float)) else None


def frames_of(row: Any) -> int:
    """How many frames a generation has; an image has one."""
    return max(1, round(float(row.duration_seconds) * int(row.fps)))


class Forecast:
    """Estimates inside one transaction: the runs of each kind are read once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._runs: dict[Kind, list[tuple[int, float, float]]] = {}

    def expect(self, kind: Kind, frames: int) -> Expected | None:
        """How long a render of this kind should take; None without a run to compare with."""
        if kind not in self._runs:
            query = select(_RUNS.c.frames, _RUNS.c.startup, _RUNS.c.seconds).where(*_same(kind))
            runs = self._connection.execute(query.order_by(_RUNS.c.id.desc()).limit(MAX_RUNS_PER_KIND))
            self._runs[kind] = [(row.frames, row.startup, row.seconds) for row in runs]
        similar = [run for run in self._runs[kind] if frames / MAX_FRAME_RATIO <= run[0] <= frames * MAX_FRAME_RATIO]
        if not similar:
            return None
        # The time to the first frame does not depend on the number of frames; the rest is proportional to it.
        bodies = [(total - startup) * frames / count for count, startup, total in similar]
        return Expected(median(startup for _, startup, _ in similar), median(bodies))


class EstimateStore(BaseStore):
    """Estimates for requests that are not stored."""

    def expected_seconds(self, kind: Kind, frames: int) -> float | None:
        """How long a render of this kind should take in all; None without a run to compare with."""
        with self.database.read() as session:
            expected = Forecast(session.connection()).expect(kind, frames)
        return None if expected is None else expected.startup + expected.body


def expect_row(unit: UnitOfWork, row: GenerationRow) -> Expected | None:
    """How long the render of this generation should take; None without a run to compare with."""
    kept = sum(span["num_frames"] for span in row.recipe.get("spans", ()) if span["kept_from"] is not None)
    return Forecast(unit.connection).expect(_kind_by_recipe(row), max(1, frames_of(row) - kept))


def record_run(unit: UnitOfWork, row: Any, measured: Measured) -> None:
    """Store how long a complete render took, and delete old runs over the limits."""
    kind = _kind_by_recipe(row)
    values = kind._asdict() | {"frames": frames_of(row), "startup": measured.startup, "seconds": measured.total}
    result = unit.connection.execute(insert(_RUNS), values)
    newest = select(_RUNS.c.id).where(*_same(kind)).order_by(_RUNS.c.id.desc()).limit(MAX_RUNS_PER_KIND)
    unit.connection.execute(delete(_RUNS).where(*_same(kind), _RUNS.c.id.not_in(newest)))
    last = int(result.inserted_primary_key[0])  # type: ignore[index]
    unit.connection.execute(delete(_RUNS).where(_RUNS.c.id <= last - MAX_RUNS))


def schedule(
    running: Sequence[float | None], queued: Sequence[float | None], workers: int | None
) -> list[tuple[float, float] | None]:
    """When each queued generation should start and end.

    Args:
        running: seconds left of each running render; None where unknown.
        queued: seconds that each queued render should take, in the order of the queue; None where unknown.
        workers: how many render at once; None or 0 where unknown.

    Returns:
        for each queued one the seconds from now until its start and its end; None behind something unknown.
    """
    times: list[tuple[float, float] | None] = []
    if not workers or any(left is None for left in running):
        return [None] * len(queued)
    free = sorted(max(left or 0.0, 0.0) for left in running)
    # There may be more than `workers` for a moment, while one takes over from another; the first to end free no worker.
    free = free[max(len(free) - workers, 0) :] + [0.0] * max(workers - len(free), 0)
    heapq.heapify(free)
    for seconds in queued:
        if seconds is None:
            break
        begins = heapq.heappop(free)
        heapq.heappush(free, begins + seconds)
        times.append((begins, begins + seconds))
    return times + [None] * (len(queued) - len(times))


def _kind_by_recipe(row: Any) -> Kind:
    recipe = row.recipe if isinstance(row.recipe, dict) else {}
    return kind_of(row, steps_of(recipe.get("settings")))


_RUNS: Final[Table] = SQLModel.metadata.tables[str(RunRow.__tablename__)]


def _same(kind: Kind) -> list[Any]:
    return [_RUNS.c[name] == value for name, value in kind._asdict().items()]
