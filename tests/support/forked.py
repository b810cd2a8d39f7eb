"""Starts `python -m videogen` by a fork of a process that has imported it: in a quarter of the time of a new one.

It is a process like any other: with its own environment, standard streams, exit status and signals. One process that
forks serves all starts of a test process, and ends with it; and so do its children. With `TEST_CLOCK_AHEAD` in its
environment its clock is so many seconds fast.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any

from tests.support import processes

_SERVER = """
import ctypes, json, os, signal, socket, sys, time
link = socket.socket(fileno=int(sys.argv[1]))
import videogen.__main__, videogen.server.run

def begin(request, fds):
    ctypes.CDLL(None).prctl(1, int(signal.SIGKILL))
    link.close()
    if request["new_session"]:
        os.setsid()
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
        os.close(fd)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w", 1), open(2, "w", 1)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    ahead, now = float(os.environ.pop("TEST_CLOCK_AHEAD", 0)), time.time
    time.time = lambda: now() + ahead
    videogen.core.clock.SteadyClock.__init__.__defaults__ = (time.time, time.monotonic)
    sys.argv = ["videogen", *request["arguments"]]
    sys.exit(videogen.__main__.main())

while True:
    message, fds, _, _ = socket.recv_fds(link, 1 << 20, 3)
    if not message:
        os._exit(0)
    request = json.loads(message)
    if "wait" in request:
        link.sendall(b"%d\\n" % os.waitstatus_to_exitcode(os.waitpid(request["wait"], 0)[1]))
        continue
    if (pid := os.fork()) == 0:
        begin(request, fds)
    for fd in fds:
        os.close(fd)
    link.sendall(b"%d\\n" % pid)
"""
_lock = threading.Lock()


@cache
def _link() -> tuple[socket.socket, IO[bytes], object]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    os.set_inheritable(theirs.fileno(), True)
    # A pool of threads does not outlive a fork.
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-c", _SERVER, str(theirs.fileno())]
    server = processes.start(command, env=env, cwd=Path(__file__).parents[2], stdin=subprocess.DEVNULL, close_fds=False)
    theirs.close()
    atexit.register(_end, server)
    return ours, ours.makefile("rb"), server


def _end(server: subprocess.Popen[bytes]) -> None:
    server.kill()
    server.wait()


def _ask(request: Mapping[str, Any], fds: Sequence[int] = ()) -> int:
    with _lock:
        link, answers, _ = _link()
        socket.send_fds(link, [json.dumps(request).encode()], fds)
        return int(answers.readline())


class ForkedProcess:
    """A part of `subprocess.Popen`: `stdin` and `stdout` are pipes of text; errors come with the output."""

    def __init__(self, arguments: Sequence[str], env: Mapping[str, str], cwd: Path, *, new_session: bool) -> None:
        """`arguments`: of `videogen`."""
        (theirs_in, ours_in), (ours_out, theirs_out) = os.pipe(), os.pipe()
        request = {"arguments": list(arguments), "env": dict(env), "cwd": str(cwd), "new_session": new_session}
        self.pid = _ask(request, [theirs_in, theirs_out, theirs_out])
        self._ended = os.pidfd_open(self.pid)
        for fd in (theirs_in, theirs_out):
            os.close(fd)
        self.stdin, self.stdout = os.fdopen(ours_in, "w"), os.fdopen(ours_out)
        self.returncode: int | None = None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; return the exit status. Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self._ended], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("videogen", timeout or 0.0)
            self.returncode = _ask({"wait": self.pid})
            os.close(self._ended)
        return self.returncode

    def terminate(self) -> None:
        """SIGTERM, if it runs."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, if it runs."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self.returncode is None:
            signal.pidfd_send_signal(self._ended, number)
