"""The pages for people with a link, from templates that escape whatever they are given."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, FunctionLoader, StrictUndefined

from videogen.core.i18n import Catalog, catalog, keys_in_script, languages
from videogen.schemas.status import TERMINAL
from videogen.services.public_view import note_text
from videogen.services.shares import PATH, SharedView

SCRIPT_PATH: Final = f"{PATH}-/share.js"
"""No slug is a single dash."""


@dataclass(frozen=True, slots=True)
class Links:
    """Where the app is: `base` for the world, `root` (its path) for this browser; neither ends with a slash."""

    base: str
    root: str


@cache
def read(path: str) -> str:
    """The text of a file of this package, or of another one: `share/assets/share.js`."""
    return files("videogen").joinpath(*path.split("/")).read_text(encoding="utf-8")


@cache
def style() -> str:
    """The style sheet of the pages: the colours of the main page, switched by the system's wish for light or dark."""
    tokens = read("ui/assets/css/tokens.css")
    dark = re.search(r"^\.dark \{(.*?)^\}", tokens, re.DOTALL | re.MULTILINE)
    assert dark is not None, "tokens.css has no dark colours"
    scheme = f"@media (prefers-color-scheme: dark) {{ :root {{{dark[1]}}} }}"
    return _small(tokens.replace(dark[0], scheme).replace(",\n.dark {", " {") + read("share/assets/share.css"))


def _small(css: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)).strip()


@cache
def script() -> str:
    """What keeps an open page true, with the main page's way to say things."""
    return read("ui/assets/js/say.js") + read("share/assets/share.js")


@cache
def script_version() -> str:
    """Changes with the script, so that browsers may keep it for ever."""
    return hashlib.sha256(script().encode()).hexdigest()[:12]


@cache
def policy(framed_by: str) -> str:
    """The Content-Security-Policy: this style, our own script, our own media, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    own = ("script-src", "img-src", "media-src", "connect-src")
    rules = ["default-src 'none'", f"style-src 'sha256-{digest}'", *(f"{kind} 'self'" for kind in own)]
    return "; ".join([*rules, "base-uri 'none'", "form-action 'none'", f"frame-ancestors {framed_by}"])


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(lambda name: read(f"share/assets/{name}.html")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals["style"] = style()
    return environment


def _render(name: str, facts: Mapping[str, Any]) -> str:
    return _environment().get_template(name).render(facts)


def share_page(visit: SharedView, address: Links, texts: Catalog) -> str:
    """The page of a link."""
    return _render("share", _facts(visit, address) | _said(visit, texts))


def embed_page(visit: SharedView, address: Links, texts: Catalog) -> str:
    """The player alone, for the frames of other sites."""
    return _render("embed", _facts(visit, address) | _said(visit, texts))


def frame(visit: SharedView, address: Links, width: int, height: int) -> str:
    """The markup with which another site shows the player."""
    return _render("iframe", _facts(visit, address) | {"width": width, "height": height}).strip()


@cache
def gone_page(deleted: bool, root: str, tag: str) -> str:
    """What is seen where no link leads anywhere: the same for every link that does not work."""
    return _render(
        "gone", {"deleted": deleted, "root": root, "words": catalog(tag), "languages": list(languages().values())}
    )


def _facts(visit: SharedView, address: Links) -> dict[str, Any]:
    seen, ended = visit.shown, visit.shown.status in TERMINAL
    return {
        "seen": seen,
        "summary": _summary(seen.prompt),
        "ended": ended,
        "slug": visit.slug,
        "indexable": visit.indexable,
        "poster": seen.poster_url or (None if ended else seen.preview_url),
        # What others are told is absolute. What this browser asks for next is where it has found the page.
        "base": address.base,
        "url": f"{address.base}{PATH}{visit.slug}",
        "root": address.root,
        "here": f"{address.root}{PATH}{visit.slug}",
        "script": f"{address.root}{SCRIPT_PATH}?v={script_version()}",
    }


def _said(visit: SharedView, texts: Catalog) -> dict[str, Any]:
    seen, count = visit.shown, visit.shown.size_bytes or 0
    small = count < 1_000_000
    size = max(1, round(count / 1000)) if small else count / 1_000_000
    return {
        "words": texts,
        "languages": list(languages().values()),
        "note": note_text(seen.note, texts),
        "size": texts.gettext("size.kilobytes" if small else "size.megabytes", size=size),
        "made": texts.date(seen.created_at),
        "said": _script_words(texts.tag),
    }


@cache
def _script_words(tag: str) -> str:
    """The texts for the script, as JSON that cannot end the element that carries it."""
    keys = [
        *keys_in_script(script()),
        *(key for key in catalog(tag).keys if key.startswith(("status.", "stage.", "visitor."))),
    ]
    return json.dumps(catalog(tag).subset(keys), ensure_ascii=False).replace("<", "\\u003c")


def _summary(prompt: str, length: int = 200) -> str:
    words = " ".join(prompt.split())
    return words if len(words) <= length else words[: length - 1].rstrip() + "…"
