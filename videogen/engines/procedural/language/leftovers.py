"""The words of a prompt that had no effect: those that were not understood, and those that were not used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from videogen.engines.procedural.language.builders import ParseNotes
from videogen.engines.procedural.language.lexicon import read_table
from videogen.engines.procedural.language.phrases import Phrase, join_phrases

_GRAMMAR: Final = frozenset(
    {"pause", "and", "or", "is", "indefinite", "definite", "relation", "shot", "stop", "negator"}
)
"""Topics of words that need not be listed."""


def overlooked(phrases: Sequence[Phrase], notes: ParseNotes) -> list[Phrase]:
    """The phrases without effect, in the order of the prompt: no word with a content is passed over."""
    listed = frozenset(read_table("context")["listed"]["words"].split(", "))
    silent = [
        phrase
        for phrase in phrases
        if phrase.position not in notes.positions
        and (phrase.topic not in _GRAMMAR or listed.intersection(phrase.text.casefold().split()))
    ]
    return sorted([*notes.ignored, *silent], key=lambda phrase: phrase.position)


def not_understood(left_out: Iterable[Phrase], limit: int) -> tuple[str, ...]:
    """The unknown words, each once. Adjacent words with capital letters are one name."""
    groups: list[list[Phrase]] = []
    end = -1
    for phrase in left_out:
        if phrase.topic != "unknown":
            continue
        goes_on = phrase.position == end and phrase.text[0].isupper() and groups[-1][-1].text[0].isupper()
        if goes_on and len(groups[-1]) < _MAX_NAME:
            groups[-1].append(phrase)
        else:
            groups.append([phrase])
        end = phrase.position + phrase.length
    return _once(map(join_phrases, groups), limit)


def not_used(left_out: Iterable[Phrase], limit: int) -> tuple[str, ...]:
    """The known words without effect, each once."""
    return _once((phrase.text for phrase in left_out if phrase.topic != "unknown"), limit)


def _once(texts: Iterable[str], limit: int) -> tuple[str, ...]:
    words: dict[str, str] = {}
    for text in texts:
        words.setdefault(text.casefold(), text)
    return tuple(words.values())[:limit]


_MAX_NAME: Final = 6
