"""The memory of this process."""

from __future__ import annotations

import ctypes
from contextlib import suppress


def return_free_memory() -> None:
    """Give freed memory back to the system: the C library of Linux (glibc) keeps it for later otherwise.

    Does nothing with another C library.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
