"""Renderer children before they have a job: started, idle, with their imports behind them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Final

from videogen.engines import protocol

# Linux kills a child with the *thread* that started it (PDEATHSIG), so one thread that lives as long as this
# process starts them all; callers may come and go.
_spawner: Final = ThreadPoolExecutor(1, thread_name_prefix="videogen-spawn")
# A renderer has no use for these.
_SECRETS: Final = ("VIDEOGEN_SECRET_KEY", "VIDEOGEN_DATABASE_URL", "VIDEOGEN_ADMIN_TOKEN")


_MARK: Final = f"{protocol.MARK}=".encode()


class Child:
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
        self.ended = _watch(self.process.pid)
        """A descriptor that can be read once the process has ended; None where there is no such thing."""
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
            if self.ended is not None:
                os.close(self.ended)
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
    """Keeps idle children that have their imports behind them, so that a job's first picture comes sooner.

    Their imports take half a second of a core. So they are made while nothing renders, if they can be, and, once there
    was a job, one more than the next job needs: then there is one for its next attempt too, should its renderer die.

    Thread-safe. Close it, or the idle children live until this process ends.
    """

    def __init__(self, ahead: int = 1, quiet: float = 1.0) -> None:
        """Start the first child.

        Args:
            ahead: how many to have while nothing renders.
            quiet: seconds without a job after which they are made.
        """
        self._ahead, self._quiet = ahead, quiet
        self._lock = threading.Lock()
        self._closed = False
        self._idle: deque[Future[Child]] = deque()
        self._taken = 0
        self._timer: threading.Timer | None = None
        self.refill()

    def take(self) -> Child:
        """An idle child if one is well, else a fresh one; `release()` once it has had its job."""
        with self._lock:
            self._taken += 1
            idle = self._idle.popleft() if self._idle else None
        child = _ready(idle)
        if child is not None:
            if not child.has_exited():
                return child
            child.close()
        return spawn().result()

    @property
    def pid(self) -> int | None:
        """Process id of the child that would be taken next, if there is one."""
        with self._lock:
            child = _ready(self._idle[0]) if self._idle else None
        return child.process.pid if child else None

    def refill(self) -> None:
        """Start an idle child, unless there is one."""
        with self._lock:
            if not self._idle and not self._closed:
                self._idle.append(spawn())

    def release(self) -> None:
        """A child that was taken has ended."""
        with self._lock:
            self._taken -= 1
        self.refill()
        self._top_up_later()

    def _top_up_later(self) -> None:
        with self._lock:
            if self._closed or self._ahead <= 1:
                return
            if self._timer is not None:
                self._timer.cancel()
            self._timer = threading.Timer(self._quiet, self._top_up)
            self._timer.daemon = True
            self._timer.start()

    def _top_up(self) -> None:
        with self._lock:
            while not self._closed and not self._taken and len(self._idle) < self._ahead:
                self._idle.append(spawn())

    def close(self) -> None:
        """Kill the idle children and start no other."""
        with self._lock:
            self._closed = True
            idle, self._idle = list(self._idle), deque()
            if self._timer is not None:
                self._timer.cancel()
        for child in map(_ready, idle):
            if child is not None:
                child.close()


def end_orphans() -> int:
    """Kill what renderers have started and their dead hosts could not end any more; return how many that were.

    A renderer dies with its host. What it has started (an ffmpeg, say) does not, and would write on into the work
    folder of the next attempt. Linux only.
    """
    found = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            entries = (folder / "environ").read_bytes().split(b"\0")
            value = next(entry for entry in entries if entry.startswith(_MARK)).removeprefix(_MARK)
            host, renderer = map(int, value.split())
            # Who has left the renderer's group was meant to stay.
            if not Path(f"/proc/{host}").exists() and os.getpgid(int(folder.name)) == renderer:
                os.kill(int(folder.name), signal.SIGKILL)
                found += 1
        except (OSError, StopIteration, ValueError):
            continue  # another user's, gone already, or none of ours
    return found


def spawn() -> Future[Child]:
    """Start a child; the result raises OSError when no process could be started."""
    return _spawner.submit(Child)


def _watch(pid: int) -> int | None:
    """A pidfd: it tells of the end of a process at once, though a grandchild may hold its pipes open."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:  # a kernel or a sandbox without it
        return None


def _ready(idle: Future[Child] | None) -> Child | None:
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
