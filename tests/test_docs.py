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
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]
FOLDERS = ("tests", "videogen", "docs", "benchmarks", "scripts")
PATH = re.compile(rf"(?<![\w/.-])(?:{'|'.join(FOLDERS)})/[\w./*-]*[\w/*]")
LINK = re.compile(r"\]\(([^)#:\s]*)(?:#([^)\s]+))?\)")
"""A link inside the project: its file (empty: the page itself) and its anchor."""
TEST_NAME = re.compile(r"`(test_\w+)`")
GUIDE = "\n## Change the page\n"
"""The code in this section is for the reader to add: its files are not there yet."""
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.M)
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


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_and_link_leads_to_a_file(document):
    text = document.read_text()
    before, heading, guide = text.partition(GUIDE)
    named = PATH.findall(before + heading + FENCED.sub("", guide))
    missing = {path for path in named if not any(ROOT.glob(path.rstrip("/")))}
    for target, anchor in LINK.findall(FENCED.sub("", text)):
        page = document.parent / target if target else document
        if not page.exists() or (anchor and anchor not in anchors(page.read_text())):
            missing.add(f"{target}#{anchor}")
    assert missing == set(), "name the file and the heading that are there now"


def anchors(text):
    """The anchors of a page's headings, as GitHub makes them."""
    found = []
    for heading in HEADING.findall(FENCED.sub("", text)):
        words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).strip().replace(" ", "-")
        found.append(f"{slug}-{found.count(slug)}" if slug in found else slug)
    return found


def test_the_anchor_of_a_heading_is_that_of_github():
    text = "# `serve`, and *more*\n```sh\n# not a heading\n```\n## One two\n## One two\n### [A link](b.md): C/D\n"
    assert anchors(text) == ["serve-and-more", "one-two", "one-two-1", "a-link-cd"]


def test_every_module_of_the_architecture_page_exists():
    text = (ROOT / "docs" / "architecture.md").read_text()
    modules = re.findall(r"`([a-z_]+/[\w/]*(?:\.py|/))`", text)
    assert len(modules) > 30
    assert [name for name in modules if not (ROOT / "videogen" / name).exists()] == [], (
        "name the module that is there now"
    )


def test_every_test_that_the_docs_name_is_there():
    trees = [ast.parse(path.read_text()) for path in (ROOT / "tests").rglob("test_*.py")]
    functions = {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    pages = "".join((ROOT / "docs" / f"{name}.md").read_text() for name in ("features", "faults", "comparison"))
    assert set(TEST_NAME.findall(pages)) - functions == set()


def test_the_contributing_page_lists_every_package():
    packages = {f"`videogen/{path.parent.name}/`" for path in (ROOT / "videogen").glob("*/__init__.py")}
    listed = set(re.findall(r"^\| (`videogen/\w+/`)", (ROOT / "CONTRIBUTING.md").read_text(), re.M))
    assert listed == packages
