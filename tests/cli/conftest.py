"""A user with a home folder, who runs commands in this process or in one of their own."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys

import psutil
import pytest

from tests.support import processes
from tests.support.app import ROOT, engine_reference, without_settings
from videogen.__main__ import main

TIMEOUT = 60.0
TINY = ("--size", "64x64", "--seconds", "0.5", "--fps", "8")


class Home:
    """One user: configuration, data and files in one folder.

    `run` calls `main` in this process, `run_process` starts a real one.
    """

    def __init__(self, folder, url=None, engines=("bars",)) -> None:
        self.folder = folder
        self.data = folder / "share" / "videogen"
        self.env = without_settings(os.environ)
        self.env |= {"XDG_CONFIG_HOME": str(folder / "config"), "XDG_DATA_HOME": str(folder / "share")}
        self.env |= {"PYTHONPATH": str(ROOT), "VIDEOGEN_ENGINES": ",".join(map(engine_reference, engines))}
        if url:
            self.env["VIDEOGEN_URL"] = url
        self.stderr = ""

    def run(self, *arguments, code=0, **env):
        """Run a command in this process; return its standard output."""
        stdout, stderr = io.StringIO(), io.StringIO()
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(stdout),
            contextlib.redirect_stderr(stderr),
        ):
            patch.setattr(os, "environ", self.env | env)
            try:
                got = main(arguments)
            except SystemExit as end:  # argparse
                got = end.code
        self.stderr = stderr.getvalue()
        assert got == code, (arguments, got, stdout.getvalue(), self.stderr)
        return stdout.getvalue()

    def lines(self, *arguments, **options):
        """Run a command with --json; return its objects."""
        return [json.loads(line) for line in self.run(*arguments, "--json", **options).splitlines()]

    def start(self, *arguments, **options):
        """Start a command in a process. `options` are those of `Popen`."""
        return processes.start(
            [sys.executable, "-m", "videogen", *arguments],
            cwd=self.folder,
            env=self.env,
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options,
        )

    def run_process(self, *arguments, code=0):
        """Run a command in a process; return its standard output as bytes."""
        process = self.start(*arguments)
        stdout, stderr = _communicate(process)
        self.stderr = stderr.decode()
        assert process.returncode == code, (arguments, process.returncode, stdout, self.stderr)
        return stdout

    def interrupt(self, *arguments, at):
        """Send Ctrl-C once the command has written a line with the text `at`; return its output and exit code."""
        process = self.start(*arguments)
        stdout = b""
        for line in process.stdout:
            stdout += line
            if at.encode() in line:
                process.send_signal(signal.SIGINT)
                break
        rest, stderr = _communicate(process)
        return (stdout + rest).decode(), stderr.decode(), process.returncode

    def servers(self):
        """The processes that serve this home's data."""
        data = str(self.data.resolve())
        return [process for process in psutil.process_iter() if _environ(process).get("VIDEOGEN_DATA_DIR") == data]


def _communicate(process):
    """The rest of the output. A process that does not end in time is killed."""
    try:
        return process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise


def _environ(process):
    try:
        return process.environ()
    except psutil.Error:
        return {}


@pytest.fixture(scope="session", autouse=True)
def _default_sigint():
    """Background jobs of a shell ignore Ctrl-C, and so do their children; in a terminal it works."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")
def app(module_app):
    engines = ["bars", "slow", "until-cancelled", "refuses", "looks", "lost-service", "procedural"]
    return module_app(engines=engines, workers=2)


@pytest.fixture
def home(tmp_path, app):
    """A user of a running app."""
    return Home(tmp_path, app.base_url)


@pytest.fixture
def home_without_app(tmp_path):
    """A user without a running app."""
    return Home(tmp_path, engines=("bars", "slow", "until-cancelled"))
