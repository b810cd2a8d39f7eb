"""A network without an outside. Needs root."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

_NEW_NETWORK: Final = 0x40000000
T = TypeVar("T")


def without_network(work: Callable[[], T]) -> T:
    """Call a function on a thread whose network is a loopback of its own: for its sockets, threads and processes."""

    def run() -> T:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_NEW_NETWORK):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return work()

    with ThreadPoolExecutor(1, thread_name_prefix="without-network") as thread:
        return thread.submit(run).result()
