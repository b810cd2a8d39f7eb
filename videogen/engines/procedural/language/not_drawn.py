"""Names what a prompt asks for and no scene will show: "Will Smith", "red Ferrari", "spaghetti"."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from videogen.engines.procedural.language.phrases import Phrase, join_phrases

MAX_NAMES: Final = 24
MAX_WORDS: Final = 8
"""A longer name is divided."""
_DESCRIBING: Final = frozenset({"colour", "size", "number", "amount", "mood", "style", "tempo", "light"})
_BEFORE_OBJECT: Final = frozenset({"indefinite", "definite", "number"})
# Function words that are names where an unknown word follows: "Will Smith".
_ALSO_NAMES: Final = frozenset({"will"})
_VERB: Final = re.compile(r"\w*[aeiouyäöü]\w*(?:ing|ed)")
_NO_VERBS: Final = frozenset(
    [
        "wedding",
        "painting",
        "pudding",
        "clothing",
        "earring",
        "viking",
        "dumpling",
        "sibling",
        "herring",
        "drawing",
        "bed",
        "hundred",
        "breed",
        "seed",
    ]
)


@dataclass(slots=True)
class _Reader:
    """Reads the phrases of a prompt from left to right."""

    phrases: Sequence[Phrase]
    ignored: Collection[int]
    names: dict[str, str] = field(default_factory=dict)
    name: list[Phrase] = field(default_factory=list)
    has_noun: bool = False  # `name` is more than colours and sizes
    is_after_noun: bool = False
    is_drawn: bool = False  # the noun before was drawn

    def read(self) -> tuple[str, ...]:
        is_german = any(
            "de" in phrase.sense.languages and "en" not in phrase.sense.languages for phrase in self.phrases
        )
        for at, phrase in enumerate(self.phrases):
            if self._goes_on(at, phrase):
                self.name.append(phrase)
            elif phrase.position not in self.ignored:
                self._end_name()
                self.is_after_noun = phrase.topic == "kind"
                self.is_drawn |= self.is_after_noun
                self._begin_name(at, phrase)
            elif self.is_after_noun and (phrase.topic == "action" or self._is_verb(at, phrase, german=is_german)):
                self._end_name()
                # What somebody does who is not seen need not be named.
                self._add(phrase.text if self.is_drawn else "")
                self.is_after_noun = False
            else:
                self._extend(at, phrase)
        self._end_name()
        return tuple(self.names.values())[:MAX_NAMES]

    def _extend(self, at: int, phrase: Phrase) -> None:
        if len(self.name) >= MAX_WORDS:
            self._end_name()
        if phrase.lead == "-" and not self.name and at:
            self.name = [self.phrases[at - 1]]
        self.name.append(phrase)
        if phrase.topic not in _DESCRIBING:
            self.has_noun = self.is_after_noun = True

    def _goes_on(self, at: int, phrase: Phrase) -> bool:
        """Whether a name goes on with a known word: "Spider-Man", "dragon's lair", "meaning of life", "Jack Black"."""
        if not self.has_noun or len(self.name) >= MAX_WORDS or phrase.position in self.ignored:
            return False
        last = self.name[-1].text
        if phrase.lead and (phrase.topic in ("stop", "kind") or phrase.lead == "-"):
            return True
        if phrase.topic in _DESCRIBING:
            return phrase.text[0].isupper() and last[0].isupper()
        if phrase.topic == "definite":
            return last.casefold() == "of"
        following = next((other for other in self.phrases[at + 1 : at + 3] if other.topic != "definite"), None)
        return phrase.text.casefold() == "of" and following is not None and following.position in self.ignored

    def _begin_name(self, at: int, phrase: Phrase) -> None:
        following = self._topic(at + 1)
        if following == "unknown" and phrase.text.casefold() in _ALSO_NAMES and not self._follows_noun(at):
            self.name = [phrase]

    def _follows_noun(self, at: int) -> bool:
        return at > 0 and self.phrases[at - 1].topic in ("kind", "unknown")

    def _topic(self, at: int) -> str:
        return self.phrases[at].topic if at < len(self.phrases) else ""

    def _is_verb(self, at: int, phrase: Phrase, *, german: bool) -> bool:
        """Whether an unknown word after a noun tells what the noun does: by its ending, or by what follows it."""
        word = phrase.text.casefold()
        if phrase.topic != "unknown" or phrase.lead or word in _NO_VERBS:
            return False
        if _VERB.fullmatch(word):
            return True
        return phrase.text[0].islower() and (german or self._topic(at + 1) in _BEFORE_OBJECT)

    def _end_name(self) -> None:
        if self.has_noun:
            self._add(join_phrases(self.name))
            self.is_drawn = False
        self.name, self.has_noun = [], False

    def _add(self, name: str) -> None:
        if name:
            self.names.setdefault(name.casefold(), name)


def names_not_drawn(phrases: Sequence[Phrase], ignored: Collection[int]) -> tuple[str, ...]:
    """The things that a prompt names and that will not be seen, each once, in the order and the spelling of the prompt.

    An action is named where the one who does it is drawn: for two people kissing, "kissing". A colour or a size
    that nothing has is not named.

    Args:
        phrases: all phrases of the prompt.
        ignored: the positions of the phrases that had no effect.
    """
    return _Reader(phrases, ignored).read()
