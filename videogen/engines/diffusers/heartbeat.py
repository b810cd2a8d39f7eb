"""Reports that a slow load goes on. A load that hangs reports nothing, so the host's time limit ends it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, Self

INTERVAL_SECONDS: Final = 2.0
_MIN_CPU_SECONDS: Final = 0.05
_MIN_BYTES: Final = 1 << 16


class Activity:
    """Whether this process has worked since the last look: used the processor, read or written."""

    def __init__(self) -> None:
        self._cpu, self._bytes = _used()

    def has_grown(self) -> bool:
        """Whether anything has happened since the last call."""
        cpu, count = _used()
        grown = cpu - self._cpu >= _MIN_CPU_SECONDS or count - self._bytes >= _MIN_BYTES
        self._cpu, self._bytes = cpu, count
        return grown


class Heartbeat(AbstractContextManager["Heartbeat"]):
    """Calls `beat` from a thread while the block works, and not while it stands still."""

    def __init__(
        self, beat: Callable[[], None], is_active: Callable[[], bool] | None = None, interval: float = INTERVAL_SECONDS
    ) -> None:
        """Make one that beats every `interval` seconds in which `is_active` returned True."""
        self._beat, self._interval = beat, interval
        self._is_active = is_active or Activity().has_grown
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="heartbeat")

    def __enter__(self) -> Self:
        self._beat()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._interval):
            if self._is_active():
                self._beat()


def memory_gigabytes() -> float:
    """Main memory that this process uses; 0 where it cannot be read."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e9


def _used() -> tuple[float, int]:
    """Seconds of processor time, and bytes read and written."""
    try:
        fields = Path("/proc/self/io").read_text().split()
        count = sum(int(fields[index]) for index in (1, 3, 9))  # rchar, wchar, read_bytes
    except (OSError, ValueError, IndexError):
        count = 0
    return time.process_time(), count
