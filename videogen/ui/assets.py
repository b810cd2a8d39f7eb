"""The files of the page: read once, joined in a fixed order."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from typing import Any, Final

from videogen.core.i18n import Catalog, keys_in_script, languages
from videogen.ui.form import EngineForm
from videogen.ui.texts import DETAILS

STYLES: Final = (
    "tokens",
    "gradio",
    "layout",
    "stage",
    "job",
    "early",
    "form",
    "intake",
    "lists",
    "history",
    "queue",
    "share",
    "take",
    "settings",
    "presets",
    "attention",
    "compare",
)
SCRIPTS: Final = (
    "core",
    "say",
    "language",
    "focus",
    "announce",
    "notice",
    "times",
    "stage",
    "lists",
    "api",
    "history",
    "gallery",
    "filters",
    "toast",
    "selection",
    "cards",
    "queue",
    "attention",
    "alerts",
    "away",
    "shortcuts",
    "compare_clock",
    "compare",
    "connection",
    "checks",
    "settings",
    "engines",
    "intake",
    "draft",
    "early",
    "form",
    "recipes",
    "reuse",
    "presets",
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


@cache
def read(path: str) -> str:
    """The text of one file in `assets`."""
    return files("videogen.ui").joinpath("assets", *path.split("/")).read_text(encoding="utf-8")


def shell(words: Catalog) -> str:
    """What stands in the page's body before Gradio has started."""
    whole = re.sub(r"@@(\w+)@@", lambda found: read(f"html/{found[1]}.html"), read("html/shell.html"))
    return words.fill(whole.replace("{languages}", _switch(words)))


def _switch(words: Catalog) -> str:
    """A link for each language; of the one that is spoken it says so."""
    link = read("html/language.html").strip()
    return "".join(
        link.format(tag=one.tag, name=one.name, short=one.tag.upper(), current=str(one is words).lower())
        for one in languages().values()
    )


def head(engines: Sequence[EngineForm], words: Catalog, *, api: str = "api/v1") -> str:
    """What goes into the page's head. `api`: where its scripts find the API, below the page's own address.

    Gradio itself would put its own `head` and `css` in only once it has started, and rewrite their selectors.
    """
    parts = {
        "styles": "\n".join(read(f"css/{name}.css") for name in STYLES),
        "scripts": scripts(),
        "engines": _data([_engine_form(engine, words) for engine in engines]),
        "words": _data(words.subset(keys_in_script(scripts()))),
        "api": api,
    }
    return re.sub(r"@@(\w+)@@", lambda found: parts[found[1]], words.fill(read("html/head.html")))


@cache
def scripts() -> str:
    """All scripts of the page, in their order."""
    return "\n".join(read(f"js/{name}.js") for name in SCRIPTS)


def _engine_form(engine: EngineForm, words: Catalog) -> dict[str, Any]:
    # Not as a dataclass all through: presets are models.
    told = {name: getattr(engine, name) for name in engine.__slots__}
    return told | {
        "detail_choices": detail_choices(engine.details, words.gettext),
        "basics": {name: asdict(field) for name, field in engine.basics.items()},
        "fields": [asdict(field) for field in engine.fields],
        "presets": [preset.model_dump(mode="json", by_alias=True) for preset in engine.presets],
    }


def _data(value: object) -> str:
    # What others have written, such as an engine's own words, must not be able to end the element that carries it.
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def detail_choices(details: Sequence[str], say: Callable[[str], str]) -> list[tuple[str, str]]:
    """The choices of detail as Gradio takes them: what is shown, and the value."""
    return [(say(DETAILS[short]) if short in DETAILS else f"{short}p", short) for short in details]
