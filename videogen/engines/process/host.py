"""The host's side of one render in a child process: start it, read its messages, stop it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Final

from videogen.engines.base import RenderLost
from videogen.engines.process import protocol
from videogen.engines.process.pool import ProcessPool, start_timer
from videogen.engines.registry import process_policy

_POLL_SECONDS: Final = 0.5
_LOG_LINES: Final = 3
"""The lines at the end of a log that are in the message of a lost renderer."""
_LINE_CHARS: Final = 160


class RenderHandle(AbstractContextManager["RenderHandle"]):
    """One job in a child process, which may have other jobs at the same time.

    Any thread may call `cancel`, `suspend` and `kill`. The thread that reads `messages` also calls `close`, or uses
    this as a context manager. The thread that made it may end before the job does.
    """

    def __init__(
        self,
        job: protocol.RenderJob,
        pool: ProcessPool,
        *,
        grace: float | None = None,
        stall: float = 0.0,
        on_idle: Callable[[], None] = lambda: None,
    ) -> None:
        """Start the job.

        Args:
            job: what to render.
            pool: gives the child. It starts the next spare once this job shows its first picture or step.
            grace: seconds that a cancelled job has until it is stopped by force; None: as the engine's policy says.
            stall: seconds without a message after which the job counts as hung, and is stopped by force; 0: never.
            on_idle: called by the reader of `messages` whenever nothing has come for half a second. An exception that
                it raises ends the reading.

        Raises:
            ConfigError: there is no such engine.
            OSError: no process could be started.
        """
        self._job = job.model_copy(update={"workdir": job.workdir.resolve()})
        policy = process_policy(job.engine)
        self._pool, self._stall, self._on_idle = pool, stall, on_idle
        self._grace = policy.cancel_seconds if grace is None else grace
        self._connection, self._mailbox = pool.start(self._job)
        self.pid = self._connection.child.process.pid
        self._lock = threading.Lock()
        self._limits: dict[type[protocol.Message], threading.Timer] = {}
        """The time limit of each command that was sent."""
        self._step, self._silent = 0, 0.0
        self._max_seconds = policy.max_seconds
        self._taken, self._counted_at = 0.0, time.monotonic()
        self._has_ended = self._closed = False

    def messages(self) -> Iterator[protocol.Message]:
        """Yield what the child sends, up to exactly one Done, Cancelled or Failed.

        Raises:
            RenderLost: the child died before that, sent nothing for too long, broke the protocol, or was suspended.
        """
        first: int | None = None
        while message := self._next():
            self._has_ended = protocol.is_end(message)
            if isinstance(message, protocol.Suspended):
                break
            if isinstance(message, protocol.Progress):
                self._step = message.step
                first = message.step if first is None else first
            if isinstance(message, protocol.Preview) or (first is not None and self._step > first):
                # Not earlier: the imports of a spare would compete with this job's first picture.
                self._pool.prepare(self._job.engine)
            yield message
            if self._has_ended:
                return
        if protocol.Suspend in self._limits:
            raise RenderLost("The server stopped.")
        if protocol.Cancel in self._limits:
            yield protocol.Cancelled(step=self._step)
            return
        if failed := self._over_limit():
            yield failed
            return
        raise RenderLost(self._with_log_tail(f"The renderer {self._connection.describe_end()} at step {self._step}."))

    def cancel(self) -> None:
        """Ask the job to stop, and stop it by force after the grace. A second call does nothing."""
        self._stop(protocol.Cancel(), self._grace)

    def suspend(self, grace: float) -> None:
        """Ask the job to end at its next checkpoint, and stop it by force after `grace` seconds.

        A second call does nothing. The child takes no further job.
        """
        self._connection.retire()
        self._stop(protocol.Suspend(), grace)

    def kill(self) -> None:
        """Stop the job by force, now: SIGKILL for the child and all it has started, unless it has other jobs."""
        self._connection.abandon(self._job.key)

    def close(self) -> None:
        """Stop the job, if it has not ended, and give the child back. A second call does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for timer in self._limits.values():
                timer.cancel()
        if not self._has_ended:
            self.kill()
        self._pool.finish(self._connection, self._job.key)

    def __exit__(self, *_: object) -> None:
        self.close()

    def _stop(self, command: protocol.Message, grace: float) -> None:
        with self._lock:
            if self._closed or type(command) in self._limits:
                return
            self._limits[type(command)] = start_timer(grace, self.kill)
        self._connection.child.send(self._job.key, command)

    def _next(self) -> protocol.Message | None:
        """The next message; None when nothing more will come."""
        while True:
            began = time.monotonic()
            self._taken += min(began - self._counted_at, 2 * _POLL_SECONDS)  # as below
            self._counted_at = began
            if self._is_late():
                self.kill()
                return None
            try:
                message = self._mailbox.get(timeout=_POLL_SECONDS)
                if not isinstance(message, protocol.LogLine):  # it may complain for ever of what it waits for
                    self._silent = 0.0
                return message
            except queue.Empty:
                # Bounded: if this process stood still, the child may have stood still with it.
                self._silent += min(time.monotonic() - began, 2 * _POLL_SECONDS)
            # A cancelled job has its own time limit.
            if 0 < self._stall <= self._silent and protocol.Cancel not in self._limits:
                self.kill()
                text = f"The renderer sent nothing for {self._stall:g} seconds at step {self._step} and was stopped."
                raise RenderLost(self._with_log_tail(text))
            self._on_idle()

    def _is_late(self) -> bool:
        return 0 < self._max_seconds < self._taken

    def _over_limit(self) -> protocol.Failed | None:
        """Why another attempt would end in the same way; None where it may not."""
        if self._is_late():
            text = f"The render took more than the {self._max_seconds:g} seconds that it may, and was stopped."
            advice = "Choose a smaller size or a shorter video."
            return protocol.Failed(code="time_limit", message=f"{self._with_log_tail(text)} {advice}")
        # The memory of a child with other jobs, before or beside this one, may have been theirs.
        if self._connection.took_too_much and self._connection.jobs_started == 1:
            text = self._with_log_tail(f"The renderer {self._connection.describe_end()} at step {self._step}.")
            return protocol.Failed(code="out_of_memory", message=f"{text} Choose a smaller size.")
        return None

    def _with_log_tail(self, text: str) -> str:
        """Add the last lines of this attempt's log, or of what the child printed before it had one."""
        try:
            log = (self._job.workdir / protocol.LOG_NAME).read_text(errors="replace")
        except OSError:
            log = ""
        _, head, output = log.rpartition(f"{protocol.LOG_HEAD} attempt {self._job.attempt} ")
        output = output.partition("\n")[2] if head else self._connection.child.output_tail()
        lines = [line.strip() for line in output.split("\n") if line.strip()]
        last = " | ".join(line[:_LINE_CHARS] for line in lines[-_LOG_LINES:])
        return f"{text} Its log ends: {last.rstrip('.')}." if last else text
