"""Message catalogs of the pages, read from `locales/*.json`, and the choice of one for a request.

A file maps keys to texts. A text may hold named fields, such as `{count}`. Where a text depends on a number, it is an
object with one text for each plural form. `@language` holds the language's own name, its plural forms, the rule that
chooses one (gettext's `Plural-Forms`), and how it writes numbers and dates. All files have the keys of English.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import cache
from gettext import c2py
from importlib.resources import files
from typing import Any, Final

from videogen.core.text import money

DEFAULT: Final = "en"
"""The language of the API, of engines and of logs; and of a page whose visitor asks for no language that we have."""
COOKIE: Final = "videogen_language"
"""Keeps the language that was chosen on the page. The query parameter `language` has priority."""
COOKIE_SECONDS: Final = 31_536_000
PARAMETER: Final = "language"
MARKER: Final = re.compile(r"@@([a-z_]+(?:\.[a-z_]+)+)((?: [a-z_]+=[^@ ]+)*)@@")
"""A text's position in a document: `@@job.cancel@@`, or with values, `@@image.hint megabytes=20@@`."""
VARY: Final = "Accept-Language, Cookie"
"""The header `Vary` of a response whose language was negotiated."""

_FIELD: Final = re.compile(r"\{(\w+)\}")
_LANGUAGE_RANGE: Final = re.compile(
    r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?$"
)


class Catalog:
    """The texts of one language. Immutable, so that all requests share it."""

    def __init__(self, tag: str, entries: Mapping[str, Any]) -> None:
        about = entries["@language"]
        self.tag = tag
        """As in the attribute `lang`, such as `de`."""
        self.name: str = about["name"]
        self.forms: tuple[str, ...] = tuple(about["forms"])
        self._plural: Callable[[int], int] = c2py(about["plural"])
        self._separators = str.maketrans({".": about["decimal"], ",": about["group"]})
        self._date, self._months = str(about["date"]), tuple(about["months"])
        self._texts = {key: text for key, text in entries.items() if not key.startswith("@")}
        self.keys = tuple(self._texts)

    def subset(self, keys: Iterable[str]) -> dict[str, Any]:
        """The unformatted texts of these keys, for scripts that fill in the values themselves."""
        return {key: self._texts[key] for key in keys}

    def __contains__(self, key: str) -> bool:
        return key in self._texts

    def gettext(self, key: str, **values: Any) -> str:
        """A text with its fields filled in; `count` selects the plural form, numbers are written as in this language.

        Raises:
            KeyError: there is no such text, or the value of a field is missing.
        """
        text = self._texts[key]
        if isinstance(text, dict):
            text = text[self.form(values["count"])]
        return _FIELD.sub(lambda match: self._format(values[match[1]]), text)

    def form(self, count: int) -> str:
        """The plural form for a number, such as `one`."""
        return self.forms[self._plural(abs(count))]

    def number(self, value: float, places: int = 1) -> str:
        """A number with at most so many decimal places, as `Intl.NumberFormat` writes it in the browser."""
        text = f"{value:,.{places}f}"
        return (text.rstrip("0").rstrip(".") if "." in text else text).translate(self._separators)

    def money(self, amount: float) -> str:
        """An amount of money, without its currency: see `core.text.money`."""
        return money(amount).translate(self._separators)

    def date(self, day: date) -> str:
        """A date with the month's name."""
        return self._date.format(day=day.day, month=self._months[day.month - 1], year=day.year)

    def fill(self, markup: str) -> str:
        """A document with each marker replaced by its text, escaped for HTML and for a string in a script."""
        return MARKER.sub(self._replace_marker, markup)

    def _replace_marker(self, match: re.Match[str]) -> str:
        values = dict(pair.split("=", 1) for pair in match[2].split())
        try:
            return json.dumps(html.escape(self.gettext(match[1], **values), quote=False), ensure_ascii=False)[1:-1]
        except KeyError:
            # The text of an engine may look like a marker.
            return match[0]

    def _format(self, value: Any) -> str:
        return self.number(value) if isinstance(value, int | float) else str(value)


_MAX_TAG: Final = 64


@cache
def languages() -> Mapping[str, Catalog]:
    """All catalogs by language tag, the default first. Each file in `locales` is one."""
    folder = files("videogen").joinpath("locales")
    texts = {file.name.removesuffix(".json"): file for file in folder.iterdir() if file.name.endswith(".json")}
    tags = sorted(texts, key=lambda tag: (tag != DEFAULT, tag))
    return {tag: Catalog(tag, json.loads(texts[tag].read_bytes())) for tag in tags}


def catalog(tag: str | None) -> Catalog:
    """The catalog of a language tag, or of a longer one such as `de-AT`; the default's where there is none."""
    return languages()[_lookup(tag or "") or DEFAULT]


def negotiate(query: Mapping[str, str], cookies: Mapping[str, str], headers: Mapping[str, str]) -> Catalog:
    """The catalog for a request: by its query parameter, else by its cookie, else by `Accept-Language`."""
    for requested in (query.get(PARAMETER), cookies.get(COOKIE)):
        if requested and (tag := _lookup(requested)):
            return languages()[tag]
    return languages()[_best_match(headers.get("accept-language", ""))]


def _best_match(accept_language: str) -> str:
    """The tag that an `Accept-Language` header (RFC 9110) prefers."""
    ranges = [match for part in accept_language.split(",")[:50] if (match := _LANGUAGE_RANGE.match(part))]
    # The sort is stable: of equal qualities the first counts.
    for language_range in sorted(ranges, key=lambda match: -float(match[2] or 1)):
        quality = float(language_range[2] or 1)
        if quality > 0 and (tag := DEFAULT if language_range[1] == "*" else _lookup(language_range[1])):
            return tag
    return DEFAULT


def _lookup(tag: str) -> str | None:
    """The longest known prefix of a language tag (RFC 4647, "lookup"). Longer than 64 characters it is none."""
    if len(tag) > _MAX_TAG:
        return None
    known = {name.lower(): name for name in languages()}
    subtags = tag.strip().lower().split("-")
    prefixes = ("-".join(subtags[:count]) for count in range(len(subtags), 0, -1))
    return next((known[prefix] for prefix in prefixes if prefix in known), None)


def error_message(texts: Catalog, code: str, detail: str) -> str:
    """The text of an API error for a page: `detail` in the API's language, else the text of its code, if any."""
    key = f"error.{code}"
    return detail if texts.tag == DEFAULT or key not in texts else texts.gettext(key)


def keys_in_script(script: str) -> list[str]:
    """The keys that a script uses: those in quotes, and all that one of its templates (`error.${code}`) may build."""
    keys = catalog(DEFAULT).keys
    return [key for key in keys if f'"{key}"' in script or f"`{key.partition('.')[0]}.${{" in script]
