"""docs/engines.md is true: its files are written, its commands run, and its package can be installed."""

import os
import re
import shutil
import signal
import subprocess
import sys

import pytest

from tests.support.app import ROOT, without_settings
from videogen.media.probe import probe

PAGE = (ROOT / "docs" / "engines.md").read_text()
BLOCKS = re.findall(r"^```(python|sh)\n(.*?)^```$", PAGE, re.M | re.S)
NAME = re.compile(r"# (\w+\.py)\n")
READY = re.compile(r"Ready on |Uvicorn running on ")
SERVES = re.compile(r"videogen serve|^python |^uvicorn ")
FILES = [NAME.match(code)[1] for kind, code in BLOCKS if kind == "python"]
COMMANDS = [line for kind, code in BLOCKS if kind == "sh" for line in code.splitlines()]
PACKAGE = ROOT / "examples" / "engine-package"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A folder with the files of the page, and the environment of somebody who has just installed videogen."""
    folder = tmp_path_factory.mktemp("engines")
    for kind, code in BLOCKS:
        if kind == "python":
            (folder / NAME.match(code)[1]).write_text(code)
    # Without the second line, `generate` would use an app that runs at the default address of this machine.
    cli = "import sys, videogen.client.connect as connect; from videogen.__main__ import main; "
    cli += "connect.DEFAULT_URL = 'http://127.0.0.1:1'; sys.exit(main())"
    programs = {"videogen": f'-c "{cli}"', "pytest": "-m pytest", "uvicorn": "-m uvicorn", "python": ""}
    for name, program in programs.items():
        (folder / name).write_text(f'#!/bin/sh\nexec {sys.executable} {program} "$@"\n')
        (folder / name).chmod(0o755)
    env = without_settings(os.environ) | {"PYTHONPATH": str(ROOT), "VIDEOGEN_PORT": "0", "UVICORN_PORT": "0"}
    env |= {"XDG_CONFIG_HOME": str(folder / "config"), "XDG_DATA_HOME": str(folder / "share"), "MY_KEY": "secret"}
    return folder, env | {"PATH": f"{folder}:{env['PATH']}", "PYTHONUNBUFFERED": "1"}


@pytest.mark.parametrize("name", [name for name in FILES if not name.startswith("test_")])
def test_a_file_of_the_page_runs(workspace, name):
    folder, env = workspace
    command = [sys.executable, "-W", "error", "-c", f"import {name.removesuffix('.py')}"]
    result = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_runs(workspace, command):
    folder, env = workspace
    output = []
    shell = ["sh", "-c", re.sub(r"^((?:\w+=\S+ )*)", r"\1exec ", command)]
    with subprocess.Popen(
        shell, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as run:
        for line in run.stdout:
            output.append(line)
            if SERVES.search(command) and READY.search(line):
                run.send_signal(signal.SIGINT)
    is_ended_by_us = any(map(READY.search, output)) and run.returncode in (0, -signal.SIGINT, 130)
    assert run.returncode == 0 or is_ended_by_us, "".join(output)
    for video in re.findall(r"[\w-]+\.mp4", command):
        assert probe(folder / video).num_frames > 0


def test_the_page_says_what_each_option_of_the_decorator_and_each_parameter_is():
    from videogen.engines.function import _BY_NAME, EngineOptions

    missing = {name for name in (*EngineOptions.__annotations__, *_BY_NAME) if f"`{name}" not in PAGE}
    assert missing == set()


def test_the_package_of_the_page_installs_and_offers_its_engine(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    shutil.copytree(PACKAGE, source)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--no-deps", "--no-index"]
    options = ["--no-build-isolation", "--target", str(target), str(source)]
    installed = subprocess.run([*pip, *options], capture_output=True, text=True)
    assert installed.returncode == 0, installed.stderr
    env = without_settings(os.environ) | {"PYTHONPATH": f"{target}:{ROOT}"}
    suite = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(source / "tests")]
    result = subprocess.run(suite, cwd=source, env=env, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
    assert "passed" in result.stdout
