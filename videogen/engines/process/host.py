"""The host's side of a render in a child process: hand over the job, read it, stop it, leave nothing behind."""

from __future__ import annotations

import os
import selectors
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final, Self

from pydantic import ValidationError

from videogen.engines.base import RenderLost
from videogen.engines.process import protocol
from videogen.engines.process.pool import ProcessPool
from videogen.engines.process.spawn import spawn

_LOOK_SECONDS: Final = 0.5
_CHUNK: Final = 1 << 16


class RenderProcess:
    """One job in one child process. Any thread may call `cancel` and `kill`; the one that reads `messages`
    also calls `close`, or uses this as a context manager.

    The caller's thread may end: Linux kills a renderer with the thread that started it, and that is one of
    this module, which lives as long as the process.
    """

    def __init__(
        self,
        job: protocol.RenderJob,
        *,
        grace: float = 3.0,
        stall: float = 0.0,
        spare: ProcessPool | None = None,
        on_pause: Callable[[], None] = lambda: None,
    ) -> None:
        """Start the job.

        Args:
            job: what to render.
            grace: seconds that a cancelled child has before it is killed.
            stall: seconds after which a child that says nothing is taken for hung, and killed; 0: never.
            spare: takes its idle child, and has it start the next one once this job shows its first picture or step.
            on_pause: called by the reader of `messages` whenever nothing has come for half a second; what it raises
                ends the reading.

        Raises:
            OSError: no process could be started.
        """
        self._job = job.model_copy(update={"workdir": job.workdir.resolve()})
        self._grace, self._stall = grace, stall
        self._spare = spare
        self._on_pause = on_pause
        self._child = spare.take() if spare else spawn().result()
        self.pid = self._child.process.pid
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._suspended = threading.Event()
        self._timers: list[threading.Timer] = []
        self._step = 0
        self._child.send(protocol.encode(self._job))

    def messages(self) -> Iterator[protocol.Message]:
        """What the child says, ending with exactly one of Done, Cancelled and Failed.

        Raises:
            RenderLost: it died without such an end, fell silent, or said something else than messages.
        """
        first: int | None = None
        for line in self._lines():
            try:
                message = protocol.decode(line)
            except ValidationError as problem:
                raise RenderLost(f"Expected a message from the renderer, got {line[:80]!r}.") from problem
            if isinstance(message, protocol.Progress):
                self._step = message.step
                first = message.step if first is None else first
            if self._spare and (isinstance(message, protocol.Preview) or (first is not None and self._step > first)):
                # Not earlier: its imports would compete with this job's first picture.
                self._spare.refill()
            yield message
            if protocol.is_end(message):
                return
        if self._cancelled.is_set():
            yield protocol.Cancelled(step=self._step)
            return
        raise RenderLost("The server stopped." if self._suspended.is_set() else self._last_words())

    def cancel(self) -> None:
        """Ask the child to stop, and kill it after the grace; again is nothing."""
        with self._lock:
            if self._cancelled.is_set():
                return
            self._cancelled.set()
            self._kill_after(self._grace)
        self._child.send(protocol.CANCEL)

    def suspend(self, grace: float) -> None:
        """Ask the child to end at its next checkpoint, and kill it after `grace` seconds; again is nothing."""
        with self._lock:
            if self._suspended.is_set():
                return
            self._suspended.set()
            self._kill_after(grace)
        self._child.send(protocol.SUSPEND)

    def _kill_after(self, seconds: float) -> None:
        timer = threading.Timer(seconds, self._child.kill)
        timer.daemon = True
        timer.start()
        self._timers.append(timer)

    def kill(self) -> None:
        """SIGKILL for the child and all it has started, now."""
        self._child.kill()

    def close(self) -> None:
        """End and reap the child and give its descriptors back; again is nothing."""
        with self._lock:
            self._cancelled.set()
            self._suspended.set()
            for timer in self._timers:
                timer.cancel()
        self._child.close()
        spare, self._spare = self._spare, None
        if spare:
            spare.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _lines(self) -> Iterator[bytes]:
        """Whole lines until the child closes its end or has died; a last line without an end is dropped."""
        rest, silent = b"", 0.0
        with selectors.DefaultSelector() as selector:
            selector.register(self._child.messages, selectors.EVENT_READ)
            if self._child.ended is not None:
                selector.register(self._child.ended, selectors.EVENT_READ)
            while True:
                # Asked first: what it said before its death is read to the end.
                dead = self._child.has_exited()
                began = time.monotonic()
                ready = selector.select(0 if dead else _LOOK_SECONDS)
                if not any(key.fd == self._child.messages for key, _ in ready):
                    # A forked grandchild may hold the pipe open after the child's death.
                    if dead:
                        return
                    # Bounded: while this process stood still, the child may have stood still with it.
                    silent += min(time.monotonic() - began, 2 * _LOOK_SECONDS)
                    self._check_stall(silent)
                    self._on_pause()
                    continue
                silent = 0.0
                chunk = os.read(self._child.messages, _CHUNK)
                if not chunk:
                    return
                *lines, rest = (rest + chunk).split(b"\n")
                yield from lines
                if len(rest) > protocol.MAX_LINE:
                    raise RenderLost(f"The renderer wrote a line of more than {protocol.MAX_LINE} bytes.")

    def _check_stall(self, silent: float) -> None:
        if not self._stall or silent < self._stall or self._cancelled.is_set():
            return  # a cancelled one has its own time limit
        self._child.kill()
        tail = self._log_tail()
        raise RenderLost(
            f"The renderer said nothing for {self._stall:g} seconds at step {self._step} and was killed."
            + (f" Its log ends: {tail}" if tail else "")
        )

    def _last_words(self) -> str:
        self._child.kill()  # it may live on with its messages closed
        code = self._child.process.wait()
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"left with exit status {code}"
        if code == -signal.SIGKILL:
            how += " (out of memory, or killed by hand)"
        tail = self._log_tail()
        return f"The renderer {how} at step {self._step}." + (f" Its log ends: {tail}" if tail else "")

    def _log_tail(self) -> str:
        """The last line of this attempt's log, or of what the child printed before it had one."""
        head = f"{protocol.LOG_HEAD} attempt {self._job.attempt} "
        try:
            log = (self._job.workdir / protocol.LOG_NAME).read_text(errors="replace")
        except OSError:
            log = ""
        _, _, text = log.rpartition(head)
        if head not in log:
            self._child.early.seek(0)
            text = "\n" + self._child.early.read().decode(errors="replace")
        lines = [line.strip() for line in text.split("\n")[1:] if line.strip()]
        return lines[-1][:200] if lines else ""
