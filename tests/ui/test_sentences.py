"""Every sentence of the pages stands in `videogen/locales`, is used, and is asked for by a key that exists."""

import ast
import re
from html.parser import HTMLParser

import pytest

from tests.test_architecture import PACKAGE, SOURCES, TREES
from videogen.core.i18n import DEFAULT, MARKER, catalog

KEYS = set(catalog(DEFAULT).keys)
WHERE = ("ui/assets", "ui/static", "ui/templates", "share/assets", "admin/assets")
MARKUP = {path.relative_to(PACKAGE).as_posix(): path for place in WHERE for path in (PACKAGE / place).rglob("*.html")}
SCRIPTS = {path.relative_to(PACKAGE).as_posix(): path for place in WHERE for path in (PACKAGE / place).rglob("*.js")}
# Agents, and whoever calls the page's routes by hand, are answered in English, as by the API. Fonts have names.
NO_PAGE = (
    *("videogen.ui.agents", "videogen.ui.theme", "videogen.ui.gradio_guard"),
    *("videogen.ui.gradio_calls", "videogen.ui.tab_guard", "videogen.ui.uploads"),
)
SPEAKING = sorted(
    name
    for name in SOURCES
    if name.startswith(("videogen.ui", "videogen.share.", "videogen.admin.", "videogen.services.public_view"))
    and name not in NO_PAGE
)
LOOKS_LIKE_A_KEY = re.compile(r"[a-z]+(?:\.[a-z_]+)+")
SECTIONS = {key.partition(".")[0] for key in KEYS}
READ_OUT = ("alt", "title", "placeholder", "aria-label", "aria-valuetext", "aria-description")
# Names are the same in every language; so are the signs of a code.
NAMES = {"videogen", "https://example.org/hook", "K7QF-2M9X", "px"}
TECHNICAL = {
    *(
        "Enter",
        "Escape",
        "Delete",
        "Control",
        "Control+Enter",
        "Control+z",
        "Bearer",
        "Files",
        "Content-Type",
        "Authorization",
        "Accept",
        "POST",
        "GET",
        "HEAD",
        "PATCH",
    ),
    *("DELETE", "EventSource", "Exif", "Comment\\0"),
}
FOR_PROGRAMS = {
    "Only format=json is served.",
    "The API does not know the session that it has just made.",
    "Value error, ",
    "Vary",
}
FILES = (".html", ".json", ".js", ".css", ".png", ".mp4", ".jpg", ".svg")
TEACH = "put it into videogen/locales/*.json in each language, and say it by its key (see docs/translating.md)"


def literals(script):
    """The strings of a script, without its comments; of a template what is not computed."""
    plain = re.sub(r"/\*.*?\*/", "", script, flags=re.DOTALL)
    plain = re.sub(r"(?m)(?<![:\"'`\w])//.*$", "", plain)
    plain = re.sub(r"new Error\([^;]*;", ";", plain)
    found = re.findall(r'"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`', plain)
    return [re.sub(r"\$\{.*?\}", "", double or template, flags=re.DOTALL) for double, template in found]


def is_said(text):
    """Whether people would read this as words: it begins with a capital, or is nothing but words."""
    if text.strip() in TECHNICAL | NAMES:
        return False
    return bool(re.match(r"[A-ZÄÖÜ][a-zäöüß’']+\b(?![-/])", text) or re.fullmatch(r"[a-z]+(?: [a-z]+)+[ .!?…]*", text))


class Words(HTMLParser):
    """What a document says: its texts, and the attributes that are read out."""

    def __init__(self):
        super().__init__()
        self.said, self._inside = [], []

    def handle_starttag(self, tag, attributes):
        if tag in ("script", "style", "template"):
            self._inside.append(tag)
        self.said += [value for name, value in attributes if name in READ_OUT and value]

    def handle_endtag(self, tag):
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data):
        if not self._inside or self._inside[-1] == "template":
            self.said.append(data)


@pytest.mark.parametrize("name", MARKUP)
def test_no_words_stand_in_markup(name):
    reader = Words()
    # What templates compute is not written there.
    reader.feed(re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{\w+\}", "", MARKER.sub("", MARKUP[name].read_text()), flags=re.DOTALL))
    left = [text.strip() for text in reader.said if re.search(r"[A-Za-z]{2,}", re.sub(r"@@\w+@@", "", text))]
    assert [text for text in left if text.strip("· ") not in NAMES] == [], TEACH


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_words_stand_in_a_script(name):
    assert [text for text in literals(SCRIPTS[name].read_text()) if is_said(text)] == [], TEACH


def constants(tree):
    """The strings of a module that are not docstrings, nor for logs."""
    silent = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            silent.add(node.value)
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(("logger.", "re.compile")):
            silent |= set(ast.walk(node))
        if isinstance(node, ast.Assert) or (isinstance(node, ast.Assign) and "__all__" in ast.unparse(node.targets[0])):
            silent |= set(ast.walk(node))
    strings = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return [node.value for node in strings if node not in silent]


@pytest.mark.parametrize("module", SPEAKING)
def test_no_words_stand_in_python(module):
    left = [text for text in constants(TREES[module]) if is_said(text) and text not in FOR_PROGRAMS]
    assert left == [], TEACH


def asked():
    """Every key that something says, and the beginnings of those that are composed, with where that is."""
    for name, path in MARKUP.items():
        text = path.read_text()
        for key in [
            *(found[1] for found in MARKER.finditer(text)),
            *re.findall(r"""["']([a-z]+\.[a-z_]*)["']""", text),
        ]:
            yield key, name
    for name, path in SCRIPTS.items():
        text = path.read_text()
        for key in re.findall(r'"([a-z]+(?:\.[a-z_]+)+)"|`([a-z]+\.)\$\{', text):
            yield key[0] or key[1], name
    for module in [*SPEAKING, "videogen.core.i18n", "videogen.login.routes"]:
        for text in constants(TREES[module]):
            yield text, module


def test_every_key_that_is_asked_for_exists():
    wrong = {
        f"{where}: {key}"
        for key, where in asked()
        if LOOKS_LIKE_A_KEY.fullmatch(key) and key.partition(".")[0] in SECTIONS and key not in KEYS
    }
    assert {one for one in wrong if not one.endswith(FILES)} == set(), TEACH


def test_every_text_is_used():
    said = {key for key, _ in asked()}
    begun = {key for key in said if re.fullmatch(r"[a-z]+\.", key)}
    unused = [key for key in sorted(KEYS) if key not in said and key[: key.index(".") + 1] not in begun]
    assert unused == [], "nothing says these any more: strike them out of videogen/locales/*.json"
