"""The page's scripts and style sheets in `static/`."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Final

from videogen.core.i18n import DEFAULT, catalog
from videogen.ui.templating import render
from videogen.ui.texts import Texts

SCRIPTS: Final = (
    "storage",
    "network",
    "connection",
    "draft",
    "session",
    "alerts",
    "keys",
    "native",
    "dialog",
    "files",
    "copy",
    "media",
    "compare",
    "address",
    "focus",
)
"""In the document's head, after `page`, which all use, and in blocks of their own. Others are `js=` of components."""
STYLES: Final = (
    "colours",
    "base",
    "form",
    "stage",
    "lists",
    "history",
    "connection",
    "presets",
    "people",
    "early",
    "narrow",
)
"""In the document's head, in this order: Gradio's own style sheets are loaded later."""


@cache
def read(name: str) -> str:
    """The text of a file in `static`."""
    return files("videogen.ui").joinpath("static", name).read_text(encoding="utf-8")


@cache
def head() -> str:
    """What goes into the document's head. Gradio's own `head` and `css` come only once its scripts run."""
    styles = _without_comments("\n".join(read(f"{name}.css") for name in STYLES))
    scripts = read("page.js") + "".join(f"{{\n{read(f'{name}.js')}}}\n" for name in SCRIPTS)
    return render("head", Texts(catalog(DEFAULT)), styles=styles, scripts=scripts)


def _without_comments(css: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL))
