"""Whose turn it is to write: one writer after the other, each with a deadline of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from videogen.core.errors import DatabaseBusyError

PATIENCE_SECONDS: Final = 5.0
"""How long a write waits in all: for the writers before it, and for the file where another program holds it."""
MAX_WAITING: Final = 20
"""The writers that may wait while another program holds the file: half of the threads that serve requests. The other
half goes on with reads."""
_OWN_WRITE: Final = (
    "The server is in the middle of a large change. Nothing was changed by this request: try again soon."
)
logger = logging.getLogger(__name__)


class WriteTurns:
    """A lock with a deadline that knows whether another program holds the file. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seats = threading.BoundedSemaphore(MAX_WAITING)
        self._deadline = 0.0
        self._blocked = False
        """Whether the writer whose turn it is still waits for the file."""
        self._held = False
        """Whether the last writer found the file held by another program, until its deadline."""

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for the turn to write, and keep it for the block.

        Raises:
            DatabaseBusyError: it did not come before the deadline.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        if not self._lock.acquire(timeout=PATIENCE_SECONDS / 10):
            self._wait_longer(deadline)
        try:
            self._deadline, self._blocked = deadline, True
            yield
        finally:
            self._blocked = False
            self._lock.release()

    def _wait_longer(self, deadline: float) -> None:
        seated = self._seats.acquire(blocking=False)
        try:
            if not seated and (self._blocked or self._held):
                raise DatabaseBusyError
            if not self._lock.acquire(timeout=max(0.0, deadline - time.monotonic())):
                raise DatabaseBusyError(None if self._blocked or self._held else _OWN_WRITE)
        finally:
            if seated:
                self._seats.release()

    def milliseconds_left(self) -> int:
        """How long the writer whose turn it is may wait for the file; 0 where the one before it waited in vain."""
        return 0 if self._held else max(0, int((self._deadline - time.monotonic()) * 1000))

    def note(self, *, held: bool) -> None:
        """Note whether the writer whose turn it is found the file held by another program."""
        if held != self._held:
            logger.warning(
                "Another program holds the database: writes are refused until it lets go of it."
                if held
                else "The database can be written again."
            )
        # In this order: whoever stops to wait in between must not take it for a long write of the server itself.
        self._held = held
        self._blocked = False
