"""Renderer children before they have a job: started, idle, with their imports behind them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Final

from videogen.engines.process import protocol

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
                [sys.executable, "-P", "-u", "-m", "videogen.engines.process.child", str(theirs)],
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


def _environment() -> dict[str, str]:
    """This process's environment without its secrets, with its import path: it finds the same modules."""
    environment = {key: value for key, value in os.environ.items() if key not in _SECRETS}
    environment["PYTHONPATH"] = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    return environment
