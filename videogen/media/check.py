"""Checks videos and pictures that come from anybody, in a child process with limits on time and memory.

A file that makes a decoder crash, hang or take too much memory ends the child and nothing else. The child is
`python -m videogen.media.check`: it reads paths from standard input, and prints a line for each.
"""

from __future__ import annotations

import logging
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, cast

from PIL import Image

from videogen.core.errors import StorageError
from videogen.media.probe import BrokenMediaError, probe

logger = logging.getLogger(__name__)

FILE_SECONDS: Final = 10
"""How long the check of one file may take."""
START_SECONDS: Final = 30
MEAN_SECONDS: Final = 0.25
"""How long the checks of many files may take for each of them. A video takes a few milliseconds."""
MEMORY: Final = 1 << 30
"""Bytes of memory that the child may write to."""
ADDRESSES: Final = 8 << 30
"""Bytes of addresses that the child may have, for systems that do not limit what is written. Libraries take many."""
MAX_PIXELS: Final = 100_000_000
"""Largest width times height of a picture: 400 MB when decoded."""
_PICTURES: Final = {".png": "PNG", ".jpg": "JPEG"}
_READY: Final = "ready"
_WHOLE: Final = "whole"
_KEPT: Final = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "TMPDIR")
"""The variables of this process that the child gets. It needs none of the settings and no secret."""


class CheckError(BrokenMediaError, code="broken_media", title="Broken media file"):
    """A file is not a whole video or picture. `index` is its place in the list, the detail what it is instead."""

    def __init__(self, detail: str, index: int) -> None:
        super().__init__(detail)
        self.index = index


class _TooLargeError(BrokenMediaError, code="broken_media", title="Broken media file"):
    """A picture has too many pixels."""


def check_files(paths: Sequence[Path]) -> None:
    """Check that each file is a whole MP4, PNG or JPEG, as its suffix says. Blocks until all are checked.

    Raises:
        CheckError: a file is something else.
        StorageError: the child could not be started.
    """
    if not paths:
        return
    output, errors = _run_child(paths)
    ready, *results = output.decode(errors="replace").splitlines() or [""]
    if ready != _READY:
        logger.error("The process that checks files did not start: %s", errors.decode(errors="replace")[-2000:])
        raise StorageError("The files could not be checked. Try again.")
    whole = sum(result == _WHOLE for result in results)
    if whole < len(paths):
        reason = results[whole] if whole < len(results) else "one that takes too much time or memory to read"
        raise CheckError(reason, whole)


def _run_child(paths: Sequence[Path]) -> tuple[bytes, bytes]:
    """What the child prints and what it logs."""
    seconds = START_SECONDS + MEAN_SECONDS * len(paths)
    import_path = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    try:
        ended = subprocess.run(
            [sys.executable, "-P", "-m", __name__, *map(str, (FILE_SECONDS, round(seconds), MEMORY))],
            input="\n".join(map(str, paths)).encode(),
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


def _check(path: Path) -> None:
    if path.suffix == ".mp4":
        probe(path)
        return
    with Image.open(cast(BinaryIO, path), formats=[_PICTURES[path.suffix]]) as image:
        if image.width * image.height > MAX_PIXELS:
            raise _TooLargeError(f"one of {image.width} x {image.height} pixels, more than {MAX_PIXELS}")
        image.load()


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


def _answer(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _main() -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # it ends this process, also in the middle of a decoder
    Image.preinit()
    Image.MAX_IMAGE_PIXELS = None  # MAX_PIXELS is checked instead
    paths = sys.stdin.read().splitlines()
    file_seconds, seconds, memory = map(int, sys.argv[1:])
    _limit(seconds, memory)
    _answer(_READY)
    for path in paths:
        signal.alarm(file_seconds)
        try:
            _check(Path(path))
        except MemoryError:
            return
        except Exception as problem:
            _answer(problem.detail if isinstance(problem, _TooLargeError) else "something else")
            return
        _answer(_WHOLE)


if __name__ == "__main__":
    _main()
