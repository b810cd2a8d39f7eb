"""The log of each job: what its engine prints and logs.

A child with one job at a time sends its standard output and error there, with all that native code and subprocesses
print. File descriptors cannot be split between jobs that run at the same time. There, `print`, `logging` and
`sys.stderr` of the job's own thread go to the job's log; what other threads, native code and subprocesses print
goes to the output of the child, whose end is shown when the child dies before the job has a log.
"""

from __future__ import annotations

import faulthandler
import io
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final

from videogen.engines.process import protocol

_OUTPUT_LIMIT: Final = 1 << 20
_NAME_CHARS: Final = 100
_TEXT_CHARS: Final = 10_000
_descriptor: ContextVar[int | None] = ContextVar("_descriptor", default=None)
_job: ContextVar[protocol.JobKey | None] = ContextVar("_job", default=None)
_job_of_process: protocol.JobKey | None = None
"""The job that other threads work for too, where there is one at a time."""


class _Output(io.RawIOBase):
    """Writes to the log of the job of the current thread. A full disk is no error of the engine that prints."""

    def __init__(self, default: int) -> None:
        self._default = default

    def fileno(self) -> int:
        return self._default if (own := _descriptor.get()) is None else own

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        """Write as much as the disk takes, and report all of it as written."""
        with suppress(OSError):
            os.write(self.fileno(), data)
        return memoryview(data).nbytes


def install() -> None:
    """Make standard output, standard error and logging of this process follow the job of their thread."""
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        setattr(sys, name, io.TextIOWrapper(_Output(descriptor), errors="replace", write_through=True))
    faulthandler.enable()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")


class HostHandler(logging.Handler):
    """Sends the warnings and errors of jobs to the host, for the log of the server."""

    def __init__(self, send: Callable[[protocol.JobKey, protocol.Message], None]) -> None:
        super().__init__(logging.WARNING)
        self._send, self._process = send, os.getpid()

    def emit(self, record: logging.LogRecord) -> None:
        """Send one, if its thread has a job; as much of it as a pipe takes at once."""
        key = _job.get() or _job_of_process
        # A process that the engine forks has this handler too; its messages would come between those of the engine.
        if key is None or os.getpid() != self._process:
            return
        try:
            exception = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
            name, text = record.name[:_NAME_CHARS], record.getMessage()[:_TEXT_CHARS]
            line = protocol.LogLine(level=record.levelno, logger=name, message=text, exception=exception[-_TEXT_CHARS:])
            self._send(key, line)
        except Exception:  # arguments that do not fit the text, for example
            self.handleError(record)


@contextmanager
def job_log(path: Path, key: protocol.JobKey, *, whole_process: bool) -> Iterator[None]:
    """Append to a file what is printed until the end of the block.

    Args:
        key: the job.
        path: the log; without it (no permission, no space) the output is lost, and the render goes on.
        whole_process: redirect the descriptors of the process, and leave them so; else the current thread alone.
    """
    try:
        log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError:
        log = os.open(os.devnull, os.O_WRONLY)
    global _job_of_process
    _job.set(key)
    try:
        if whole_process:
            _job_of_process = key
            os.dup2(log, 1)
            os.dup2(log, 2)
        else:
            if os.fstat(2).st_size > _OUTPUT_LIMIT:
                os.ftruncate(2, 0)
            _descriptor.set(log)  # the thread ends with the job
        yield
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os.close(log)
