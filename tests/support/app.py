"""A real videogen server, `python app.py`, in a process of its own: for tests and for benchmarks.

with App(folder, engines=["bars", "slow"], workers=2) as app:
    httpx.get(f"{app.base_url}/healthz")
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

import psutil

from tests.support import processes
from tests.support.forked import ForkedProcess

ROOT = Path(__file__).parents[2]
FAKES = ROOT / "tests" / "fakes.py"
START_SECONDS = 60.0
STOP_SECONDS = 15.0


PLENTY: Mapping[str, object] = {
    **dict.fromkeys(("rate_sessions", "rate_submits", "rate_claims", "rate_uploads"), "off"),
    **dict.fromkeys(("max_active_per_address", "max_streams_per_session", "max_streams_per_address"), 100_000),
}
"""All tests and benchmarks come from one address: no limit for one visitor, but where a test sets it."""


def engine_reference(name: str) -> str:
    """What VIDEOGEN_ENGINES takes: the id of an engine in `tests/fakes.py` becomes a reference, the rest stays."""
    is_reference = ":" in name or name.endswith(".toml") or name == "procedural"
    return name if is_reference else f"{FAKES}:{name.replace('-', '_')}"


def without_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment without the VIDEOGEN_ settings of whoever runs the tests; those of the suite itself stay."""
    return {
        key: value
        for key, value in environ.items()
        if not key.startswith("VIDEOGEN_") or key.startswith("VIDEOGEN_TEST_")
    }


def environment(data_dir: Path, engines: Sequence[str] = ("bars",), **settings: object) -> dict[str, str]:
    """The environment of a server: this process's, with only these VIDEOGEN_ settings (`workers=2`, ...)."""
    given = {"port": 0, "data_dir": data_dir, "engines": ",".join(map(engine_reference, engines))} | PLENTY | settings
    return without_settings(os.environ) | {f"VIDEOGEN_{key.upper()}": str(value) for key, value in given.items()}


def run_to_end(*arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run `python app.py` (or `python` with these arguments) for something that ends by itself."""
    command = [sys.executable, *(arguments or ("app.py",))]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=START_SECONDS)


API_ONLY = ("-m", "videogen", "serve", "--embedded")
"""The app without its page, as the command line starts it for itself: most of a start is the page."""


class App:
    """One server on one data folder. It keeps its port over `restart()`; as a context manager it is always reaped.

    Attributes:
        data_dir: its folder; made if it is not there.
        base_url: where it serves, such as http://127.0.0.1:40001; no slash at the end.
        process: the server; `pid` is its number.
        detached: set before a start, it keeps the terminal's Ctrl-C from the server.
        program: the script that serves.
        variables: set before a start, further variables of its environment.
        prefix: set before a start, a command that runs it, such as `ip netns exec NAME`.
    """

    program = "app.py"

    def __init__(
        self, data_dir: Path, engines: Sequence[str] = ("bars",), *, page: bool = True, **settings: object
    ) -> None:
        self._page = page
        self.data_dir = data_dir
        self.base_url = ""
        self.process: subprocess.Popen[str] | ForkedProcess | None = None
        self.detached = False
        self.variables: Mapping[str, str] = {}
        self.prefix: Sequence[str] = ()
        self._settings = {"engines": engines, **settings}
        self._lines: deque[str] = deque(maxlen=10_000)
        self._reader: threading.Thread | None = None

    def start(self, patience: float = START_SECONDS) -> Self:
        """Start the server and wait until it serves."""
        assert self.process is None, "it runs already"
        env = environment(self.data_dir, **self._settings) | self.variables  # type: ignore[arg-type, operator]
        command = self._command()
        if command[:2] == API_ONLY[:2] and not self.prefix:
            # What is not the page's serves for as long as its standard input is open.
            self.process = ForkedProcess(command[2:], env, ROOT, new_session=self.detached)
        else:
            self.process = processes.start(
                [*self.prefix, sys.executable, *command],
                cwd=ROOT,
                env=env,
                stdin=subprocess.DEVNULL if self._page else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=self.detached,
            )
        assert self.process.stdout is not None
        ready: Future[str] = Future()
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout, ready), daemon=True)
        self._reader.start()
        try:
            self.base_url = ready.result(patience)
        except BaseException:
            self.kill()
            raise
        if self.base_url:
            self._settings["port"] = self.base_url.rpartition(":")[2]
        return self

    def _command(self) -> Sequence[str]:
        return [self.program] if self._page else API_ONLY

    def _serves(self, line: str) -> str | None:
        """The address that this line states, once it serves."""
        return line.removeprefix("Ready on ").strip() if line.startswith("Ready on ") else None

    def stop(self) -> int:
        """SIGTERM, as an operator does it; return the exit status."""
        assert self.process is not None, "it does not run"
        self.process.terminate()
        return self._reap(STOP_SECONDS)

    def kill(self) -> None:
        """SIGKILL for the server alone: what it leaves behind is its own affair."""
        assert self.process is not None, "it does not run"
        self.process.kill()
        self._reap(STOP_SECONDS)

    def kill_all(self) -> None:
        """SIGKILL for the server and every process that it has started, as when its container is killed."""
        assert self.process is not None, "it does not run"
        left = self.children()
        self.process.kill()
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._reap(STOP_SECONDS)

    def restart(self) -> Self:
        """Start again on the same folder and port, after a stop if it still runs."""
        if self.process is not None:
            self.stop()
        return self.start()

    @property
    def pid(self) -> int:
        """The server's process id."""
        assert self.process is not None, "it does not run"
        return self.process.pid

    @property
    def log(self) -> str:
        """All it has printed, over every start."""
        return "".join(self._lines)

    def children(self) -> list[psutil.Process]:
        """Every process that the server has started, with theirs."""
        return psutil.Process(self.pid).children(recursive=True)

    def renderer(self, generation_id: str) -> psutil.Process:
        """The process that renders a generation, which has shown some progress and has not ended."""
        log = (self.data_dir / "work" / generation_id / "render.log").read_text()
        return psutil.Process(int(re.findall(r"=== attempt \d+ of .*, process (\d+)", log)[-1]))

    def close(self) -> None:
        """Stop the server, if it runs, and kill whatever it left."""
        if self.process is None:
            return
        try:
            left = self.children()
            self.process.terminate()
            self._reap(STOP_SECONDS)
        except (subprocess.TimeoutExpired, psutil.Error):
            self.process.kill()
            self._reap(STOP_SECONDS)
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def __enter__(self) -> Self:
        return self if self.process is not None else self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _reap(self, patience: float) -> int:
        assert self.process is not None
        assert self._reader is not None
        status = self.process.wait(patience)
        self._reader.join(patience)
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process = None
        return status

    def _read(self, output: IO[str], ready: Future[str]) -> None:
        with output:
            for line in output:
                self._lines.append(line)
                if not ready.done() and (address := self._serves(line)) is not None:
                    ready.set_result(address)
        if not ready.done():
            ready.set_exception(RuntimeError(f"The app ended before it served. It said:\n{self.log}"))
