"""The queue as the worker and the services see it.

`tests/jobs/test_queue_conformance.py` is the contract in tests, for every implementation.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from videogen.core.log_context import hashed
from videogen.store.estimates import Expected
from videogen.store.progress import Outcome


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to render one generation. `attempt` fences every write made under it."""

    generation_id: str
    session_id: str
    attempt: int
    recipe: dict[str, Any]
    checkpoint: dict[str, Any] | None
    progress: float
    last: bool = False
    """Whether the generation fails if this attempt is lost too."""
    expected: Expected | None = None
    """How long the whole render should take; None where nothing like it was measured."""
    engine: str = ""
    """The id of its engine."""

    @property
    def log_fields(self) -> dict[str, object]:
        """What the lines of its worker in the log are about."""
        fields = {"generation_id": self.generation_id, "attempt": self.attempt, "engine": self.engine}
        return fields | {"session": hashed(self.session_id)}


class Queue(Protocol):
    """Hands out generations to workers, each to one at a time. Thread-safe.

    A generation is in the queue from the commit of its row. The row decides about it, never a message of the queue.
    """

    def claim(self, owner: str, held: Collection[str] = (), without: Collection[str] = ()) -> Lease | None:
        """Take the next generation in the order of `store.queue_order`; None where nothing waits, or the operator holds
        the whole queue.

        Args:
            owner: the id of the worker pool that asks.
            held: ids of generations that `owner` still renders; their leases are not taken over, even if they expired
                (while the whole machine was suspended).
            without: ids of engines whose generations are left to others.
        """

    def claim_all(self, owner: str, slots: Mapping[str, int], held: Collection[str] = ()) -> list[Lease]:
        """Take what `claim` would give one after the other, in one transaction with one change of all positions.

        It takes a bounded number: ask again until it is empty.

        Args:
            owner: as in `claim`.
            slots: how many it may take of each engine, by its id. What waits for other engines is taken without limit.
            held: as in `claim`.
        """

    def renew(self, owner: str, generation_ids: Collection[str]) -> None:
        """Extend the leases of these generations, where `owner` holds them. A lease that is not renewed expires."""

    def finish(self, lease: Lease, outcome: Outcome) -> None:
        """Write the terminal status with its files and its event; the code `cancelled` has a status of its own.

        With `Unknown` the generation stays `processing` in the stage `needs_attention`, and the lease ends: it is in
        the queue again only after `Store.look_again`, whatever expires or restarts. If its cancel was requested, it
        ends as cancelled.

        Raises:
            StaleWriteError: the lease was lost, or the generation has ended. Nothing was changed.
        """

    def lose(self, lease: Lease, reason: str, *, count: bool = True) -> None:
        """Return a generation whose renderer is gone: it is queued again, or fails when its attempts are used up.

        Nothing happens where the lease was lost before. One whose cancel was requested is cancelled.

        Args:
            lease: what was held.
            reason: one sentence for the user.
            count: False where it was not the renderer's fault (the server stops); then it never fails.
        """

    def recover(self) -> int:
        """Queue again what this installation was rendering when it last ended; return how many. For the start.

        What needs attention stays as it is. A drain ends; a pause of the operator stays.
        """

    def supervise(self) -> None:
        """Take back what other workers have lost. Call it a few times in each term of a lease."""

    def withdraw(self) -> None:
        """Tell the other processes, where there are any, that this one renders nothing more."""

    def cancel(self, generation_id: str) -> None:
        """Send the cancel signal to the worker that renders a generation. The request itself is in the row already."""

    def watch_cancels(self, callback: Callable[[str], None]) -> None:
        """Call `callback` with the id of every generation whose cancel is signalled, from any thread.

        A signal from before a claim may be missed: ask `Store.cancel_requested` after the claim.
        """

    def notify(self) -> None:
        """Wake the workers that wait: there may be work."""

    def wait(self, seen: int, timeout: float) -> int:
        """Wait for the first `notify` after number `seen`, at most `timeout` seconds; return the newest number."""
