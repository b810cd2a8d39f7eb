"""The status of a generation, and the one table of its allowed transitions."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """The state of a generation."""

    QUEUED = "queued"
    """Stored; waits for a worker."""
    PROCESSING = "processing"
    """A worker holds its lease; or its stage is `needs_attention`."""
    COMPLETED = "completed"
    """Its file is complete."""
    FAILED = "failed"
    """It ended with an error."""
    CANCELLED = "cancelled"
    """Its owner cancelled it."""

    @property
    def is_terminal(self) -> bool:
        """Whether it is final: no transition leaves it."""
        return not TRANSITIONS[self]


TRANSITIONS: Final[dict[Status, frozenset[Status]]] = {
    Status.QUEUED: frozenset({Status.PROCESSING, Status.CANCELLED}),
    # Back to queued only when the worker was lost, or when the owner lets it be looked for; the next claim raises the
    # attempt number.
    Status.PROCESSING: frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.QUEUED}),
    Status.COMPLETED: frozenset(),
    Status.FAILED: frozenset(),
    Status.CANCELLED: frozenset(),
}
"""The allowed transitions. The store makes each of them as one compare-and-set UPDATE."""


NEEDS_ATTENTION: Final = "needs_attention"
"""The stage of a generation that is `processing`, but without a worker: its owner must say what becomes of it."""

ENGINE_UNAVAILABLE: Final = "engine_unavailable"
"""The stage of what is queued for an engine that cannot render now; its message has the reason."""

HELD: Final = "The operator has paused the queue"
"""The message of what waits while the operator holds the whole queue."""

TERMINAL: Final = tuple(status for status, following in TRANSITIONS.items() if not following)


def statuses_before(target: Status) -> tuple[Status, ...]:
    """The statuses from which a generation may go to `target`."""
    return tuple(status for status, following in TRANSITIONS.items() if target in following)
