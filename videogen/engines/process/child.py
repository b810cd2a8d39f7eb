"""One render in a process of its own: `python -m videogen.engines.process.child MESSAGE_FD`.

Reads one `RenderJob` line on standard input, then `cancel` or the end of the input, which means that the host
is gone. Speaks `protocol` messages on MESSAGE_FD. What the engine prints goes to `render.log` in the workdir.
"""

from __future__ import annotations

import ctypes
import faulthandler
import importlib
import io
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO, Final, NoReturn

import orjson

from videogen.core.errors import StorageError, VideogenError, is_disk_fault
from videogen.engines.base import Artifact, NeedsAttention, RenderCancelled, RenderEnd, RenderFailed
from videogen.engines.process import protocol
from videogen.engines.registry import load_engine

logger = logging.getLogger("videogen.render")

_NICE: Final = 5
_PR_SET_PDEATHSIG: Final = 1
_SUFFIXES: Final = (".mp4", ".webm", ".jpg", ".jpeg", ".png", ".webp")
_PREVIEW_NAME: Final = "preview.jpg"


class Channel:
    """Sends messages to the host, whole lines from any thread."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def send(self, message: protocol.Message) -> None:
        """Send one message. Without a host to read it this process ends: nobody waits for its work."""
        line = memoryview(protocol.encode(message))
        with self._lock:
            try:
                while line:
                    line = line[os.write(self._descriptor, line) :]
            except OSError:
                os._exit(1)


class ChildContext:
    """The `RenderContext` of a render in this process."""

    def __init__(self, job: protocol.RenderJob, channel: Channel) -> None:
        self.workdir = job.workdir
        self.attempt = job.attempt
        self.checkpoint = _stored_checkpoint(job)
        self.step = 0
        self._channel = channel
        self._cancelled = threading.Event()
        self._suspended = threading.Event()

    @property
    def cancelled(self) -> bool:
        """Whether the owner has asked to stop."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Make the next `raise_if_cancelled` raise; from any thread."""
        self._cancelled.set()

    def suspend(self) -> None:
        """Make this process end at the next `save`; from any thread."""
        self._suspended.set()

    def report(self, step: int, total: int, stage: str, message: str = "") -> None:
        """See `RenderContext.report`."""
        total = max(0, int(total))
        self.step = min(max(0, int(step)), total)
        self._channel.send(protocol.Progress(step=self.step, total=total, stage=stage, message=message))

    def preview(self, image: Any) -> None:
        """See `RenderContext.preview`."""
        from videogen.media import write_preview

        path = self.workdir / _PREVIEW_NAME
        try:
            write_preview(image, path)
        except OSError as problem:
            if not is_disk_fault(problem):
                raise
            # The video does not need it.
            logger.warning("a preview could not be written: %s", problem.strerror)
            return
        self._channel.send(protocol.Preview(path=path))

    def save(self, checkpoint: dict[str, Any]) -> None:
        """See `RenderContext.save`."""
        from videogen.media import write_durably

        write_durably(self.workdir / protocol.CHECKPOINT_NAME, orjson.dumps(checkpoint))
        self._channel.send(protocol.Checkpoint(data=checkpoint))
        if self._suspended.is_set():
            # Not by an exception, which an engine could catch: from here on all work would be done twice.
            os._exit(0)

    def raise_if_cancelled(self) -> None:
        """See `RenderContext.raise_if_cancelled`."""
        if self.cancelled:
            raise RenderCancelled


def main() -> NoReturn:
    """Render one job, then leave without a clean-up that could hang."""
    _die_with_host()
    os.environ[protocol.MARK] = f"{os.getppid()} {os.getpid()}"
    channel = Channel(int(sys.argv[1]))
    os.set_inheritable(int(sys.argv[1]), False)
    commands = _private_stdin()
    os.nice(_NICE)
    # Loaded before the request comes: an idle spare has this cost behind it.
    importlib.import_module("videogen.engines.frames")
    importlib.import_module("videogen.engines.procedural.scene")
    line = commands.readline()
    if not line:
        os._exit(0)
    job = protocol.RenderJob.model_validate_json(line)
    try:
        job.workdir.mkdir(parents=True, exist_ok=True)
    except OSError:
        pass  # the render will meet the same, and can tell
    _log_to(job.workdir / protocol.LOG_NAME)
    print(f"{protocol.LOG_HEAD} attempt {job.attempt} of {job.engine}, process {os.getpid()}", flush=True)  # noqa: T201
    context = ChildContext(job, channel)
    threading.Thread(target=_obey, args=(commands, context), daemon=True, name="commands").start()
    step = (context.checkpoint or {}).get("step")
    channel.send(protocol.Started(pid=os.getpid(), resumed_at=step if isinstance(step, int) else None))
    end = render_job(job, context)
    sys.stdout.flush()
    sys.stderr.flush()
    channel.send(end)
    os._exit(0)


