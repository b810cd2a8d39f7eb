"""Groups tokens into phrases: known phrases with their meaning, numbers, titles, pauses, unknown words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from videogen.engines.procedural.language.lexicon import Effect, Lexicon, Sense
from videogen.engines.procedural.language.scene_spec import MAX_COUNT
from videogen.engines.procedural.language.tokenizer import Token, tokenize

UNKNOWN: Final = Sense((Effect("unknown"),), frozenset())
_STOP: Final = Sense((Effect("stop"),), frozenset())
_PAUSE: Final = Sense((Effect("pause"),), frozenset())
_QUOTED: Final = Sense((Effect("quoted"),), frozenset())
_SHOT: Final = Sense((Effect("shot", "crossfade"),), frozenset())


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase of the prompt and its meaning. `position`: index of its first token. `plural`: as in `PhraseMatch`.
    `lead`: as in `Token`. `length`: number of tokens."""

    text: str
    sense: Sense
    position: int = 0
    plural: bool = False
    lead: str = ""
    length: int = 1

    @property
    def topic(self) -> str:
        """The topic of the first effect: a topic of the word tables, or unknown, stop, pause, quoted."""
        return self.sense.topic

    @property
    def value(self) -> str:
        """The value of the first effect."""
        return self.sense.value


def read_phrases(text: str, lexicon: Lexicon) -> list[Phrase]:
    """Split cleaned text into phrases. The longest known phrase has priority."""
    tokens = list(tokenize(text, lexicon.quote_type))
    return list(_read_tokens(tokens, lexicon))


def calm_strength(phrase: Phrase) -> float | None:
    """The strength of the water when this phrase is negated: "no waves" is a calm sea. None for other phrases."""
    return next((effect.amount for effect in phrase.sense.effects if effect.topic == "unless"), None)


def unwanted_kinds(phrase: Phrase) -> list[str]:
    """The kinds that a negation of this phrase excludes. "No storm" excludes rain, but not clouds."""
    if calm_strength(phrase) is not None:
        return []
    kinds = [effect.value for effect in phrase.sense.effects if effect.topic in ("kind", "without")]
    return kinds if len(kinds) < 2 else [kind for kind in kinds if kind != "clouds"]


def _read_tokens(tokens: list[Token], lexicon: Lexicon) -> Iterator[Phrase]:
    start = 0
    while start < len(tokens):
        token = tokens[start]
        if token.type == "word":
            match = lexicon.longest_match(tokens, start)
            if match is None:
                end = _unknown_end(tokens, start, lexicon)
                found = _unknown_phrase("".join(part.raw for part in tokens[start:end]), token, start)
                yield replace(found, length=end - start)
                start = end
                continue
            text = _join_parts((part.lead, part.raw) for part in tokens[start : start + match.count])
            yield Phrase(text, match.sense, start, match.plural, token.lead, match.count)
            start += match.count
            continue
        yield Phrase(
            token.raw, {"pause": _PAUSE, "shot": _SHOT, "quoted": _QUOTED, "spoken": UNKNOWN}[token.type], start
        )
        start += 1


def _unknown_end(tokens: list[Token], start: int, lexicon: Lexicon) -> int:
    """The index after an unknown word. In scripts without spaces it consists of several tokens."""
    end = start + 1
    while (
        _is_unspaced_word(tokens[start])
        and end < min(len(tokens), start + 12)
        and _is_unspaced_word(tokens[end])
        and lexicon.longest_match(tokens, end) is None
    ):
        end += 1
    return end


def is_unspaced(char: str) -> bool:
    """Whether a character belongs to a script without spaces between words."""
    return "\u3005" <= char <= "\u9fff"


def _is_unspaced_word(token: Token) -> bool:
    return token.type == "word" and is_unspaced(token.word[:1])


def _unknown_phrase(phrase: str, token: Token, start: int) -> Phrase:
    word = token.word
    if word.isdecimal() and len(word) < 6 and int(word) > 0:
        number = Effect("number", str(min(int(word), MAX_COUNT)))
        return Phrase(phrase, Sense((number,), frozenset()), start)
    return Phrase(
        phrase, _STOP if len(word) == 1 and word.isascii() and not word.isalnum() else UNKNOWN, start, lead=token.lead
    )


def join_phrases(phrases: Sequence[Phrase]) -> str:
    """The text of several phrases, with its hyphens and apostrophes."""
    return _join_parts((phrase.lead, phrase.text) for phrase in phrases)


def _join_parts(parts: Iterable[tuple[str, str]]) -> str:
    text = ""
    for lead, part in parts:
        text = f"{text}{lead}{part}" if text and lead else join_words(filter(None, (text, part)))
    return text


def join_words(parts: Iterable[str]) -> str:
    """Join words with spaces; without spaces between characters of scripts that do not use them."""
    text = ""
    for part in parts:
        text += part if not text or (is_unspaced(text[-1]) and is_unspaced(part[0])) else f" {part}"
    return text
