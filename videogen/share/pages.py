"""Renders the pages of a link from templates, which escape every value."""

from __future__ import annotations

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
from videogen.core.text import shorten
from videogen.schemas.status import TERMINAL
from videogen.services.public_view import note_text
from videogen.services.shares import PATH, SharedView
from videogen.web.security_headers import hash_source

SCRIPT_PATH: Final = f"{PATH}-/share.js"
"""No slug is a single dash."""


@dataclass(frozen=True, slots=True)
class Links:
    """The app's public address (`base`) and its path (`root`); neither ends with a slash."""

    base: str
    root: str


@cache
def read(path: str) -> str:
    """The text of a file in the package, such as `share/assets/share.js`."""
    return files("videogen").joinpath(*path.split("/")).read_text(encoding="utf-8")


@cache
def style() -> str:
    """The style sheet, in the colours of the main page."""
    return _minify(read("ui/static/colours.css") + read("share/assets/share.css"))


def _minify(css: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)).strip()


@cache
def script() -> str:
    """The script that updates an open page."""
    return "{" + read("share/assets/texts.js") + read("share/assets/share.js") + "}"


@cache
def script_version() -> str:
    """Changes with the script, so that browsers may cache it for ever."""
    return hashlib.sha256(script().encode()).hexdigest()[:12]


@cache
def policy(files_origin: str = "") -> str:
    """The Content-Security-Policy: only this style, and scripts and media of this app; `files_origin` has media too."""
    own = ("script-src 'self'", "connect-src 'self'")
    media = (f"{kind} 'self' {files_origin}".rstrip() for kind in ("img-src", "media-src"))
    rules = ["default-src 'none'", f"style-src {hash_source(style().encode())}", *own, *media]
    # For *Report*.
    return "; ".join([*rules, "base-uri 'none'", "form-action 'self'"])


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


def render(name: str, values: Mapping[str, Any]) -> str:
    """The HTML of a template in `assets`."""
    return _environment().get_template(name).render(values)


def page(name: str, view: SharedView, links: Links, texts: Catalog, *, reported: bool = False) -> str:
    """The page of a link (`share`), or the player alone for iframes of other sites (`embed`). `reported`: the visitor
    has just reported it."""
    return render(name, _values(view, links) | _text_values(view, texts) | {"reported": reported})


def embed_markup(view: SharedView, links: Links, width: int, height: int) -> str:
    """The iframe element with which another site shows the player."""
    return render("iframe", _values(view, links) | {"width": width, "height": height}).strip()


@cache
def gone_page(deleted: bool, root: str, tag: str) -> str:
    """The page of a link that does not work; the same for all of them, except for deleted generations."""
    values = {"deleted": deleted, "root": root, "texts": catalog(tag), "languages": list(languages().values())}
    return render("gone", values)


def _values(view: SharedView, links: Links) -> dict[str, Any]:
    shown, ended, path = view.shown, view.shown.status in TERMINAL, f"{PATH}{view.share.slug}"
    return {
        "shown": shown,
        "summary": shorten(shown.prompt, 200),
        "ended": ended,
        "slug": view.share.slug,
        "indexable": view.share.indexable,
        "poster": shown.poster_url or (None if ended else shown.preview_url),
        # Links for other sites are absolute; those for this browser are paths.
        "base": links.base,
        "url": f"{links.base}{path}",
        "root": links.root,
        "path": f"{links.root}{path}",
        "script": f"{links.root}{SCRIPT_PATH}?v={script_version()}",
    }


def _text_values(view: SharedView, texts: Catalog) -> dict[str, Any]:
    shown, count = view.shown, view.shown.size_bytes or 0
    small = count < 1_000_000
    size = max(1, round(count / 1000)) if small else count / 1_000_000
    return {
        "texts": texts,
        "languages": list(languages().values()),
        "note": note_text(shown.note, texts),
        "size": texts.gettext("size.kilobytes" if small else "size.megabytes", size=size),
        "created": texts.date(shown.created_at),
        "script_texts": _script_texts(texts.tag),
    }


@cache
def _script_texts(tag: str) -> str:
    """The texts for the script, as JSON that cannot end its script element."""
    shown = (key for key in catalog(tag).keys if key.startswith(("status.", "stage.", "visitor.")))
    return json.dumps(catalog(tag).subset([*keys_in_script(script()), *shown]), ensure_ascii=False).replace(
        "<", "\\u003c"
    )
