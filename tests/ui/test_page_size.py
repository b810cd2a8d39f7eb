"""The page is Python: its scripts and style sheets stay small."""

import ast
import re

from tests.test_architecture import PACKAGE, TREES
from videogen.ui import static_files

SHARE = PACKAGE / "share" / "assets"
STATIC = PACKAGE / "ui" / "static"


def scripts():
    """All JavaScript of the page: the files, and the strings in Python that Gradio runs in the browser."""
    yield from (path.read_text() for path in sorted(STATIC.glob("*.js")))
    for name, tree in TREES.items():
        if name.startswith("videogen.ui"):
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant | ast.JoinedStr) and "=>" in (text := ast.unparse(node)):
                    yield text


def test_all_scripts_together_are_few():
    lines = [line for script in scripts() for line in script.splitlines()]
    assert len(lines) <= 500
    assert sum(len(line.encode()) + 1 for line in lines) <= 23_400
    assert [line for line in lines if len(line) > 120] == []


def test_the_share_page_has_at_most_150_lines_of_script():
    assert sum(len(path.read_text().splitlines()) for path in SHARE.glob("*.js")) <= 150


def test_all_style_sheets_together_have_at_most_1300_lines():
    assert sum(len(path.read_text().splitlines()) for place in (STATIC, SHARE) for path in place.glob("*.css")) <= 1300


def test_every_script_and_style_sheet_is_used():
    loaded = {f"{name}.js" for name in ("page", *static_files.SCRIPTS)} | {
        f"{name}.css" for name in static_files.STYLES
    }
    python = "\n".join(path.read_text() for path in (PACKAGE / "ui").rglob("*.py"))
    mounted = set(re.findall(r'"(\w+\.js)"', python))
    assert {path.name for path in STATIC.iterdir()} == loaded | mounted


def test_scripts_hold_no_markup():
    markup = re.compile(r"innerHTML|insertAdjacentHTML|outerHTML|</|[\"'`]<[a-z]")
    assert [script for script in scripts() if markup.search(script)] == []
