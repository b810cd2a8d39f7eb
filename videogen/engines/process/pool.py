"""Idle renderer children, kept ready for the next job."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future

from videogen.engines.process.spawn import Child, spawn


class ProcessPool:
    """Keeps idle children that have their imports behind them, so that a job's first picture comes sooner.

    Their imports take half a second of a core. So they are made while nothing renders, if they can be, and, once there
    was a job, one more than the next job needs: then there is one for its next attempt too, should its renderer die.

    Thread-safe. Close it, or the idle children live until this process ends.
    """

    def __init__(self, ahead: int = 1, quiet: float = 1.0) -> None:
        """Start the first child.

        Args:
            ahead: how many to have while nothing renders.
            quiet: seconds without a job after which they are made.
        """
        self._ahead, self._quiet = ahead, quiet
        self._lock = threading.Lock()
        self._closed = False
        self._idle: deque[Future[Child]] = deque()
        self._taken = 0
        self._timer: threading.Timer | None = None
        self.refill()

    def take(self) -> Child:
        """An idle child if one is well, else a fresh one; `release()` once it has had its job."""
        with self._lock:
            self._taken += 1
            idle = self._idle.popleft() if self._idle else None
        child = _ready(idle)
        if child is not None:
            if not child.has_exited():
                return child
            child.close()
        return spawn().result()

    @property
    def pid(self) -> int | None:
        """Process id of the child that would be taken next, if there is one."""
        with self._lock:
            child = _ready(self._idle[0]) if self._idle else None
        return child.process.pid if child else None

    def refill(self) -> None:
        """Start an idle child, unless there is one."""
        with self._lock:
            if not self._idle and not self._closed:
                self._idle.append(spawn())

    def release(self) -> None:
        """A child that was taken has ended."""
        with self._lock:
            self._taken -= 1
        self.refill()
        self._top_up_later()

    def _top_up_later(self) -> None:
        with self._lock:
            if self._closed or self._ahead <= 1:
                return
            if self._timer is not None:
                self._timer.cancel()
            self._timer = threading.Timer(self._quiet, self._top_up)
            self._timer.daemon = True
            self._timer.start()

    def _top_up(self) -> None:
        with self._lock:
            while not self._closed and not self._taken and len(self._idle) < self._ahead:
                self._idle.append(spawn())

    def close(self) -> None:
        """Kill the idle children and start no other."""
        with self._lock:
            self._closed = True
            idle, self._idle = list(self._idle), deque()
            if self._timer is not None:
                self._timer.cancel()
        for child in map(_ready, idle):
            if child is not None:
                child.close()


def _ready(idle: Future[Child] | None) -> Child | None:
    """The child that was asked for, or None where none was or none could be started."""
    try:
        return idle.result() if idle else None
    except OSError:
        return None
