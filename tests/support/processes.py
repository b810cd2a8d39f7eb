"""Child processes that do not outlive the test process, however it ends."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

PR_SET_PDEATHSIG = 1
# The kernel sends the signal when the *thread* that started the child ends, so one thread starts them all.
_spawner = ThreadPoolExecutor(1, thread_name_prefix="test-spawn")
# Not a `preexec_fn`: that is a fork in a process with threads, of which Python 3.12 warns.
_WRAPPER = (
    "import ctypes, os, sys; "
    f"ctypes.CDLL(None).prctl({PR_SET_PDEATHSIG}, {int(signal.SIGKILL)}); "
    "os.getppid() == int(sys.argv[1]) or os._exit(1); "
    "os.execvp(sys.argv[2], sys.argv[2:])"
)


def start(command: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
    """`subprocess.Popen`, for a child that Linux kills when this process ends."""
    if sys.platform == "linux":
        command = [sys.executable, "-I", "-S", "-c", _WRAPPER, str(os.getpid()), *command]
    return _spawner.submit(subprocess.Popen, command, **options).result()


def end_with_parent() -> None:
    """Have this process receive SIGTERM when its parent ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))
