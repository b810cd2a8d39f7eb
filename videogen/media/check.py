"""Checks videos and pictures that come from anybody, in a child process with limits on time and memory.

The child is `python -m videogen.media.check`: it reads paths from standard input, and prints a line for each.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final, cast

from PIL import Image

from videogen.media.limited_process import MAX_PIXELS, TOO_MUCH, answer, run_child, start_child
from videogen.media.probe import BrokenMediaError, probe

MEAN_SECONDS: Final = 0.25
"""How long the checks of many files may take for each of them. A video takes a few milliseconds."""
_PICTURES: Final = {".png": "PNG", ".jpg": "JPEG"}
_WHOLE: Final = "whole"


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
    results = run_child(__name__, "\n".join(map(str, paths)).encode(), MEAN_SECONDS * len(paths))
    whole = sum(result == _WHOLE for result in results)
    if whole < len(paths):
        raise CheckError(results[whole] if whole < len(results) else TOO_MUCH, whole)


def _check(path: Path) -> None:
    if path.suffix == ".mp4":
        probe(path)
        return
    with Image.open(cast(BinaryIO, path), formats=[_PICTURES[path.suffix]]) as image:
        if image.width * image.height > MAX_PIXELS:
            raise _TooLargeError(f"one of {image.width} x {image.height} pixels, more than {MAX_PIXELS}")
        image.load()


def _main() -> None:
    paths = sys.stdin.read().splitlines()
    file_seconds = start_child()
    for path in paths:
        signal.alarm(file_seconds)
        try:
            _check(Path(path))
        except MemoryError:
            return
        except Exception as problem:
            answer(problem.detail if isinstance(problem, _TooLargeError) else "something else")
            return
        answer(_WHOLE)


if __name__ == "__main__":
    _main()
