"""Splits any text into tokens: words, pauses, shot separators and quoted titles. The time is linear in the length."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from videogen.engines.procedural.language.scene_spec import MAX_TITLE

MAX_CHARS: Final = 20_000
MAX_TOKENS: Final = 3_000
MAX_WORD: Final = 24

TokenType = Literal["word", "pause", "shot", "quoted", "spoken"]
QuoteType = Literal["", "quoted", "spoken"]
QuoteReader = Callable[[Sequence[str], str], QuoteType]
"""What a quotation is, by the words before it and its text: a title to be shown, or words that are not shown."""

_PAUSES: Final = frozenset(',.:!?()[]{}<>|/\n"“”«»„、。，：！？（）・…–—')
_SHOT_MARKS: Final = frozenset(";；→")
_QUOTES: Final = {'"': '"', "'": "'", "“": "”", "„": "“", "‘": "’", "«": "»", "`": "`", "「": "」", "『": "』"}
_JOINERS: Final = "\u200c\u200d"
_QUOTE_LOOKBACK: Final = 6
# Characters of scripts without spaces (Han, kana), and characters that may occur inside the words of other scripts:
# joiners and combining marks, for which `re` has no name.
_UNSPACED: Final = "\u3005-\u9fff\U00020000-\U0003ffff"
_WORD_MARKS: Final = (
    f"{_JOINERS}\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0711"
    "\u0730-\u074a\u0900-\u0dff\u0e00-\u109f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
)
_LETTER: Final = f"(?![{_UNSPACED}])[^\\W_]"
# A word, a single unspaced character, or any sign but a space, a hyphen or an apostrophe inside a word.
_NEXT: Final = re.compile(rf"{_LETTER}(?:{_LETTER}|[{_WORD_MARKS}])*|[{_UNSPACED}]|[^\w\s-]|\n")
# Cyrillic and Greek letters that look like Latin ones -> the Latin ones.
_LOOKALIKES: Final = str.maketrans("авеіјкмнорѕстухһԁԛԝαεικνορτυχ", "abeijkmhopsctyxhdqwaeikvoptux")


@dataclass(frozen=True, slots=True)
class Token:
    """A part of the text. `raw`: as written. `word`: its normalized form, "" for a pause.

    `lead`: the hyphen or apostrophe between this word and the previous one, or ""."""

    raw: str
    word: str
    type: TokenType = "word"
    lead: str = ""


def clean(text: str) -> str:
    """The text in NFC without control, format and surrogate characters, at most MAX_CHARS characters.

    Joiners are kept, because scripts and emoji need them. Line breaks are kept as pauses."""
    kept = (char for char in text[:MAX_CHARS] if char in _JOINERS or char.isprintable() or char in "\n\t\u3000\xa0")
    return unicodedata.normalize("NFC", "".join(kept))


def text_hash(text: str) -> int:
    """A positive 32-bit hash of the text. Case and spaces do not matter."""
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return 1 + int.from_bytes(hashlib.sha256(plain.encode("utf-8", "replace")).digest()[:4], "big") % (2**32 - 1)


@lru_cache(maxsize=8192)
def normalize_word(word: str) -> str:
    """The form of a word in the lexicon: lower case, no accents, compatibility forms replaced, look-alike letters as
    Latin."""
    plain = unicodedata.normalize("NFKC", word).casefold()
    if len(plain) == 1 and _is_unspaced(plain):
        return plain
    plain = unicodedata.normalize("NFD", plain)
    kept = (char for char in plain if not unicodedata.category(char).startswith(("M", "C")))
    plain = unicodedata.normalize("NFC", "".join(kept))
    if not plain.isascii() and re.search("[a-z]", plain):
        plain = plain.translate(_LOOKALIKES)
    return plain


def tokenize(text: str, quote_type: QuoteReader = lambda words, quoted: "") -> Iterator[Token]:
    """Split cleaned text into at most MAX_TOKENS tokens."""
    position, count, recent = 0, 0, [""] * _QUOTE_LOOKBACK
    while count < MAX_TOKENS and (match := _NEXT.search(text, position)):
        position, raw = match.end(), match.group()
        end = _quoted_end(text, position - 1) if raw in _QUOTES else 0
        quoted = " ".join(text[position:end].split()) if end else ""
        type_ = quote_type(recent, quoted) if quoted and (position > 1 or end + 1 < len(text)) else ""
        if type_:
            token: Token | None = Token(quoted[:MAX_TITLE].strip(), "", type_)
            position, recent = end + 1, [""] * _QUOTE_LOOKBACK
        else:
            token = _token(raw, _lead(text, match.start()))
        if token is None:
            continue
        count += 1
        if token.type == "word":
            recent = [*recent[1:], token.word]
        yield token


def _quoted_end(text: str, start: int) -> int:
    """The index where the quotation that starts at `start` ends, or 0 if none starts there."""
    close = _QUOTES.get(text[start])
    if close is None or (text[start] == "'" and start > 0 and text[start - 1].isalnum()):
        return 0
    end = text.find(close, start + 1, start + 2 * MAX_TITLE)
    # An apostrophe inside a word does not end a quotation.
    while close in "'’" and 0 < end < len(text) - 1 and text[end + 1].isalnum():
        end = text.find(close, end + 1, start + 2 * MAX_TITLE)
    return end if end > start + 1 else 0


def _lead(text: str, start: int) -> str:
    return text[start - 1] if start > 1 and text[start - 1] in "-'’" and text[start - 2].isalnum() else ""


@lru_cache(maxsize=8192)
def _token(raw: str, lead: str) -> Token | None:
    """A word, a pause, a shot separator, or None (an apostrophe or another sign)."""
    first = raw[0]
    if first.isalnum():
        return Token(_shortened(raw), normalize_word(raw[: 4 * MAX_WORD]), "word", lead)
    if first in _SHOT_MARKS:
        return Token(raw, "", "shot")
    if first in _PAUSES:
        return Token(raw, "", "pause")
    if first == "&" or unicodedata.category(first) == "So":
        return Token(raw, normalize_word(raw))
    return None


def _shortened(raw: str) -> str:
    return raw if len(raw) <= MAX_WORD else f"{raw[: MAX_WORD - 1]}…"


def _is_unspaced(char: str) -> bool:
    """Whether a character belongs to a script without spaces between words: Han and kana."""
    return "\u3005" <= char <= "\u9fff" or "\U00020000" <= char <= "\U0003ffff"
