"""Reads the neighbours of a word: a name, a part of another word or a verb is not the thing that it looks like."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Final

from videogen.engines.procedural.language.languages import prompt_language
from videogen.engines.procedural.language.lexicon import read_table
from videogen.engines.procedural.language.phrases import UNKNOWN, Phrase, is_unspaced
from videogen.engines.procedural.language.scene_spec import LIVING

_GRAMMAR: Final = frozenset(
    {"pause", "shot", "stop", "and", "or", "is", "indefinite", "definite", "relation", "negator", "title", "quoted"}
)
_PARTS_OF_NAMES: Final = frozenset(
    {"kind", "colour", "size", "amount", "mood", "number", "tempo", "action", "season", "light", "tint", "unknown"}
)
_BREAKS: Final = frozenset({"pause", "shot"})
_NO_NOUN: Final = re.compile(r"\w*(?:ing|ed|ly)")
_NATION: Final = re.compile(r"\w+(?:ese|ian|ish|ican)")
_KATAKANA: Final = re.compile("[\u30a1-\u30ff]")
_MAX_CAPITALS: Final = 0.6
_SOME_WORDS: Final = 3


def in_context(phrases: Sequence[Phrase]) -> list[Phrase]:
    """The phrases, where those that mean something else here are unknown."""
    language = prompt_language(phrases)
    read = [phrase if language.means(phrase.text.casefold(), phrase.sense) else unknown(phrase) for phrase in phrases]
    for at in sorted(set(_names(read, language.code))):
        read[at] = unknown(read[at])
    for at in reversed(range(len(read))):
        if read[at].topic == "kind" and (
            _is_verb(read, at) or _is_material(read, at) or _is_in_compound(read, at, language.code)
        ):
            read[at] = unknown(read[at])
    return _whole_words(read)


def is_unit(phrases: Sequence[Phrase]) -> bool:
    """Whether the phrase is a unit, so that the number before it counts no things: "24 year old"."""
    return bool(phrases) and _word(phrases, 0) in _words("nouns", "units")


def unknown(phrase: Phrase) -> Phrase:
    """The same words without their meaning."""
    return replace(phrase, sense=UNKNOWN, plural=False)


@cache
def _words(table: str, name: str) -> frozenset[str]:
    rows: Mapping[str, str] = read_table("context")[table]
    return frozenset(rows[name].split(", "))


def _word(phrases: Sequence[Phrase], at: int) -> str:
    return phrases[at].text.casefold() if 0 <= at < len(phrases) else ""


def _topic(phrases: Sequence[Phrase], at: int) -> str:
    return phrases[at].topic if 0 <= at < len(phrases) else "pause"


# Names


def _names(phrases: Sequence[Phrase], language: str) -> Iterator[int]:
    """The indices of phrases that are a part of a name."""
    yield from _after_first_names(phrases)
    # German nouns have capital letters, and so have all words of some prompts: then they show no names.
    if language == "de" or not _has_small_letters(phrases):
        return
    yield from _single_names(phrases, language)
    at = 0
    while at < len(phrases):
        run = _run(phrases, at)
        yield from _parts_of_name(phrases, run)
        at = run[-1] + 1 if run else at + 1


def _is_capital(phrase: Phrase) -> bool:
    return all(word[0].isupper() or not word[0].isalpha() for word in phrase.text.split()) and phrase.text[0].isalnum()


def _has_small_letters(phrases: Sequence[Phrase]) -> bool:
    """Whether most words have no capital letter, so that a capital letter says something."""
    words = [
        phrase
        for at, phrase in enumerate(phrases)
        if phrase.topic not in _GRAMMAR and phrase.text[0].isalpha() and at and _topic(phrases, at - 1) not in _BREAKS
    ]
    capitals = sum(phrase.text[0].isupper() for phrase in words)
    small = any(phrase.text.isalpha() and phrase.text.islower() and len(phrase.text) > 1 for phrase in phrases)
    return small and (len(words) < _SOME_WORDS or capitals <= _MAX_CAPITALS * len(words))


def _after_first_names(phrases: Sequence[Phrase]) -> Iterator[int]:
    all_small = not any(char.isupper() for phrase in phrases for char in phrase.text)
    for at, phrase in enumerate(phrases):
        following = phrases[at + 1] if at + 1 < len(phrases) else None
        if following is None or following.topic not in _PARTS_OF_NAMES | {"time"}:
            continue
        is_will = phrase.text == "Will" and following.topic == "unknown"
        is_first = phrase.text.casefold() in _words("names", "first") and phrase.topic in ("unknown", "kind")
        has_last = following.text[0].isupper() or (all_small and following.topic in ("kind", "unknown"))
        if is_will or (is_first and has_last):
            yield from (at, at + 1) if following.topic != "action" else (at,)


def _single_names(phrases: Sequence[Phrase], language: str) -> Iterator[int]:
    """Words with a capital letter that are common words without it: "Elsa from Frozen", "a girl named Summer"."""
    for at, phrase in enumerate(phrases):
        if phrase.topic == "unknown" or not _is_capital(phrase):
            continue
        is_first = _topic(phrases, at - 1) in _BREAKS
        if phrase.topic in _GRAMMAR:
            # Grammar of another language: "Lake Como", "Los Angeles".
            if (
                phrase.topic in ("stop", "definite", "relation")
                and not is_first
                and not phrase.sense.languages & {"en", language}
            ):
                yield at
            continue
        if (
            _word(phrases, at - 1) in _words("names", "before")
            or (not is_first and phrase.text in _words("names", "capital"))
            or (is_first and _has_an_age(phrases, at))
        ):
            yield at


def _has_an_age(phrases: Sequence[Phrase], at: int) -> bool:
    """Whether an age follows a name: "Dawn, a 40-year-old nurse"."""
    ahead = [_word(phrases, index) for index in range(at + 1, at + 7)]
    return ahead[0] == "," and any(word in ("year", "years", "aged") for word in ahead)


def _run(phrases: Sequence[Phrase], start: int) -> list[int]:
    """The indices of adjacent phrases with capital letters, with the "of" between them."""
    run: list[int] = []
    for at in range(start, len(phrases)):
        phrase = phrases[at]
        if phrase.topic not in _GRAMMAR and _is_capital(phrase):
            run.append(at)
        elif not run or _word(phrases, at) not in _words("names", "joints") or not _goes_on(phrases, at):
            break
    return run


def _goes_on(phrases: Sequence[Phrase], at: int) -> bool:
    return at + 1 < len(phrases) and phrases[at + 1].topic not in _GRAMMAR and _is_capital(phrases[at + 1])


def _parts_of_name(phrases: Sequence[Phrase], run: Sequence[int]) -> Iterator[int]:
    """The indices of known words in a name: an unknown word with a capital letter makes the words around it a name."""
    if len(run) < 2 and not (run and " " in phrases[run[0]].text and phrases[run[0]].topic == "colour"):
        return
    has_unknown = any(phrases[at].topic == "unknown" and not _is_nation(phrases[at]) for at in run)
    if not has_unknown and len(run) > 1:
        return
    for at in run:
        if phrases[at].topic in _PARTS_OF_NAMES and not _stays_a_place(phrases, run, at):
            yield at


def _is_nation(phrase: Phrase) -> bool:
    word = phrase.text.casefold()
    return word in _words("names", "nations") or _NATION.fullmatch(word) is not None


def _stays_a_place(phrases: Sequence[Phrase], run: Sequence[int], at: int) -> bool:
    """Whether a word is the kind of place in a name: "Amalfi Coast", "Lake Como", "New York City"."""
    phrase = phrases[at]
    if phrase.value not in _words("names", "places"):
        return False
    if phrase.text.casefold() in _words("names", "cities"):
        return at == run[-1] or phrases[at + 1].topic in ("kind", "style")
    return at == run[-1] or (at == run[0] and phrase.value in _words("names", "place_first"))


# Verbs, materials, compounds


def _is_verb(phrases: Sequence[Phrase], at: int) -> bool:
    """Whether a word says what somebody does: "he waves at us", "she rose from her chair"."""
    if _word(phrases, at) not in _words("verbs", "like_things"):
        return False
    before, after = _topic(phrases, at - 1), _word(phrases, at + 1)
    if _word(phrases, at - 1) in _words("verbs", "persons"):
        return True
    follows_them = after in _words("verbs", "after_them")
    return follows_them and (before == "unknown" or phrases[at - 1].value in LIVING)


def _is_material(phrases: Sequence[Phrase], at: int) -> bool:
    """Whether a word names what a thing that is not drawn is made of or lies in: "a dress of silk"."""
    if _word(phrases, at) not in _words("nouns", "materials") or at < 2:
        return False
    before = at - 1
    while before > 0 and _topic(phrases, before) in ("definite", "indefinite", "colour", "praise", "amount"):
        before -= 1
    if "definite" in {phrases[index].topic for index in range(before + 1, at)}:
        return False  # "into the water": a lake or a sea
    joins = _word(phrases, before) in (
        "of",
        "in",
        "into",
        "from",
        "with",
        "on",
        "onto",
        "de",
        "di",
        "aus",
        "en",
        "dans",
    )
    return joins and _topic(phrases, before - 1) in ("unknown", "action")


def _is_in_compound(phrases: Sequence[Phrase], at: int, language: str) -> bool:
    """Whether a noun only describes an unknown noun after it: "rain jacket", "fire truck"."""
    phrase, following = phrases[at], phrases[at + 1] if at + 1 < len(phrases) else None
    if following is None or following.topic != "unknown" or not _can_describe(phrase, language):
        return False
    if following.lead == "-":
        return True  # "star-shaped"
    word = following.text.casefold()
    if phrase.plural or not word.isascii() or not word.isalpha() or following.lead == "'":
        return False
    if _NO_NOUN.fullmatch(word) or word in _words("nouns", "heads") or word in _words("verbs", "plain"):
        return False
    is_place = phrase.text[0].islower() or phrase.value in _words("names", "place_first")
    if following.text[0].isupper() and is_place:
        return False
    return not (phrase.value in LIVING and word.endswith("s"))


def _can_describe(phrase: Phrase, language: str) -> bool:
    """Whether a noun can stand before the noun that it describes. The name of a city can, and is still shown."""
    if phrase.value == "abstract":
        return True
    is_english = language in ("", "en") and "en" in phrase.sense.languages
    return is_english and phrase.text.casefold() not in _words("names", "cities")


# Scripts without spaces


def _whole_words(phrases: list[Phrase]) -> list[Phrase]:
    """Without single characters that are a part of an unknown word: 火 in 火车."""
    for indices in (reversed(range(len(phrases))), range(len(phrases))):
        for at in indices:
            if _is_fragment(phrases, at):
                phrases[at] = unknown(phrases[at])
    return phrases


def _is_fragment(phrases: Sequence[Phrase], at: int) -> bool:
    phrase = phrases[at]
    if phrase.topic in _GRAMMAR | {"unknown", "unused", "praise"} or not is_unspaced(phrase.text[0]):
        return False
    neighbours = [other for other in (phrases[at - 1] if at else None, *phrases[at + 1 : at + 2]) if other]
    unknowns = [other for other in neighbours if other.topic == "unknown" and is_unspaced(other.text[0])]
    if _KATAKANA.fullmatch(phrase.text[-1]):
        before = at > 0 and phrases[at - 1] in unknowns and _KATAKANA.fullmatch(phrases[at - 1].text[-1])
        after = (
            phrases[at + 1] in unknowns and _KATAKANA.fullmatch(phrases[at + 1].text[0])
            if at + 1 < len(phrases)
            else None
        )
        return bool(before or after)
    return len(phrase.text) == 1 and any(not _is_kana(other.text[0]) for other in unknowns)


def _is_kana(char: str) -> bool:
    return "\u3041" <= char <= "\u30ff"
