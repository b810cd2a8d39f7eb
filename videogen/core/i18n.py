"""What people read, in their language: every sentence of the pages stands in `locales/*.json`, and is said from here.

A file maps keys to texts. A text holds named placeholders, such as `{count}`; where it depends on a number, it is one
text for each plural form. `@language` tells the language's own name, its plural forms with the rule that chooses one
(as in gettext's `Plural-Forms`, ordered), and how it writes numbers and dates.
The keys of English are those of all others.
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

DEFAULT: Final = "en"
"""The language of the API, of engines and of logs; and that of the pages, where nothing better is known."""
COOKIE: Final = "videogen_language"
"""Keeps what somebody has chosen on the page. A parameter `language` in the address counts more."""
PARAMETER: Final = "language"
MARK: Final = re.compile(r"@@([a-z_]+(?:\.[a-z_]+)+)((?: [a-z_]+=[^@ ]+)*)@@")
"""Where a text goes in a document: `@@job.cancel@@`, or with values, `@@image.hint megabytes=20@@`."""
VARIES: Final = "Accept-Language, Cookie"
"""What a page in somebody's language depends on, for the header `Vary`."""

_PLACE: Final = re.compile(r"\{(\w+)\}")
_WISH: Final = re.compile(
    r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?$"
)


class Catalog:
    """One language. It is made once and never changes, so that any number of visits may share it."""

    def __init__(self, tag: str, told: Mapping[str, Any]) -> None:
        about = told["@language"]
        self.tag = tag
        """As in the attribute `lang`, such as `de`."""
        self.name: str = about["name"]
        self.forms: tuple[str, ...] = tuple(about["forms"])
        self._plural: Callable[[int], int] = c2py(about["plural"])
        self._signs = str.maketrans({".": about["decimal"], ",": about["group"]})
        self._date, self._months = str(about["date"]), tuple(about["months"])
        self._texts = {key: text for key, text in told.items() if not key.startswith("@")}
        self.keys = tuple(self._texts)
        """All that can be said."""

    def some(self, keys: Iterable[str]) -> dict[str, Any]:
        """These texts as they stand in the file, for scripts that fill them in themselves."""
        return {key: self._texts[key] for key in keys}

    def knows(self, key: str) -> bool:
        """Whether there is such a text."""
        return key in self._texts

    def say(self, key: str, **values: Any) -> str:
        """A text with its placeholders filled in; `count` chooses its plural form, numbers are written as people do.

        Raises:
            KeyError: there is no such text, or a value for a placeholder is missing.
        """
        text = self._texts[key]
        if isinstance(text, dict):
            text = text[self.form(values["count"])]
        return _PLACE.sub(lambda place: self._shown(values[place[1]]), text)

    def form(self, count: int) -> str:
        """The plural form for a number, such as `one`."""
        return self.forms[self._plural(abs(count))]

    def number(self, value: float) -> str:
        """A number to at most one decimal place, as `Intl.NumberFormat` writes it in the browser."""
        return f"{value:,.1f}".removesuffix(".0").translate(self._signs)

    def date(self, day: date) -> str:
        """A day as people write it, with the month's name."""
        return self._date.format(day=day.day, month=self._months[day.month - 1], year=day.year)

    def fill(self, markup: str) -> str:
        """A document with this language's texts at its marks."""
        return MARK.sub(self._mark, markup)

    def _mark(self, found: re.Match[str]) -> str:
        values = dict(pair.split("=", 1) for pair in found[2].split())
        try:
            return html.escape(self.say(found[1], **values), quote=False)
        except KeyError:
            # An engine's own words may look like a mark.
            return found[0]

    def _shown(self, value: Any) -> str:
        return self.number(value) if isinstance(value, int | float) else str(value)


@cache
def languages() -> Mapping[str, Catalog]:
    """All languages by their tag, the default first. A file more in `locales` is a language more."""
    found = sorted(files("videogen").joinpath("locales").iterdir(), key=lambda one: one.name)
    read = {one.name.removesuffix(".json"): one for one in found if one.name.endswith(".json")}
    order = sorted(read, key=lambda tag: tag != DEFAULT)
    return {tag: Catalog(tag, json.loads(read[tag].read_text(encoding="utf-8"))) for tag in order}


def words(tag: str | None) -> Catalog:
    """A language by its tag or by a longer one (`de-AT`); the default where it is not spoken here."""
    return languages()[_spoken(tag or "") or DEFAULT]


def chosen(query: Mapping[str, str], cookies: Mapping[str, str], headers: Mapping[str, str]) -> Catalog:
    """The language of a request: what its address says, else what was chosen before, else what the browser likes."""
    for asked in (query.get(PARAMETER), cookies.get(COOKIE)):
        if asked and (spoken := _spoken(asked)):
            return languages()[spoken]
    return languages()[_negotiate(headers.get("accept-language", ""))]


def _negotiate(header: str) -> str:
    """The spoken language that an `Accept-Language` (RFC 9110) likes best."""
    wishes = [found for part in header.split(",")[:50] if (found := _WISH.match(part))]
    # Of equal wishes the first counts; sorting keeps their order.
    for wish in sorted(wishes, key=lambda one: -float(one[2] or 1)):
        if float(wish[2] or 1) > 0 and (spoken := DEFAULT if wish[1] == "*" else _spoken(wish[1])):
            return spoken
    return DEFAULT


def _spoken(tag: str) -> str | None:
    known = {one.lower(): one for one in languages()}
    steps = tag.strip().lower().split("-")
    prefixes = ("-".join(steps[:count]) for count in range(len(steps), 0, -1))
    return next((known[prefix] for prefix in prefixes if prefix in known), None)


def problem(spoken: Catalog, code: str, detail: str) -> str:
    """An error of the API for people: its own words in the API's language, else those of its code, where known."""
    key = f"error.{code}"
    return detail if spoken.tag == DEFAULT or not spoken.knows(key) else spoken.say(key)


def said_by(script: str) -> list[str]:
    """The keys that a script can say: those in quotes, and all that begin as one of its templates (`error.${code}`)."""
    return [key for key in words(DEFAULT).keys if f'"{key}"' in script or f"`{key.partition('.')[0]}.${{" in script]
