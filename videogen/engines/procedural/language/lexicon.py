"""Loads the word tables and finds the longest known phrase in a list of tokens."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final

from videogen.engines.procedural.language.tokenizer import QuoteType, Token, clean, tokenize

TABLES: Final = ("subjects", "light", "craft", "grammar", "others")
_WEAK: Final = frozenset({"stop", "praise", "unused", "unknown"})
_WITH_VERB_FORMS: Final = frozenset({"camera", "loop", "shot", "action", "relation", "unused", "unwanted"})
ROMANCE: Final = frozenset({"fr", "es", "it", "pt"})
# Words that are allowed inside a camera phrase: "pan slowly to the left".
_FILLER_WORDS: Final = frozenset({"to", "the", "slowly", "gently", "towards", "smoothly"})
_MAX_FILLERS: Final = 3
_TITLE_LOOKBACK: Final = 3
_PARTICLES: Final = ("의", "에", "를", "을", "이", "가", "은", "는", "에서", "와", "과", "로", "으로", "도", "에는")


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect of a phrase: `topic` and `value` as in the word tables, `amount` 0..1 or None."""

    topic: str
    value: str = ""
    amount: float | None = None


@dataclass(frozen=True, slots=True)
class Sense:
    """The meaning of a phrase. `languages`: language codes that have it. `plural`: it is a plural. `is_invariant`: its
    singular and plural are the same."""

    effects: tuple[Effect, ...]
    languages: frozenset[str]
    plural: bool = False
    is_invariant: bool = False

    @property
    def topic(self) -> str:
        """The topic of the first effect."""
        return self.effects[0].topic

    @property
    def value(self) -> str:
        """The value of the first effect."""
        return self.effects[0].value

    @property
    def follows_noun(self) -> bool:
        """Whether it stands after its noun, as adjectives of the Romance languages do."""
        return self.languages <= ROMANCE


@dataclass(frozen=True, slots=True)
class PhraseMatch:
    """A phrase found in the tokens: its meaning, the number of tokens, and whether it is plural."""

    sense: Sense
    count: int
    plural: bool


@dataclass(slots=True)
class _Node:
    children: dict[str, _Node] = field(default_factory=dict)
    sense: Sense | None = None
    is_camera: bool = False


class Lexicon:
    """All phrases as a trie of words, so that one walk finds the longest phrase."""

    def __init__(self, tables: Mapping[str, Mapping[str, str]]) -> None:
        self._root = _Node()
        self._vocabulary: set[str] = set()
        self._titles: set[str] = set()
        for section, languages in tables.items():
            effects = effects_of(section)
            for language, phrases in languages.items():
                for phrase in phrases.split(", "):
                    self._add(phrase, effects, language)
        self._forms = lru_cache(maxsize=8192)(self._known_forms)

    def _add(self, phrase: str, effects: tuple[Effect, ...], language: str) -> None:
        mark = phrase[-1] if phrase[-1] in "+~" else ""
        words = [token.word for token in tokenize(clean(phrase.removesuffix(mark)))]
        node = self._root
        for word in words:
            self._vocabulary.add(word)
            following = node.children.get(word)
            if following is None:
                following = node.children[word] = _Node()
            node = following
            node.is_camera |= effects[0].topic == "camera"
        known = node.sense
        if known and effects[0].topic in _WEAK:
            # A meaning in one language has priority over a stop word in another.
            if known.topic in _WEAK:
                node.sense = replace(known, languages=known.languages | {language})
            return
        if known and known.effects != effects:
            raise ValueError(f"{phrase!r} ({language}) means both {known.effects} and {effects}")
        languages = known.languages | {language} if known else frozenset({language})
        plural = mark == "+" or (known is not None and known.plural)
        node.sense = Sense(effects, languages, plural, mark == "~" or (known is not None and known.is_invariant))
        if effects[0].topic == "title":
            self._titles.add(words[-1])

    def quote_type(self, words: Sequence[str], quoted: str) -> QuoteType:
        """What a quotation is after these normalized words: a title, or speech, or a name with capital letters."""
        near, speech, signs = set(words[-_TITLE_LOOKBACK:]), quote_words("speech"), quote_words("signs")
        if near & self._titles and (near & self._titles - speech or set(words) & signs):
            return "quoted"
        if near & speech:
            return "spoken"
        is_name = any(char.isalpha() for char in quoted) and all(word[0].isupper() for word in quoted.split())
        return "spoken" if is_name else ""

    def longest_match(self, tokens: Sequence[Token], start: int) -> PhraseMatch | None:
        """The longest phrase that begins at index `start`, or None."""
        return max(self._walk(self._root, tokens, start, 0, ""), key=lambda match: match.count, default=None)

    def _walk(self, node: _Node, tokens: Sequence[Token], start: int, count: int, change: str) -> Iterator[PhraseMatch]:
        """All matches from a node on. `change`: the ending that was removed from the last word."""
        if node.sense and _is_allowed(change, node.sense):
            yield PhraseMatch(node.sense, count, change.startswith("plural") or node.sense.plural)
        if start + count >= len(tokens) or tokens[start + count].type != "word":
            return
        for form, removed in self._forms(tokens[start + count].word):
            following = node.children.get(form)
            if following:
                yield from self._walk(following, tokens, start, count + 1, removed)
        if (
            node.is_camera
            and node.children
            and count < 2 + _MAX_FILLERS
            and tokens[start + count].word in _FILLER_WORDS
        ):
            yield from self._walk(node, tokens, start, count + 1, change)

    def _known_forms(self, word: str) -> tuple[tuple[str, str], ...]:
        """Known forms of a word, the word itself first, each with the ending that was removed ("" for none)."""
        return tuple((form, change) for form, change in _word_forms(word) if form in self._vocabulary)


