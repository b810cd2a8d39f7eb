"""The `RenderContext` that an engine gets in a child process."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path
from typing import Any

import orjson

from videogen.core.atomic_files import write_durably
from videogen.core.errors import is_disk_fault
from videogen.engines.base import Engine, RenderCancelled, RenderLost
from videogen.engines.process import protocol
from videogen.engines.registry import process_policy
from videogen.schemas.engines import Cost

logger = logging.getLogger("videogen.render")


class Channel:
    """Sends messages to the host. Thread-safe."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def send(self, key: protocol.JobKey, message: protocol.Message) -> None:
        """Send one message about a job. If the host is gone, this process ends: nobody waits for its work."""
        line = memoryview(protocol.encode(key, message))
        with self._lock:
            try:
                while line:
                    line = line[os.write(self._descriptor, line) :]
            except OSError:
                os._exit(1)


class ChildContext:
    """See `RenderContext`. Any thread may call `obey`; a suspended attempt ends at its next `save` or `wait`."""

    def __init__(self, job: protocol.RenderJob, channel: Channel) -> None:
        self.job, self.workdir, self.attempt = job, job.workdir, job.attempt
        self.checkpoint = stored_checkpoint(job.workdir, job.checkpoint)
        self.account_key = job.account_key
        """The access token of the visitor on whose account it renders; else empty."""
        self.step = 0
        self._channel = channel
        self._saves = True
        self.cancelled = threading.Event()
        self._suspended, self._abandoned, self._woken = threading.Event(), threading.Event(), threading.Event()

    def obey(self, command: protocol.Command) -> None:
        """Carry out a command of the host, as soon as the engine looks."""
        match command:
            case protocol.Cancel():
                self.cancelled.set()
            case protocol.Suspend():
                self._suspended.set()
            case protocol.Abandon():
                self._abandoned.set()
        self._woken.set()

    def begin(self, engine: Engine) -> None:
        """Tell the host that the engine is loaded. A checkpoint of another version of it is thrown away."""
        version, installed = self.job.recipe.engine_version, engine.version
        self._saves = version == installed or process_policy(self.job.engine).keep_checkpoints
        discarded = not self._saves and self.checkpoint is not None
        if discarded:
            self.checkpoint = None
            (self.workdir / protocol.CHECKPOINT_NAME).unlink(missing_ok=True)
        step = (self.checkpoint or {}).get("step")
        self._send(protocol.Started(pid=os.getpid(), resumed_at=step if isinstance(step, int) else None))
        if discarded:
            was = f"it was begun with version {version} of {engine.id}"
            text = f"It begins again at frame 0: {was}, this is {installed}."
            logger.warning(text)
            self._send(protocol.Checkpoint(data={}))
            self._send(protocol.Progress(step=0, total=0, stage="starting", message=text))

    def report(self, step: int, total: int, stage: str, message: str = "", *, estimated: bool = False) -> None:
        total = max(0, int(total))
        self.step = min(max(0, int(step)), total)
        self._send(protocol.Progress(step=self.step, total=total, stage=stage, message=message, estimated=estimated))

    def alive(self) -> None:
        self._send(protocol.Alive())

    def spent(self, cost: Cost) -> None:
        self._send(protocol.Spent(cost=cost))

    def preview(self, image: Any) -> None:
        from videogen.media.image import write_preview

        path = self.workdir / "preview.jpg"
        try:
            write_preview(image, path)
            self._send(protocol.Preview(path=path))
        except OSError as problem:  # the video does not need it
            if not is_disk_fault(problem):
                raise
            logger.warning("a preview could not be written: %s", problem.strerror)

    def save(self, checkpoint: dict[str, Any]) -> None:
        self.raise_if_cancelled()  # an abandoned job must not write beside its next attempt
        # Under another version of the engine no attempt could use it.
        if self._saves:
            write_durably(self.workdir / protocol.CHECKPOINT_NAME, orjson.dumps(checkpoint))
            self._send(protocol.Checkpoint(data=checkpoint))
        self._end_if_suspended()

    def raise_if_cancelled(self) -> None:
        if self.cancelled.is_set():
            raise RenderCancelled
        if self._abandoned.is_set():
            raise RenderLost("The job was taken away from this process.")

    def wait(self, seconds: float) -> None:
        self._woken.wait(seconds)
        self.raise_if_cancelled()
        self._end_if_suspended()

    def _end_if_suspended(self) -> None:
        if self._suspended.is_set():
            self._send(protocol.Suspended())
            # Not an exception, which an engine could catch: all further work would be done twice.
            threading.Event().wait()

    def _send(self, message: protocol.Message) -> None:
        self._channel.send(self.job.key, message)


def stored_checkpoint(workdir: Path, known: dict[str, Any] | None) -> dict[str, Any] | None:
    """The checkpoint in the workdir, which is never older than the one that the host has `known`; else the host's.

    The key `look` is the host's: the owner has asked for it after the checkpoint was saved.
    """
    try:
        stored = orjson.loads((workdir / protocol.CHECKPOINT_NAME).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        stored = None
    look = {"look": True} if (known or {}).get("look") else {}
    return ((stored if isinstance(stored, dict) else known) or {}) | look or None
