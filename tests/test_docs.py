"""The documentation is true: its examples run against a real app, and the files and tests that it names exist."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.app import ROOT, without_settings
from videogen.cli import exit_codes
from videogen.media.probe import probe

BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```$", re.M | re.S)
PAGES_WITH_EXAMPLES = ("client", "cli", "mcp")
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FOLDERS = ("tests", "videogen", "docs", "benchmarks", "scripts")
PATH = re.compile(rf"(?<![\w/.-])(?:{'|'.join(FOLDERS)})/[\w./*-]*[\w/*]")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[\w-]+)?\)")
TEST_NAME = re.compile(r"`(test_\w+)`")
GUIDE = "\n## Change the page\n"
"""The code in this section is for the reader to add: its files are not there yet."""
FENCED = re.compile(r"^```.*?^```$", re.M | re.S)


def examples():
    for page in PAGES_WITH_EXAMPLES:
        text = (ROOT / "docs" / f"{page}.md").read_text()
        for number, (kind, code) in enumerate(BLOCK.findall(text), 1):
            yield pytest.param(kind, code, id=f"{page}-{number}")


@pytest.fixture(scope="module")
def app(module_app):
    return module_app(engines=["procedural"], workers=2, page=True)


@pytest.fixture(scope="module")
def workspace(app, tmp_path_factory):
    """An empty folder, and the environment of somebody who has just installed videogen."""
    folder = tmp_path_factory.mktemp("docs")
    (folder / "videogen").write_text(f'#!/bin/sh\nexec {sys.executable} -m videogen "$@"\n')
    (folder / "videogen").chmod(0o755)
    env = without_settings(os.environ)
    env |= {"VIDEOGEN_URL": app.base_url, "XDG_CONFIG_HOME": str(folder / "config"), "PYTHONPATH": str(ROOT)}
    return folder, env | {"PATH": f"{folder}:{env['PATH']}"}


@pytest.mark.parametrize(("kind", "code"), list(examples()))
def test_an_example_runs_as_it_is_printed(workspace, kind, code):
    folder, env = workspace
    command = ["sh", "-e", "-c", code] if kind == "sh" else [sys.executable, "-W", "error", "-c", code]
    result = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=100)
    assert result.returncode == 0, result.stdout + result.stderr
    for name in re.findall(r"[\w-]+\.mp4", code):
        assert probe(Path(folder, name)).num_frames > 0


def test_every_command_and_exit_code_is_documented():
    text = (ROOT / "docs" / "cli.md").read_text()
    command = [sys.executable, "-m", "videogen", "--help"]
    usage = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout
    commands = set(re.findall(r"^    ([a-z]+) ", usage, re.M))
    assert commands >= {"generate", "serve"}
    assert {name for name in commands if f"`{name}" not in text} == set()

    codes = {value for name, value in vars(exit_codes).items() if name.isupper() and isinstance(value, int)}
    assert codes == {int(number) for number in re.findall(r"^\| (\d+) \|", text, re.M)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_and_link_leads_to_a_file(document):
    text = document.read_text()
    before, heading, guide = text.partition(GUIDE)
    named = PATH.findall(before + heading + FENCED.sub("", guide))
    missing = {path for path in named if not any(ROOT.glob(path.rstrip("/")))}
    missing |= {target for target in LINK.findall(text) if not (document.parent / target).exists()}
    assert missing == set(), "name the file that is there now"


def test_every_module_of_the_architecture_page_exists():
    text = (ROOT / "docs" / "architecture.md").read_text()
    modules = re.findall(r"`([a-z_]+/[\w/]*(?:\.py|/))`", text)
    assert len(modules) > 30
    assert [name for name in modules if not (ROOT / "videogen" / name).exists()] == [], (
        "name the module that is there now"
    )


def test_every_test_that_the_readme_names_exists():
    trees = [ast.parse(path.read_text()) for path in (ROOT / "tests").rglob("test_*.py")]
    functions = {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert set(TEST_NAME.findall((ROOT / "README.md").read_text())) - functions == set()


def test_the_contributing_page_lists_every_package():
    packages = {f"`videogen/{path.parent.name}/`" for path in (ROOT / "videogen").glob("*/__init__.py")}
    listed = set(re.findall(r"^\| (`videogen/\w+/`)", (ROOT / "CONTRIBUTING.md").read_text(), re.M))
    assert listed == packages
