"""Writes the word tables into docs/prompting.md (`make words`)."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from videogen.engines.procedural.language.lexicon import TABLES, Effect, effects_of, read_table

PAGE: Final = "docs/prompting.md"
_TOPICS: Final[Mapping[str, tuple[str, ...]]] = {
    "subjects": ("kind", "without"),
    "light": ("time", "season", "mood"),
    "colours": ("colour",),
    "style": ("style",),
    "camera": ("camera", "tempo", "loop"),
    "shots": ("shot", "title"),
    "numbers": ("number", "size", "amount"),
    "places": ("relation", "place"),
    "actions": ("action",),
    "negation": ("negator",),
}
_MARK: Final = re.compile(r"(<!-- words (\w+) (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill_tables(page: str) -> str:
    """The page with each table between `<!-- words TABLE LANGUAGE -->` and `<!-- end -->` made again."""
    return _MARK.sub(lambda match: f"{match[1]}\n{word_table(match[2], match[3])}\n\n{match[4]}", page)


def word_table(name: str, language: str) -> str:
    """One table as Markdown. `name`: a key of `_TOPICS`, or "all". `language`: a language code of the word tables."""
    topics = _TOPICS.get(name) or tuple(topic for names in _TOPICS.values() for topic in names)
    rows = [
        f"| {_meaning(section)} | {_words(languages[language])} |"
        for file in TABLES
        for section, languages in read_table(file).items()
        if effects_of(section)[0].topic in topics and language in languages
    ]
    return "\n".join(["| becomes | words |", "|---|---|", *rows])


def _words(phrases: str) -> str:
    """The phrases without the marks for plurals."""
    return re.sub(r"[+~](?=,|$)", "", phrases).replace("|", "\\|")


def _meaning(section: str) -> str:
    return ", ".join(filter(None, map(_effect_text, effects_of(section))))


def _effect_text(effect: Effect) -> str:
    match effect.topic:
        case "kind":
            strength = "" if effect.amount is None else f" ({effect.amount:.0%})"
            return f"**{effect.value}**{strength}"
        case "amount":
            return f"strength {effect.amount:.0%}"
        case "unless":
            return "negated: calm water"
        case "when":
            return "only where negated"
        case "without" | "size" | "number" | "action":
            return f"{effect.topic} {effect.value}".replace("number 0", "several")
        case "loop" | "title" | "negator":
            return {"loop": "a loop", "title": "announces a title", "negator": "not this"}[effect.topic]
        case "relation" | "place":
            return f"{effect.value} {'...' if effect.topic == 'relation' else '(in the picture)'}"
        case _:
            return f"{effect.topic}: {effect.value}"


def main(path: str = PAGE) -> None:
    """Write the tables into the page."""
    page = Path(path)
    page.write_text(fill_tables(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
