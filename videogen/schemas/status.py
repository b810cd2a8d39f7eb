"""The status of a generation, and the one table of its allowed transitions."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """Where a generation is in its life."""

    QUEUED = "queued"
    """Accepted and durable; waits for a renderer."""
    PROCESSING = "processing"
    """A renderer holds its lease."""
    COMPLETED = "completed"
    """The file is whole and plays."""
    FAILED = "failed"
    """It ended with an error, which it carries."""
    CANCELLED = "cancelled"
    """Its owner stopped it."""

    @property
    def is_terminal(self) -> bool:
        """Nothing leaves a terminal status."""
        return not MOVES[self]


MOVES: Final[dict[Status, frozenset[Status]]] = {
    Status.QUEUED: frozenset({Status.PROCESSING, Status.CANCELLED}),
    # Back to queued only when the worker was lost; the attempt number rises.
    Status.PROCESSING: frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.QUEUED}),
    Status.COMPLETED: frozenset(),
    Status.FAILED: frozenset(),
    Status.CANCELLED: frozenset(),
}
"""The one table of allowed moves; the store turns each into a compare-and-set UPDATE."""


TERMINAL: Final = tuple(status for status, moves in MOVES.items() if not moves)


def moves_to(target: Status) -> tuple[Status, ...]:
    """The statuses from which `target` may be reached."""
    return tuple(status for status, moves in MOVES.items() if target in moves)