def _is_allowed(change: str, sense: Sense) -> bool:
    """German, English and Korean endings are removed only for words of that language. "Fishing" is not a fish, and
    "Angler" no "Angel"."""
    if change == "en":
        return "en" in sense.languages and sense.topic in _WITH_VERB_FORMS
    if change == "plural-es":  # "ciudades", but "stares" are no stars
        return bool(sense.languages & {"es", "pt"})
    if change == "de-er":
        return "de" in sense.languages and sense.topic != "kind"
    return change in ("", "plural") or change in sense.languages


def _word_forms(word: str) -> Iterator[tuple[str, str]]:
    yield word, ""
    if "\uac00" <= word[0] <= "\ud7a3":
        yield from ((word.removesuffix(ending), "ko") for ending in _PARTICLES if word.endswith(ending))
        return
    if len(word) < 4 or not word.isalpha():
        return
    for ending, instead in (("ies", "y"), ("ves", "f"), ("ves", "fe"), ("s", ""), ("es", "")):
        stem = word.removesuffix(ending)
        if stem != word and not word.endswith("ss"):
            is_english = ending != "es" or stem.endswith(("s", "x", "z", "ch", "sh", "o"))
            yield stem + instead, "plural" if is_english else "plural-es"
    for ending in ("ing", "ed"):
        stem = word.removesuffix(ending)
        if stem != word and len(stem) > 2:
            yield from ((form, "en") for form in (stem, f"{stem}e", stem[:-1] if stem[-1] == stem[-2] else stem))
    for ending in ("em", "en", "er", "es", "e", "n"):
        if word.endswith(ending):
            yield word.removesuffix(ending), "de-er" if ending in ("er", "em") else "de"


def effects_of(section: str) -> tuple[Effect, ...]:
    """Parse a section name into effects, for example "kind rain 0.75 + kind clouds 0.9"."""
    return tuple(_effect(part.split()) for part in section.split(" + "))


def _effect(parts: list[str]) -> Effect:
    topic, *rest = parts
    if topic in ("amount", "unless"):
        return Effect(topic, "", float(rest[0]))
    if topic == "kind" and rest[-1][0].isdigit():
        return Effect("kind", " ".join(rest[:-1]), float(rest[-1]))
    return Effect(topic, " ".join(rest))


@cache
def read_table(name: str) -> Mapping[str, Any]:
    """Parse one of the TOML files in `words`."""
    return tomllib.loads(files(__package__).joinpath("words", f"{name}.toml").read_text(encoding="utf-8"))


@cache
def quote_words(name: str) -> frozenset[str]:
    """Words before quotations: `speech` or `signs`."""
    return frozenset(read_table("context")["quotes"][name].split(", "))


@cache
def lexicon() -> Lexicon:
    """The lexicon of all tables."""
    return Lexicon({section: languages for name in TABLES for section, languages in read_table(name).items()})


@cache
def companions() -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Kinds that are shown when a shot names only a time or a season: (topic, value) -> kinds."""
    table = read_table("companions")
    return {
        (effects_of(name)[0].topic, effects_of(name)[0].value): tuple(row["kinds"].split(", "))
        for name, row in table.items()
    }
