"""The page's scripts and style sheets in `static/`."""

from __future__ import annotations

import re
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

from fastapi import APIRouter, Response

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
"""In this order after `page`, which all use, in blocks of their own. Others are `js=` of components."""
STYLES: Final = (
    "colours",
    "base",
    "form",
    "stage",
    "lists",
    "history",
    "connection",
    "presets",
    "masthead_and_dialogs",
    "early",
    "narrow",
)
"""In the document's head, in this order: Gradio's own style sheets are loaded later."""
_FOR_GOOD: Final = "public, max-age=31536000, immutable"


@cache
def read(name: str) -> str:
    """The text of a file in `static`."""
    return files("videogen.ui").joinpath("static", name).read_text(encoding="utf-8")


@cache
def scripts() -> str:
    """All scripts of the page as one file."""
    return read("page.js") + "".join(f"{{\n{read(f'{name}.js')}}}\n" for name in SCRIPTS)


@cache
def head() -> tuple[str, str]:
    """What goes into the document's head: at its begin, and at its end.

    The scripts run once the document is there, before Gradio's own. Gradio's `head` and `css` would come after those.
    """
    texts = Texts(catalog(DEFAULT))
    styles = _without_comments("\n".join(read(f"{name}.css") for name in STYLES))
    version = sha256(scripts().encode()).hexdigest()[:12]
    return render("scripts", texts, first=read("theme.js"), version=version), render("styles", texts, styles=styles)


def script_route() -> APIRouter:
    """The route of `scripts`. Each document names its version, so a browser keeps the file for good."""
    router = APIRouter()

    @router.api_route("/page.js", methods=["GET", "HEAD"], include_in_schema=False)
    async def page_js() -> Response:
        return Response(scripts(), media_type="text/javascript", headers={"Cache-Control": _FOR_GOOD})

    return router


def _without_comments(css: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL))
