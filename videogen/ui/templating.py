"""Jinja2 templates of the page's panels: `templates/*.html`, autoescaped."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from videogen.ui.texts import Texts


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("videogen.ui"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Or each use of a template would ask the disk whether it has changed.
        auto_reload=False,
    )


def render(template: str, texts: Texts, **values: Any) -> str:
    """The HTML of a template.

    Args:
        template: the file's name in `templates`, without `.html`.
        texts: the language; a template writes `{{ t("job.cancel") }}`, and may call every method of `Texts`.
        values: the template's variables. One that is missing raises jinja2.UndefinedError.
    """
    return _environment().get_template(f"{template}.html").render(t=texts.gettext, texts=texts, **values)
