"""What somebody watches or downloads right now, and when it was used last."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

RECENT_SECONDS: Final = 15 * 60.0
"""What was used less long ago may still be looked at: a player asks for the next part when it needs it."""


class InUse:
    """Uses of generations, by id. Thread-safe; nothing waits for a disk.

    A session may be held as well, by its id: then all that it has is in use.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._held: Counter[str] = Counter()
        self._used: dict[str, float] = {}
        self._unwritten: dict[str, float] = {}

    def note(self, *generation_ids: str) -> None:
        """Note that these are used now."""
        now = self._clock()
        with self._lock:
            for generation_id in generation_ids:
                self._used[generation_id] = self._unwritten[generation_id] = now

    @contextmanager
    def hold(self, *names: str) -> Iterator[None]:
        """Hold generations, or a session, until the block ends."""
        with self._lock:
            self._held.update(names)
        try:
            yield
        finally:
            with self._lock:
                self._held.subtract(names)
                for name in names:
                    if self._held[name] <= 0:
                        del self._held[name]

    def is_used(self, generation_id: str, session_id: str) -> bool:
        """Whether a generation is held, or was used a short time ago."""
        with self._lock:
            is_recent = self._clock() - self._used.get(generation_id, float("-inf")) < RECENT_SECONDS
            return is_recent or generation_id in self._held or session_id in self._held

    def held(self) -> set[str]:
        """The ids of all that is held now, generations and sessions."""
        with self._lock:
            return set(self._held)

    def take_unwritten(self) -> dict[str, float]:
        """What was used since the last call, and when, in seconds since the epoch. What is long ago is forgotten."""
        with self._lock:
            unwritten, self._unwritten = self._unwritten, {}
            before = self._clock() - RECENT_SECONDS
            self._used = {name: at for name, at in self._used.items() if at > before}
        return unwritten
