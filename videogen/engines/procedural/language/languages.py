"""Guesses the language of a prompt, so that a word of another language is not mistaken for one that it looks like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from videogen.engines.procedural.language.lexicon import Sense, read_table
from videogen.engines.procedural.language.phrases import Phrase
from videogen.engines.procedural.language.tokenizer import normalize_word

LATIN: Final = frozenset({"en", "de", "fr", "es", "it", "pt"})
"""Languages of the word tables that share an alphabet."""
_LETTER_WEIGHT: Final = 2
_CLEAR: Final = 2


@dataclass(frozen=True, slots=True)
class PromptLanguage:
    """The language of a prompt as far as its words of grammar show it; "" where they do not.

    `scores`: the number of such words per language. `is_other`: a language without word tables."""

    code: str
    scores: Mapping[str, int]
    is_other: bool
    is_other_cyrillic: bool

    def means(self, word: str, sense: Sense) -> bool:
        """Whether a word of this prompt can have this meaning."""
        languages = sense.languages
        if not languages or "emoji" in languages:
            return True
        if languages == {"ru"}:
            return not self.is_other_cyrillic
        if not languages & LATIN:
            return True
        if self.is_other:
            return False
        if self.code in languages or not self.code or self.code in _grammar_words().get(word, ()):
            return True
        if word in _false_friends().get(self.code, ()):
            return False
        if "en" in languages or self.scores.get(self.code, 0) < _CLEAR:
            return True
        return any(2 * self.scores.get(language, 0) > self.scores[self.code] for language in languages)


def prompt_language(phrases: Sequence[Phrase]) -> PromptLanguage:
    """The language of a prompt, from its words of grammar and its letters."""
    words = [word for phrase in phrases for word in phrase.text.casefold().replace("'", " ").split()]
    known = _grammar_words()
    scores = Counter(language for word in words for language in known.get(word, ()))
    table = read_letters()
    letters = Counter(letter for word in words for letter in set(word))
    foreign = sum(letters[letter] for letter in table["latin"] + table["vietnamese"]) * _LETTER_WEIGHT
    best = max(sorted(LATIN), key=lambda language: scores[language])
    others = max((scores[language] for language in scores if language not in LATIN), default=0)
    is_other = others + foreign > max(scores[best], 1)
    code = best if scores[best] and not is_other else ""
    cyrillic = any(letters[letter] for letter in table["cyrillic"])
    return PromptLanguage(code, scores, is_other, cyrillic)


@cache
def _grammar_words() -> Mapping[str, tuple[str, ...]]:
    words: dict[str, list[str]] = {}
    for language, listed in read_table("languages")["words"].items():
        for word in dict.fromkeys(listed.split(", ")):
            words.setdefault(word, []).append(language)
    return {word: tuple(languages) for word, languages in words.items()}


@cache
def read_letters() -> Mapping[str, str]:
    """Letters that no language of the word tables has."""
    letters: Mapping[str, str] = read_table("languages")["letters"]
    return letters


@cache
def _false_friends() -> Mapping[str, frozenset[str]]:
    table = read_table("languages")["false_friends"]
    return {language: frozenset(map(normalize_word, words.split(", "))) for language, words in table.items()}
