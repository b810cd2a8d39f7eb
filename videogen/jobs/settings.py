"""How many workers there are, and their time limits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from videogen.jobs.moderation import Moderator


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """The number of workers, and their time limits in seconds."""

    count: int
    """For each engine that `concurrency` does not name."""
    lease_seconds: float
    stall_seconds: float = 0.0
    """A renderer that sends nothing for so long counts as hung; 0: never."""
    concurrency: Mapping[str, int] = field(default_factory=dict)
    """The number of workers of each engine, by its id."""
    moderator: Moderator = field(default_factory=Moderator)
    """Asked before a result is published."""
    closed: Callable[[], Collection[str]] = tuple
    """The engines that may start nothing now. Who opens one notifies the queue."""
    max_attempts: int = 3
    """How many processes that make one export may die."""

    suspend_seconds: float = 1.5
    """Time that a renderer has to reach its next checkpoint when the process stops."""
    shows_holds: bool = True
    """Whether this process shows what waits for an engine why it does not start."""

    def workers_of(self, engine: str) -> int:
        """How many generations of an engine are rendered at once."""
        return self.concurrency.get(engine, self.count)

    def slots_of(self, engine: str) -> int:
        """How many may be rendered at once now."""
        return 0 if engine in self.closed() else self.workers_of(engine)
