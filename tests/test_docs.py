"""What the documentation shows works as it stands: each example runs against a real app."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.app import ROOT, without_settings
from videogen.cli import exit_codes
from videogen.media import probe

BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```$", re.M | re.S)
PAGES = ("client", "cli", "mcp")


def examples():
    for page in PAGES:
        text = (ROOT / "docs" / f"{page}.md").read_text()
        for number, (kind, code) in enumerate(BLOCK.findall(text), 1):
            yield pytest.param(kind, code, id=f"{page}-{number}")


@pytest.fixture(scope="module")
def app(module_app):
    return module_app(engines=["procedural"], workers=2, page=True)


@pytest.fixture(scope="module")
def place(app, tmp_path_factory):
    """A folder of one's own, and the environment of somebody who has just installed videogen."""
    folder = tmp_path_factory.mktemp("docs")
    (folder / "videogen").write_text(f'#!/bin/sh\nexec {sys.executable} -m videogen "$@"\n')
    (folder / "videogen").chmod(0o755)
    env = without_settings(os.environ)
    env |= {"VIDEOGEN_URL": app.base_url, "XDG_CONFIG_HOME": str(folder / "config"), "PYTHONPATH": str(ROOT)}
    return folder, env | {"PATH": f"{folder}:{env['PATH']}"}


@pytest.mark.parametrize(("kind", "code"), list(examples()))
def test_an_example_runs_as_it_stands(place, kind, code):
    folder, env = place
    command = ["sh", "-e", "-c", code] if kind == "sh" else [sys.executable, "-W", "error", "-c", code]
    ran = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=100)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for name in re.findall(r"[\w-]+\.mp4", code):
        assert probe(Path(folder, name)).num_frames > 0


def test_every_command_and_exit_code_is_told():
    text = (ROOT / "docs" / "cli.md").read_text()
    told = subprocess.run([sys.executable, "-m", "videogen", "--help"], cwd=ROOT, capture_output=True, text=True).stdout
    commands = set(re.findall(r"^    ([a-z]+) ", told, re.M))
    assert commands >= {"generate", "serve"}
    assert {name for name in commands if f"`{name}" not in text} == set()

    every = {value for name, value in vars(exit_codes).items() if name.isupper() and isinstance(value, int)}
    assert every == {int(found) for found in re.findall(r"^\| (\d+) \|", text, re.M)}
