"""Reads files that come from anybody in a child process with limits on time and memory.

A file that makes a decoder crash, hang or take too much memory ends the child and nothing else.
"""

from __future__ import annotations

import logging
import os
import resource
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, BinaryIO, Final

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
WRITER_SECONDS: Final = 3600
"""How long a child that writes a file may take."""
WRITER_MEMORY: Final = 4 << 30
"""Bytes of memory that such a child may write to: an encoder keeps many frames."""
_SILENCE_SECONDS: Final = 0.2
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


def follow_writer(
    module: str, source: bytes, seconds: int = WRITER_SECONDS, most_bytes: int = resource.RLIM_INFINITY
) -> Generator[str | None]:
    """Run `python -m module`, which may write files, and yield each line that it prints; None while it prints nothing.

    What it logs goes to the standard error of this process. Closing the generator kills it.

    Args:
        module: its main function calls `start_child` first.
        source: the child's standard input.
        seconds: how long it may take.
        most_bytes: how large a file may become that it writes.

    Raises:
        StorageError: the child could not be started.
    """
    arguments = (seconds, seconds * (os.cpu_count() or 1), WRITER_MEMORY, most_bytes)
    with tempfile.TemporaryFile() as given:
        given.write(source)
        given.seek(0)
        try:
            process = subprocess.Popen(
                _command(module, *arguments), stdin=given, stdout=subprocess.PIPE, env=_environment()
            )
        except OSError as problem:
            raise StorageError(f"The file could not be converted: {problem.strerror}. Try again.") from problem
    with process:
        try:
            lines = _follow(process.stdout, seconds) if process.stdout else iter(())
            if next((line for line in lines if line is not None), "") != _READY:
                raise StorageError("The process that converts files did not start. Try again.")
            yield from lines
        finally:
            process.kill()


def _follow(output: IO[bytes], seconds: int) -> Iterator[str | None]:
    """The lines of a pipe until it is closed, or for so many seconds; None in each silence."""
    rest, deadline = b"", time.monotonic() + START_SECONDS + seconds
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while time.monotonic() < deadline:
            if not selector.select(_SILENCE_SECONDS):
                yield None
                continue
            chunk = os.read(output.fileno(), 1 << 16)
            if not chunk:
                return
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (line.decode(errors="replace") for line in lines)


def _command(module: str, *arguments: int) -> list[str]:
    return [sys.executable, "-P", "-m", module, *map(str, arguments)]


def _environment() -> dict[str, str]:
    import_path = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    return {name: os.environ[name] for name in _KEPT if name in os.environ} | {"PYTHONPATH": import_path}


def _run(module: str, source: bytes | BinaryIO, seconds: float) -> tuple[bytes, bytes]:
    """What the child prints and what it logs."""
    try:
        ended = subprocess.run(
            _command(module, FILE_SECONDS, round(seconds), MEMORY, 0),
            input=source if isinstance(source, bytes) else None,
            stdin=None if isinstance(source, bytes) else source,
            capture_output=True,
            timeout=seconds,
            env=_environment(),
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
    file_seconds, seconds, memory, written = map(int, sys.argv[1:])
    _limit(seconds, memory, written)
    answer(_READY)
    return file_seconds


def _limit(seconds: int, memory: int, written: int) -> None:
    """Limit this process: processor time in seconds, memory in bytes, and the bytes of a file that it writes."""
    for kind, limit in (
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_AS, ADDRESSES),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, written),
        (resource.RLIMIT_CORE, 0),
    ):
        # Fails where a stricter limit holds already, and where the system has no such limit.
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (limit, limit))


def answer(line: str) -> None:
    """In the child: print one line for the parent."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
