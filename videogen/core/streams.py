"""The standard streams of a process: open, and able to write any text."""

from __future__ import annotations

import io
import os
import sys
from typing import Final, TextIO

_STREAMS: Final = ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w"))


def prepare_streams() -> None:
    """Call this first. Streams that are closed lead to nowhere; letters that an encoding does not have are replaced."""
    for number, name, mode in _STREAMS:
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is taken, which is this one. A file with that number would get what is printed.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - stays open
        elif mode == "w" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def takes_any_letter(stream: TextIO) -> bool:
    """Whether the encoding of a stream has all letters."""
    return (stream.encoding or "utf-8").lower().replace("_", "-").startswith(("utf-8", "utf8", "utf-16"))


def flush_quietly() -> None:
    """Write what is left to standard output. Where its reader has gone, throw it away without an error at the end."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
