"""The command line as people have it: real processes, a home of their own, an app that runs or none."""

import json
import os
import signal
import subprocess
import sys

import psutil
import pytest

from tests.support import processes
from tests.support.app import ROOT, engine_reference, without_settings

PATIENCE = 60.0
TINY = ("--size", "64x64", "--seconds", "0.5", "--fps", "8")


class Home:
    """One person's command line: configuration, data and files below one folder."""

    def __init__(self, folder, url=None, engines=("bars",)) -> None:
        self.folder = folder
        self.data = folder / "share" / "videogen"
        self.env = without_settings(os.environ)
        self.env |= {"XDG_CONFIG_HOME": str(folder / "config"), "XDG_DATA_HOME": str(folder / "share")}
        self.env |= {"PYTHONPATH": str(ROOT), "VIDEOGEN_ENGINES": ",".join(map(engine_reference, engines))}
        if url:
            self.env["VIDEOGEN_URL"] = url

    def start(self, *arguments, **env):
        """A command that runs."""
        return processes.start(
            [sys.executable, "-m", "videogen", *arguments],
            cwd=self.folder,
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *arguments, code=0, **env):
        """A command that has ended with this exit code; its standard output as text."""
        process = self.start(*arguments, **env)
        out, err = _end_of(process)
        self.err = err.decode()
        assert process.returncode == code, (arguments, process.returncode, out.decode(errors="replace"), self.err)
        self.raw = out
        return out.decode(errors="replace")

    def lines(self, *arguments, **options):
        """The same with --json: its objects."""
        return [json.loads(line) for line in self.run(*arguments, "--json", **options).splitlines()]

    def interrupt(self, *arguments, at):
        """A command that gets Ctrl-C once it has written a line with this text; its output and exit code."""
        process = self.start(*arguments)
        out = b""
        for line in process.stdout:
            out += line
            if at.encode() in line:
                process.send_signal(signal.SIGINT)
                break
        rest, err = _end_of(process)
        return (out + rest).decode(), err.decode(), process.returncode

    def servers(self):
        """The processes that serve this home's data."""
        wanted = str(self.data.resolve())
        return [process for process in psutil.process_iter() if _environ(process).get("VIDEOGEN_DATA_DIR") == wanted]


def _end_of(process):
    """The rest of what it writes; one that does not end is not left behind."""
    try:
        return process.communicate(timeout=PATIENCE)
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
def _ctrl_c_counts():
    """A shell's background jobs ignore Ctrl-C, and so do all whom they start; a person's terminal does not."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")
def app(module_app):
    return module_app(engines=["bars", "slow", "until-cancelled", "refuses"], workers=2)


@pytest.fixture
def home(tmp_path, app):
    """Somebody who has an app that runs."""
    return Home(tmp_path, app.base_url)


@pytest.fixture
def alone(tmp_path):
    """Somebody who has none."""
    return Home(tmp_path, engines=("bars", "slow", "until-cancelled"))
