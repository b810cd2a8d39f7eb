"""A renderer process: `python -m videogen.engines.process.child MESSAGE_FD ENGINE_REFERENCE`.

Reads commands (see `protocol`) from standard input, and writes messages to MESSAGE_FD. It imports its engine, then
renders jobs until its input ends, which means that the host is gone.
"""

from __future__ import annotations

import ctypes
import importlib
import logging
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO, Final, NoReturn

from videogen.core.errors import StorageError, VideogenError, is_disk_fault
from videogen.engines.availability import why_unavailable
from videogen.engines.base import NeedsAttention, ProcessPolicy, RenderCancelled, RenderEnd, RenderFailed
from videogen.engines.process import logs, protocol
from videogen.engines.process.context import Channel, ChildContext
from videogen.engines.process.result import make_playable
from videogen.engines.process.spans import SpanRenderer
from videogen.engines.registry import load_engine, process_policy

logger = logging.getLogger("videogen.render")

_NICE: Final = 5
_PR_SET_PDEATHSIG: Final = 1


class Jobs:
    """The jobs of this process."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._waiting: SimpleQueue[ChildContext] = SimpleQueue()
        self._contexts: dict[protocol.JobKey, ChildContext] = {}

    def read_commands(self, commands: BinaryIO) -> NoReturn:
        """Carry out the host's commands until there is no host any more."""
        for line in commands:
            key, command = protocol.decode(line)
            if isinstance(command, protocol.Start):
                self._contexts[key] = ChildContext(command.job, self._channel)
                self._waiting.put(self._contexts[key])
            elif (context := self._contexts.get(key)) and isinstance(command, protocol.Command):
                context.obey(command)  # without a context it comes after the end of its job
        os._exit(1)  # all that counts is durable already

    def render(self, *, concurrent: bool) -> NoReturn:
        """Render jobs: each on a thread of its own, or one after the other on this one."""
        while True:
            context = self._waiting.get()
            if concurrent:
                threading.Thread(target=self._render, args=(context, False), daemon=True).start()
            else:
                self._render(context, True)

    def _render(self, context: ChildContext, whole_process: bool) -> None:
        job = context.job
        with suppress(OSError):  # the render will meet the same error, and report it
            job.workdir.mkdir(parents=True, exist_ok=True)
        with logs.job_log(job.workdir / protocol.LOG_NAME, job.key, whole_process=whole_process):
            head = f"{protocol.LOG_HEAD} attempt {job.attempt} of {job.recipe.engine}, process {os.getpid()}"
            print(head, flush=True)  # noqa: T201
            end = render_job(context)
        self._contexts.pop(job.key, None)
        self._channel.send(job.key, end)


def render_job(context: ChildContext) -> protocol.Message:
    """Run the engine of a job. Whatever it does, the result is one terminal message."""
    job = context.job
    try:
        context.raise_if_cancelled()
        engine = load_engine(job.engine)
        if (reason := why_unavailable(engine)) is not None:
            if context.checkpoint and process_policy(job.engine).keep_checkpoints:
                raise NeedsAttention(f"{reason} The job was sent before that, and may still run.")
            raise RenderFailed(reason, code="engine_unavailable", retryable=True)
        context.begin(engine)
        made = SpanRenderer(engine, context).render() if job.recipe.spans else engine.render(job.recipe, context)
        return protocol.Done(artifact=make_playable(made, context))
    except RenderCancelled as cancelled:
        return protocol.Cancelled(step=context.step, message=str(cancelled))
    except BaseException as error:  # the last frame of the job: also SystemExit, which would end a thread silently
        logger.exception("the render ended with an error")
        # Stopping an engine may break what it is doing, and the owner has asked for that.
        return protocol.Cancelled(step=context.step) if context.cancelled.is_set() else failure(error, job.workdir)


def failure(error: BaseException, workdir: Path | None = None) -> protocol.Failed | protocol.NeedsAttention:
    """The message for the owner of a render that raised `error`.

    A permission error below `workdir` is a fault of the disk, not of the engine.
    """
    name = type(error).__name__
    text = next(iter(str(error).splitlines()), "")
    if isinstance(error, RenderFailed):
        return protocol.Failed(code=error.code, message=text or name, retryable=error.retryable)
    if isinstance(error, NeedsAttention):
        return protocol.NeedsAttention(
            message=text or name, sent_at=error.sent_at, provider_id=error.provider_id, look_at=error.look_at
        )
    if isinstance(error, RenderEnd):
        return protocol.Failed(code="render_lost", message=text or name, retryable=True)
    if isinstance(error, MemoryError):
        return protocol.Failed(code="out_of_memory", message="Memory ran out. Choose a smaller size.")
    if is_disk_fault(error) or (workdir and _is_refused(error, workdir)):
        reason = (getattr(error, "strerror", None) or name).lower()
        message = f"The video could not be written: {reason}. Look at the disk of the data folder, then retry."
        return protocol.Failed(code=StorageError.code, message=message, retryable=True)
    if isinstance(error, VideogenError):
        return protocol.Failed(code=error.code, message=text)
    return protocol.Failed(code="engine_error", message=f"{name}: {text}" if text else name)


def _is_refused(error: BaseException, workdir: Path) -> bool:
    """Whether the work folder cannot be used: no permission, or a file in its place."""
    refused = isinstance(error, PermissionError | NotADirectoryError | FileExistsError)
    return refused and str(getattr(error, "filename", "")).startswith(str(workdir))


def main() -> None:
    """Import the engine, then render until the host kills this process or is gone."""
    _die_with_host()
    os.environ[protocol.MARK] = f"{os.getppid()} {os.getpid()}"
    descriptor, engine = int(sys.argv[1]), sys.argv[2]
    os.set_inheritable(descriptor, False)
    commands = _take_stdin()
    logs.install()
    os.nice(_NICE)
    policy = _import_engine(engine)
    channel = Channel(descriptor)
    logging.getLogger().addHandler(logs.HostHandler(channel.send))
    jobs = Jobs(channel)
    threading.Thread(target=jobs.read_commands, args=(commands,), daemon=True, name="commands").start()
    jobs.render(concurrent=policy.mode == "concurrent")


def _import_engine(reference: str) -> ProcessPolicy:
    """Import all that a job will need, and return the engine's policy."""
    policy = ProcessPolicy()
    try:
        policy = process_policy(reference)
        for name in policy.imports:
            importlib.import_module(name)
    except Exception:
        logger.exception("the engine could not be imported")  # a job will meet the same error, and report it
    return policy


def _take_stdin() -> BinaryIO:
    """Take standard input away from the engine, which could read a command."""
    commands = os.fdopen(os.dup(0), "rb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return commands


def _die_with_host() -> None:
    """Ask Linux to kill this process with the thread that started it. Elsewhere it ends with its standard input."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


if __name__ == "__main__":
    main()
