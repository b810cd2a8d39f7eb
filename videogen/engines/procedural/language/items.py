"""A line of tokens as a list of items: phrases with their sense, numbers, titles, pauses, unknown words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from videogen.engines.procedural.language.lexicon import Effect, Lexicon, Sense
from videogen.engines.procedural.language.spec import MAX_COUNT
from videogen.engines.procedural.language.text import Token, tokens

_UNKNOWN: Final = Sense((Effect("unknown"),), frozenset())
_STOP: Final = Sense((Effect("stop"),), frozenset())
_PAUSE: Final = Sense((Effect("pause"),), frozenset())
_QUOTED: Final = Sense((Effect("quoted"),), frozenset())
_SHOT: Final = Sense((Effect("shot", "crossfade"),), frozenset())


@dataclass(frozen=True, slots=True)
class Item:
    """A phrase as written and its sense. `place` is its number in the prompt; `plural` as in `Found`."""

    phrase: str
    sense: Sense
    place: int = 0
    plural: bool = False

    @property
    def topic(self) -> str:
        """What the phrase is about: a topic of the tables, or unknown, pause, quoted."""
        return self.sense.topic

    @property
    def value(self) -> str:
        """The value of the first effect."""
        return self.sense.value


def items(text: str, words: Lexicon) -> list[Item]:
    """Read cleaned text once, the longest known phrase first."""
    line = list(tokens(text, words.announces_title))
    return list(_items(line, words))


def calmed(item: Item) -> float | None:
    """How strong the water is when a phrase is negated: "no waves" leaves a sea, a calm one. None for others."""
    return next((effect.amount for effect in item.sense.effects if effect.topic == "unless"), None)


def unwanted_kinds(item: Item) -> list[str]:
    """The kinds that go when a phrase is negated: "no storm" takes the rain, not every cloud."""
    if calmed(item) is not None:
        return []
    kinds = [effect.value for effect in item.sense.effects if effect.topic in ("kind", "without")]
    return kinds if len(kinds) < 2 else [kind for kind in kinds if kind != "clouds"]


def _items(line: list[Token], words: Lexicon) -> Iterator[Item]:
    at = 0
    while at < len(line):
        token = line[at]
        if token.sort == "word":
            found = words.find(line, at)
            if found is None:
                end = _unknown_end(line, at, words)
                yield _unknown("".join(part.raw for part in line[at:end]), line[at].word, at)
                at = end
                continue
            yield Item(_phrase(line[at : at + found.count]), found.sense, at, found.plural)
            at += found.count
            continue
        yield Item(token.raw, {"pause": _PAUSE, "shot": _SHOT, "quoted": _QUOTED}[token.sort], at)
        at += 1


def _unknown_end(line: list[Token], at: int, words: Lexicon) -> int:
    """Where an unknown word ends: in scripts without spaces its characters come one by one."""
    end = at + 1
    while _alone(line[at]) and end < min(len(line), at + 12) and _alone(line[end]) and words.find(line, end) is None:
        end += 1
    return end


def _is_alone(char: str) -> bool:
    return "\u3005" <= char <= "\u9fff"


def _alone(token: Token) -> bool:
    return token.sort == "word" and _is_alone(token.word)


def _unknown(phrase: str, word: str, at: int) -> Item:
    if word.isdecimal() and len(word) < 6 and int(word) > 0:
        number = Effect("number", str(min(int(word), MAX_COUNT)))
        return Item(phrase, Sense((number,), frozenset()), at)
    return Item(phrase, _STOP if len(word) == 1 and word.isascii() else _UNKNOWN, at)


def _phrase(parts: Sequence[Token]) -> str:
    """The words of one phrase as written, with their hyphens and apostrophes."""
    text = ""
    for part in parts:
        text = f"{text}{part.lead}{part.raw}" if text and part.lead else joined(filter(None, (text, part.raw)))
    return text


def joined(parts: Iterable[str]) -> str:
    """The words as written; those of scripts without spaces without spaces between them."""
    text = ""
    for part in parts:
        text += part if not text or (_is_alone(text[-1]) and _is_alone(part[0])) else f" {part}"
    return text
