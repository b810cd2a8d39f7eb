"""The files of the page: read once, joined in a fixed order."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from typing import Final

from videogen.ui.form import EngineForm
from videogen.ui.texts import DETAILS

STYLES: Final = ("tokens", "gradio", "layout", "stage", "job", "form", "intake", "lists", "history", "share", "take")
SCRIPTS: Final = (
    "core",
    "notice",
    "stage",
    "lists",
    "api",
    "history",
    "gallery",
    "filters",
    "toast",
    "selection",
    "cards",
    "connection",
    "engines",
    "intake",
    "draft",
    "form",
    "session",
    "player",
    "links",
    "share",
    "remix",
    "take",
    "claim",
    "page",
    "shell",
)
SHELL: Final = ("masthead", "stage", "job", "active", "history", "shared", "take")
"""The parts that are seen before Gradio has started."""


@cache
def read(path: str) -> str:
    """The text of one file in `assets`."""
    return files("videogen.ui").joinpath("assets", *path.split("/")).read_text(encoding="utf-8")


def shell() -> str:
    """What stands in the page's body before Gradio has started."""
    return re.sub(r"@@(\w+)@@", lambda found: read(f"html/{found[1]}.html"), read("html/shell.html"))


def head(engines: Sequence[EngineForm], api: str = "api/v1") -> str:
    """What goes into the page's head. `api`: where its scripts find the API, below the page's own address.

    Gradio itself would put its own `head` and `css` in only once it has started, and rewrite their selectors.
    """
    parts = {
        "styles": "\n".join(read(f"css/{name}.css") for name in STYLES),
        "scripts": "\n".join(read(f"js/{name}.js") for name in SCRIPTS),
        "engines": _engine_forms(engines),
        "api": api,
    }
    return re.sub(r"@@(\w+)@@", lambda found: parts[found[1]], read("html/head.html"))


def _engine_forms(engines: Sequence[EngineForm]) -> str:
    told = [asdict(engine) | {"detail_choices": detail_choices(engine.details)} for engine in engines]
    # An engine's own words must not be able to end the element that carries them.
    return json.dumps(told).replace("<", "\\u003c")


def detail_choices(details: Sequence[str]) -> list[tuple[str, str]]:
    """The choices of detail as Gradio takes them: what is shown, and the value."""
    return [(DETAILS.get(short, f"{short}p"), short) for short in details]
