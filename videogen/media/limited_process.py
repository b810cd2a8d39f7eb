"""Reads files that come from anybody in a child process with limits on time and memory.

A file that makes a decoder crash, hang or take too much memory ends the child and nothing else.
"""

from __future__ import annotations

import logging
import os
import resource
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from PIL import Image

from videogen.core.errors import StorageError

logger = logging.getLogger(__name__)

FILE_SECONDS: Final = 10
"""How long the child may take for one file."""
START_SECONDS: Final = 30
MEMORY: Final = 1 << 30
"""Bytes of memory that the child may write to."""
ADDRESSES: Final = 8 << 30
"""Bytes of addresses that the child may have, for systems that do not limit what is written. Libraries take many."""
MAX_PIXELS: Final = 100_000_000
"""Largest width times height of a picture: 400 MB when decoded."""
TOO_MUCH: Final = "one that takes too much time or memory to read"
"""What a file is that ended the child."""
_READY: Final = "ready"
_KEPT: Final = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "TMPDIR")
"""The variables of this process that the child gets. It needs none of the settings and no secret."""


def run_child(module: str, source: bytes | BinaryIO, seconds: float) -> list[str]:
    """Run `python -m module` and return the lines that it has printed before it ended, or was ended.

    Args:
        module: its main function calls `start_child` first.
        source: the child's standard input: bytes, or a file with a descriptor.
        seconds: the time for all of it, beside its start.

    Raises:
        StorageError: the child could not be started.
    """
    output, errors = _run(module, source, START_SECONDS + seconds)
    ready, *lines = output.decode(errors="replace").splitlines() or [""]
    if ready != _READY:
        logger.error("The process that checks files did not start: %s", errors.decode(errors="replace")[-2000:])
        raise StorageError("The files could not be checked. Try again.")
    return lines


def _run(module: str, source: bytes | BinaryIO, seconds: float) -> tuple[bytes, bytes]:
    """What the child prints and what it logs."""
    import_path = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    try:
        ended = subprocess.run(
            [sys.executable, "-P", "-m", module, *map(str, (FILE_SECONDS, round(seconds), MEMORY))],
            input=source if isinstance(source, bytes) else None,
            stdin=None if isinstance(source, bytes) else source,
            capture_output=True,
            timeout=seconds,
            env={name: os.environ[name] for name in _KEPT if name in os.environ} | {"PYTHONPATH": import_path},
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        return late.stdout or b"", b""
    except OSError as problem:
        raise StorageError(f"The files could not be checked: {problem.strerror}. Try again.") from problem
    return ended.stdout, ended.stderr


def start_child() -> int:
    """In the child: limit this process, and report that it is ready. Returns the seconds that one file may take."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # it ends this process, also in the middle of a decoder
    Image.preinit()
    Image.MAX_IMAGE_PIXELS = None  # MAX_PIXELS is checked instead
    file_seconds, seconds, memory = map(int, sys.argv[1:])
    _limit(seconds, memory)
    answer(_READY)
    return file_seconds


def _limit(seconds: int, memory: int) -> None:
    """Limit this process: its processor time in seconds, its memory in bytes, and that it writes no file."""
    for kind, limit in (
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_AS, ADDRESSES),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        # Fails where a stricter limit holds already, and where the system has no such limit.
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (limit, limit))


def answer(line: str) -> None:
    """In the child: print one line for the parent."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
