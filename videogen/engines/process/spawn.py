"""Start and end renderer processes. A new child imports its engine, and then waits for a job."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, Final

from videogen.engines.process import protocol
from videogen.engines.registry import named_variables, process_policy

# Linux kills a child when the *thread* that started it ends (PDEATHSIG). So one thread, which lives as long as this
# process, starts all of them.
_spawner: Final = ThreadPoolExecutor(1, thread_name_prefix="videogen-spawn")
_MARK: Final = f"{protocol.MARK}=".encode()
_TAIL: Final = 1 << 14
_ALLOWED: Final = """
    PATH HOME USER LOGNAME SHELL LANG LANGUAGE LC_* TZ TMPDIR TEMP TMP XDG_* SYSTEMROOT
    PYTHON* VIRTUAL_ENV CONDA_PREFIX LD_LIBRARY_PATH LD_PRELOAD DYLD_* MALLOC_* FONTCONFIG_* NO_COLOR
    OMP_* KMP_* MKL_* OPENBLAS_* NUMEXPR_* VECLIB_*
    CUDA_* NVIDIA_* NCCL_* ROCM_* ROCR_* HIP_* HSA_* TORCH* PYTORCH_* TRITON_*
    HF_* HUGGINGFACE_* TRANSFORMERS_* DIFFUSERS_* TOKENIZERS_* SAFETENSORS_*
    HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy
    SSL_CERT_* REQUESTS_CA_BUNDLE CURL_CA_BUNDLE
"""
"""Patterns of names: system and locale; Python and native libraries; threads; GPUs; models and caches; network."""
_RESTRICTED: Final = "*TOKEN *KEY *SECRET *PASSWORD *CREDENTIALS"
"""Not for every engine, although the name matches a pattern above: HF_TOKEN, for example."""


class ChildProcess:
    """A child process for the jobs of one engine, with the pipe of its messages and the file of its output.

    Thread-safe.
    """

    def __init__(self, engine: str) -> None:
        """Start the process for an engine, given by its reference. Raises OSError when that is not possible."""
        self._output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close()
        self.messages, write_end = os.pipe()
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-u", "-m", "videogen.engines.process.child", str(write_end), engine],
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=self._output,
                stderr=self._output,
                pass_fds=(write_end,),
                start_new_session=True,
                env=child_environment(process_policy(engine).environment),
            )
        except BaseException:
            os.close(self.messages)
            self._output.close()
            raise
        finally:
            os.close(write_end)
        self.ended = _pidfd(self.process.pid)
        """A descriptor that becomes readable when the process ends; None where the system has no such thing."""
        self._lock = threading.Lock()
        self._closed = False

    def send(self, key: protocol.JobKey, command: protocol.Message) -> None:
        """Send the child a message about a job. Nothing happens if the child is dead."""
        with self._lock:
            if self._closed or self.process.stdin is None:
                return
            with suppress(OSError):
                self.process.stdin.write(protocol.encode(key, command))

    def kill(self) -> None:
        """Send SIGKILL to the process group, which includes the processes that the engine has started."""
        with self._lock:
            if not self._closed:
                self._kill_group()

    def close(self) -> None:
        """Kill and reap the process, and close every descriptor. A second call does nothing."""
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
            self._output.close()

    def has_exited(self) -> bool:
        """Whether the process has ended. This does not reap it, so its id stays its own and its group can be killed."""
        if self.process.returncode is not None:
            return True
        if not hasattr(os, "waitid"):
            return False  # the end of its messages shows it
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.process.pid, options) is not None

    def exit_code(self) -> int:
        """Kill the process, if it still runs, and return its exit code; -n: signal n ended it."""
        self.kill()
        return self.process.wait()

    def output_tail(self) -> str:
        """The end of what the process printed outside the log of a job."""
        with self._lock:
            if self._closed:
                return ""
            descriptor = self._output.fileno()
            # Not by seek(): the child writes at the same file position.
            start = max(0, os.fstat(descriptor).st_size - _TAIL)
            return os.pread(descriptor, _TAIL, start).decode(errors="replace")

    def _kill_group(self) -> None:
        if self.process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)


def end_orphans() -> int:
    """Kill the processes that renderers of a dead host have started, and return how many there were.

    A renderer ends with its host. A process that it has started (for example ffmpeg) does not, and would write into
    the work folder of the next attempt. Linux only.
    """
    count = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            entries = (folder / "environ").read_bytes().split(b"\0")
            value = next(entry for entry in entries if entry.startswith(_MARK)).removeprefix(_MARK)
            host, renderer = map(int, value.split())
            # A process that has left the renderer's group is meant to stay.
            if not Path(f"/proc/{host}").exists() and os.getpgid(int(folder.name)) == renderer:
                os.kill(int(folder.name), signal.SIGKILL)
                count += 1
        except (OSError, StopIteration, ValueError):
            continue  # it belongs to another user, has ended, or was not started by a renderer
    return count


def spawn(engine: str) -> Future[ChildProcess]:
    """Start a child for an engine, given by its reference. The result raises OSError when that is not possible."""
    return _spawner.submit(ChildProcess, engine)


def child_environment(names: Collection[str] = ()) -> dict[str, str]:
    """Return the variables of this process that a child gets, with this process's import path as PYTHONPATH.

    It is an allow-list, so that no secret of the server gets into an engine. `names` are further variables, which the
    engine asks for (`ProcessPolicy.environment`). What another engine names in its configuration is left out.
    """
    import_path = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    others = named_variables()
    values = {
        name: value for name, value in os.environ.items() if name in names or (_is_allowed(name) and name not in others)
    }
    return values | {"PYTHONPATH": import_path}


def _is_allowed(name: str) -> bool:
    return _matches(name, _ALLOWED) and not _matches(name, _RESTRICTED)


def _matches(name: str, patterns: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns.split())


def _pidfd(pid: int) -> int | None:
    """A descriptor that shows the end of a process at once, even if a grandchild holds its pipes open."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):  # this system, kernel or sandbox does not offer it
        return None
