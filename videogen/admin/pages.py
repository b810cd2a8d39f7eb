"""Renders the operator's pages from templates, which escape every value."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, FunctionLoader, StrictUndefined

from videogen.core.i18n import Catalog
from videogen.core.text import shorten
from videogen.web.security_headers import hash_source

REFRESH_SECONDS: Final = 5


def _read(path: str) -> str:
    return files("videogen").joinpath(*path.split("/")).read_text(encoding="utf-8")


@cache
def _style() -> str:
    return _read("ui/static/colours.css") + _read("admin/assets/admin.css")


@cache
def policy() -> str:
    """The Content-Security-Policy: this style and forms to this origin; no script, no frame."""
    own = f"default-src 'none'; style-src {hash_source(_style().encode())}; img-src 'self'"
    return f"{own}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(lambda name: _read(f"admin/assets/{name}.html")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(style=_style(), shorten=shorten, refresh=REFRESH_SECONDS)
    environment.filters["size"] = _size
    environment.filters["clock"] = lambda at: f"{at:%Y-%m-%d %H:%M:%S}"
    return environment


def page(name: str, texts: Catalog, path: str, **values: Any) -> str:
    """The HTML of a page; `path` is that of the overview."""
    return _environment().get_template(name).render(values, texts=texts, t=texts.gettext, path=path)


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
