"""The host's side of a renderer child: start it, read it, stop it, and leave nothing behind."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Final, Self

from pydantic import ValidationError

from videogen.engines import protocol
from videogen.engines.base import RenderLost

# Linux kills a child with the *thread* that started it (PDEATHSIG), so one thread that lives as long as this
# process starts them all; callers may come and go.
_spawner: Final = ThreadPoolExecutor(1, thread_name_prefix="videogen-spawn")
_POLL_SECONDS: Final = 0.5
_CHUNK: Final = 1 << 16
# A renderer has no use for these.
_SECRETS: Final = ("VIDEOGEN_SECRET_KEY", "VIDEOGEN_DATABASE_URL", "VIDEOGEN_ADMIN_TOKEN")


class _Child:
    """A started child process that waits for its request: the process, its messages, its early output."""

    def __init__(self) -> None:
        self.early: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close()
        self.messages, theirs = os.pipe()
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-u", "-m", "videogen.engines.child", str(theirs)],
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=self.early,
                stderr=self.early,
                pass_fds=(theirs,),
                start_new_session=True,
                env=_environment(),
            )
        except BaseException:
            os.close(self.messages)
            self.early.close()
            raise
        finally:
            os.close(theirs)
        self._lock = threading.Lock()
        self._closed = False

    def send(self, line: bytes) -> None:
        """Write to the child's standard input; a dead child is found out elsewhere."""
        with self._lock:
            if self._closed or self.process.stdin is None:
                return
            try:
                self.process.stdin.write(line)
            except OSError:
                pass

    def kill(self) -> None:
        """SIGKILL for the whole group, which includes what the engine has started."""
        with self._lock:
            if not self._closed:
                self._kill_group()

    def close(self) -> None:
        """Kill, reap, close every descriptor; again is nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._kill_group()
            self.process.wait()
            if self.process.stdin is not None:
                self.process.stdin.close()
            os.close(self.messages)
            self.early.close()

    def has_exited(self) -> bool:
        """Whether the process has ended. It is not reaped here: until it is, its id is nobody else's, and
        killing its group is safe."""
        if not hasattr(os, "waitid"):
            return False  # then the end of its messages must do
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.process.pid, options) is not None

    def _kill_group(self) -> None:
        if self.process.returncode is not None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass


class Spare:
    """Keeps one idle child that has its imports behind it, so that a job's first picture comes sooner.

    Thread-safe. Close it, or the idle child lives until this process ends.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closed = False
        self._idle: Future[_Child] | None = None
        self.refill()

    def take(self) -> _Child:
        """The idle child if it is well, else a fresh one."""
        with self._lock:
            idle, self._idle = self._idle, None
        child = _ready(idle)
        if child is not None:
            if not child.has_exited():
                return child
            child.close()
        return _spawn().result()

    @property
    def pid(self) -> int | None:
        """Process id of the idle child, if there is one."""
        with self._lock:
            child = _ready(self._idle)
        return child.process.pid if child else None

    def refill(self) -> None:
        """Start the next idle child, unless there is one."""
        with self._lock:
            if self._idle is None and not self._closed:
                self._idle = _spawn()

    def close(self) -> None:
        """Kill the idle child and start no other."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, None
        child = _ready(idle)
        if child is not None:
            child.close()


class RenderProcess:
    """One job in one child process. Any thread may call `cancel` and `kill`; the one that reads `messages`
    also calls `close`, or uses this as a context manager.

    The caller's thread may end: Linux kills a renderer with the thread that started it, and that is one of
    this module, which lives as long as the process.
    """

    def __init__(self, job: protocol.RenderJob, *, grace: float = 3.0, spare: Spare | None = None) -> None:
        """Start the job.

        Args:
            job: what to render.
            grace: seconds that a cancelled child has before it is killed.
            spare: takes its idle child, and has it start the next one once this job shows its first picture.

        Raises:
            OSError: no process could be started.
        """
        self._job = job.model_copy(update={"workdir": job.workdir.resolve()})
        self._grace = grace
        self._spare = spare
        self._child = spare.take() if spare else _spawn().result()
        self.pid = self._child.process.pid
        self._cancel_lock = threading.Lock()
        self._cancelled = threading.Event()
        self._timer: threading.Timer | None = None
        self._step = 0
        self._child.send(protocol.encode(self._job))

    def messages(self) -> Iterator[protocol.Message]:
        """What the child says, ending with exactly one of Done, Cancelled and Failed.

        Raises:
            RenderLost: it died without such an end, or said something else than messages.
        """
        for line in self._lines():
            try:
                message = protocol.decode(line)
            except ValidationError as problem:
                raise RenderLost(f"Expected a message from the renderer, got {line[:80]!r}.") from problem
            if isinstance(message, protocol.Progress):
                self._step = message.step
            elif isinstance(message, protocol.Preview) and self._spare:
                # Not earlier: its imports would compete with this job's first picture.
                self._spare.refill()
            yield message
            if protocol.is_end(message):
                return
        if self._cancelled.is_set():
            yield protocol.Cancelled(step=self._step)
            return
        raise RenderLost(self._last_words())

    def cancel(self) -> None:
        """Ask the child to stop, and kill it after the grace; again is nothing."""
        with self._cancel_lock:
            if self._cancelled.is_set():
                return
            self._cancelled.set()
            self._timer = threading.Timer(self._grace, self._child.kill)
            self._timer.daemon = True
            self._timer.start()
        self._child.send(protocol.CANCEL)

    def kill(self) -> None:
        """SIGKILL for the child and all it has started, now."""
        self._child.kill()

    def close(self) -> None:
        """End and reap the child and give its descriptors back; again is nothing."""
        with self._cancel_lock:
            self._cancelled.set()
            if self._timer is not None:
                self._timer.cancel()
        self._child.close()
        if self._spare:
            self._spare.refill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _lines(self) -> Iterator[bytes]:
        """Whole lines until the child closes its end or has died; a last line without an end is dropped."""
        rest = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._child.messages, selectors.EVENT_READ)
            while True:
                # A forked grandchild may hold the pipe open after the child's death.
                dead = self._child.has_exited()
                if not selector.select(0 if dead else _POLL_SECONDS):
                    if dead:
                        return
                    continue
                chunk = os.read(self._child.messages, _CHUNK)
                if not chunk:
                    return
                *lines, rest = (rest + chunk).split(b"\n")
                yield from lines
                if len(rest) > protocol.MAX_LINE:
                    raise RenderLost(f"The renderer wrote a line of more than {protocol.MAX_LINE} bytes.")

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


def _spawn() -> Future[_Child]:
    return _spawner.submit(_Child)


def _ready(idle: Future[_Child] | None) -> _Child | None:
    """The child that was asked for, or None where none was or none could be started."""
    try:
        return idle.result() if idle else None
    except OSError:
        return None


def _environment() -> dict[str, str]:
    """This process's environment without its secrets, with its import path: it finds the same modules."""
    environment = {key: value for key, value in os.environ.items() if key not in _SECRETS}
    environment["PYTHONPATH"] = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    return environment