def render_job(job: protocol.RenderJob, context: ChildContext) -> protocol.Message:
    """Run the engine; whatever it does becomes exactly one terminal message."""
    try:
        context.raise_if_cancelled()
        artifact = load_engine(job.engine).render(job.recipe, context)
        return protocol.Done(artifact=_check(artifact, job.workdir))
    except RenderCancelled:
        return protocol.Cancelled(step=context.step)
    except (Exception, SystemExit) as problem:
        logger.exception("the render ended with an error")
        # Stopping an engine may break whatever it was doing; its owner asked for that.
        return protocol.Cancelled(step=context.step) if context.cancelled else failure(problem, job.workdir)


def failure(problem: BaseException, workdir: Path | None = None) -> protocol.Failed:
    """What to tell the owner of a render that raised `problem`. With `workdir`, what happens to it is known for
    a fault of the disk, not of the engine."""
    name = type(problem).__name__
    first_line = next(iter(str(problem).splitlines()), "")
    if isinstance(problem, RenderFailed):
        return protocol.Failed(code=problem.code, message=first_line or name, retryable=problem.retryable)
    if isinstance(problem, NeedsAttention):
        return protocol.Failed(code="needs_attention", message=first_line or name)
    if isinstance(problem, RenderEnd):
        return protocol.Failed(code="render_lost", message=first_line or name, retryable=True)
    if isinstance(problem, MemoryError):
        return protocol.Failed(code="out_of_memory", message="Memory ran out. Choose a smaller size.")
    if is_disk_fault(problem) or (workdir and _was_refused(problem, workdir)):
        what = (getattr(problem, "strerror", None) or name).lower()
        message = f"The video could not be written: {what}. Look at the disk of the data folder, then retry."
        return protocol.Failed(code=StorageError.code, message=message, retryable=True)
    if isinstance(problem, VideogenError):
        return protocol.Failed(code=problem.code, message=first_line)
    return protocol.Failed(code="engine_error", message=f"{name}: {first_line}" if first_line else name)


def _was_refused(problem: BaseException, workdir: Path) -> bool:
    """Whether the work folder itself cannot be used: no permission, or something else in its place."""
    refused = isinstance(problem, PermissionError | NotADirectoryError | FileExistsError)
    return refused and str(getattr(problem, "filename", "")).startswith(str(workdir))


def _check(artifact: object, workdir: Path) -> Artifact:
    """Give back the artifact if its file is a whole video in the workdir.

    Raises:
        RenderFailed: it is not.
    """
    from videogen.media import probe, probe_image

    if not isinstance(artifact, Artifact):
        got = type(artifact).__name__
        raise RenderFailed(f"Expected render() to return an Artifact, got {got}.", code="bad_artifact")
    for path in (artifact.path, artifact.poster_path):
        if path and not (path.is_file() and path.resolve().is_relative_to(workdir.resolve())):
            raise RenderFailed(f"Expected a file in ctx.workdir, got {path}.", code="bad_artifact")
        if path and path.suffix not in _SUFFIXES:
            expected = ", ".join(_SUFFIXES)
            raise RenderFailed(f"Expected a file named {expected}, got {path.name}.", code="bad_artifact")
    if artifact.content_type.startswith("video/"):
        probe(artifact.path)
    elif artifact.content_type.startswith("image/"):
        probe_image(artifact.path)
    return artifact


def _stored_checkpoint(job: protocol.RenderJob) -> dict[str, Any] | None:
    """The checkpoint in the workdir, never older than what the host last heard of; else the host's."""
    try:
        stored = orjson.loads((job.workdir / protocol.CHECKPOINT_NAME).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return job.checkpoint
    return stored if isinstance(stored, dict) else job.checkpoint


def _obey(commands: BinaryIO, context: ChildContext) -> None:
    for line in commands:
        if line == protocol.CANCEL:
            context.cancel()
        elif line == protocol.SUSPEND:
            context.suspend()
    # The host is gone; all that counts is durable already.
    os._exit(1)


def _private_stdin() -> BinaryIO:
    """Take standard input away from the engine, which could swallow a command."""
    commands = os.fdopen(os.dup(0), "rb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return commands


class _Log(io.FileIO):
    """A log that a full disk cannot turn into an error of the engine that prints."""

    def write(self, data: Any) -> int:
        """Write what there is room for, and say that it was all."""
        try:
            super().write(data)
        except OSError:
            pass
        return memoryview(data).nbytes


def _log_to(path: Path) -> None:
    """Send standard output and error, of this process and of what it starts, to the end of a file."""
    try:
        log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError:
        log = os.open(os.devnull, os.O_WRONLY)  # the render is worth more than its log
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    for number, name in ((1, "stdout"), (2, "stderr")):
        setattr(sys, name, io.TextIOWrapper(_Log(number, "w"), errors="replace", write_through=True))
    faulthandler.enable()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")


def _die_with_host() -> None:
    """Ask Linux to kill this process with the thread that made it; elsewhere the end of the input must do."""
    if sys.platform == "linux":
        try:
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        except (OSError, AttributeError):
            pass


if __name__ == "__main__":
    main()
