"""A `RenderContext` in the process of a test."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from videogen.engines.base import RenderCancelled
from videogen.schemas.engines import Cost


class RecordingContext:
    """A `RenderContext` that records all calls."""

    def __init__(
        self, workdir: Path, *, checkpoint: dict[str, Any] | None = None, attempt: int = 1, cancel_at: int | None = None
    ) -> None:
        """
        Args:
            workdir: an empty folder, or that of an earlier attempt.
            checkpoint: the last one that an earlier attempt saved: `before.saved[-1]`.
            attempt: from 1.
            cancel_at: the job is cancelled as soon as this step is reported; None: it is not.
        """
        self.workdir, self.checkpoint, self.attempt = workdir, checkpoint, attempt
        self.reports: list[tuple[int, int, str, str]] = []
        """Step, total, stage and message of each report."""
        self.estimates: list[bool] = []
        """Whether each report was estimated."""
        self.signs_of_life = 0
        """The number of calls of `alive`."""
        self.costs: list[Cost] = []
        """What was passed to `spent`."""
        self.previews: list[Any] = []
        self.saved: list[dict[str, Any]] = []
        """The checkpoints."""
        self._cancel_at = cancel_at

    def report(self, step: int, total: int, stage: str, message: str = "", *, estimated: bool = False) -> None:
        self.reports.append((step, total, stage, message))
        self.estimates.append(estimated)

    def alive(self) -> None:
        self.signs_of_life += 1

    def spent(self, cost: Cost) -> None:
        self.costs.append(cost)

    def preview(self, image: Any) -> None:
        self.previews.append(image)

    def save(self, checkpoint: dict[str, Any]) -> None:
        self.saved.append(checkpoint)

    def raise_if_cancelled(self) -> None:
        if self._cancel_at is not None and self.reports and self.reports[-1][0] >= self._cancel_at:
            raise RenderCancelled

    def wait(self, seconds: float) -> None:
        """Wait, but not for longer than a test should."""
        self.raise_if_cancelled()
        time.sleep(min(seconds, 0.05))

    @property
    def steps(self) -> list[int]:
        """The steps that were reported in the stage `rendering`."""
        return [step for step, _, stage, _ in self.reports if stage == "rendering"]
