"""What the API allows for a field, and why an engine cannot render here, in the language of the page: the API itself
writes it in English.

The texts `allowed.*` and `reason.*` of English have the API's words, with fields for numbers and names; those of
another language say the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from videogen.core.i18n import DEFAULT, Catalog, catalog

_ALLOWED: Final = "allowed."
_REASON: Final = "reason."
FIELDS: Final[Mapping[str, str]] = {
    "prompt": "form.prompt",
    "negativePrompt": "form.negative",
    "type": "form.make",
    "variations": "form.variations",
    "inputFileId": "form.image",
    "lastFrameFileId": "form.last_frame",
    "extend": "extend.from",
    "engine": "form.engine",
    "settings.width": "form.width",
    "settings.height": "form.height",
    "settings.durationSeconds": "form.seconds",
    "settings.fps": "form.fps",
    "settings.seed": "form.seed",
    "settings": "compare.setting",
    "title": "history.new_title",
    "expiresInSeconds": "share.ends",
    "file": "job.file",
    "url": "webhooks.address",
}
"""The fields of requests, by the keys of their names in the form."""


@cache
def _patterns(prefix: str) -> Mapping[str, re.Pattern[str]]:
    """By key with this prefix, what matches the API's words; the longest text first, which is the most exact one."""
    english = catalog(DEFAULT)
    texts: dict[str, str] = english.subset(key for key in english.keys if key.startswith(prefix))
    return {
        key: re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(texts[key])), re.DOTALL)
        for key in sorted(texts, key=lambda key: -len(re.sub(r"\{\w+\}", "", texts[key])))
    }


def allowed(text: str, words: Catalog) -> str | None:
    """What the API allows, in these words; None where there are none for it. In English it is the text itself."""
    return _translated(_ALLOWED, text, words)


def reason(text: str, words: Catalog) -> str:
    """Why an engine cannot render here, in these words; the text itself where there are none for it."""
    return _translated(_REASON, text, words) or text


def fault(error: Mapping[str, str], key: str, field: str, words: Catalog) -> str:
    """A sentence on a wrong field.

    Args:
        error: `field`, `expected` and `got`, as the API has them.
        key: of the sentence.
        field: its name on the page.
    """
    expected, got = allowed(error["expected"], words), error.get("got") or "nothing"
    if expected is None:
        return words.gettext("form.wrong", field=field)
    got = words.gettext("form.nothing") if got == "nothing" else allowed(got, words) or got
    return words.gettext(key, field=field, expected=expected, got=got)


def _translated(prefix: str, text: str, words: Catalog) -> str | None:
    if words.tag == DEFAULT:
        return text
    for key, pattern in _patterns(prefix).items():
        if match := pattern.fullmatch(text):
            return words.gettext(key, **{name: _value(part, words) for name, part in match.groupdict().items()})
    return None


def _value(part: str, words: Catalog) -> str:
    if (known := _translated(_REASON, part, words)) is not None:
        return known
    return words.number(float(part), places=3) if re.fullmatch(r"-?\d{1,15}(\.\d+)?", part) else part
