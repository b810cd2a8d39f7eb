"""How long to wait before the next try."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

FIRST_SECONDS: Final = 0.1
LAST_SECONDS: Final = 5.0


class Backoff:
    """Doubling waits with jitter, so that a thousand clients do not come back in the same instant."""

    def __init__(
        self,
        first: float = FIRST_SECONDS,
        last: float = LAST_SECONDS,
        rand: Callable[[], float] = random.random,
    ) -> None:
        self._first = first
        self._last = last
        self._rand = rand
        self._tries = 0

    def next(self, at_least: float = 0.0) -> float:
        """Seconds to wait now: between half and all of a bound that doubles with each try."""
        bound = min(self._last, self._first * 2.0**self._tries)
        self._tries = min(self._tries + 1, 32)
        return max(at_least, bound * (0.5 + self._rand() / 2))

    def reset(self) -> None:
        """Start over from the shortest wait: the other side has shown a sign of life."""
        self._tries = 0
