"""Text for searches and for file names."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from typing import Final
from urllib.parse import quote

from pathvalidate import sanitize_filename

MAX_NAME_BYTES: Final = 120
"""Longest name of a file without its ending, in bytes as UTF-8. Some encrypted folders take 143 bytes at most."""
_MAX_TITLE: Final = 1000
"""How many characters of a title are looked at."""
_JOINERS: Final = "\u200c\u200d"
"""Between two letters they change how these are written, for example in Persian and in Hindi."""
_VOWELS_WITHOUT_MARK: Final = "\u0e33\u0eb3"
"""Vowels of Thai and Lao that are part of the letter before them, although Unicode counts them as letters."""
_VIRAMA: Final = 9


def money(amount: float) -> str:
    """An amount with two decimal places, such as `0.40`; below a tenth with two significant digits, as `0.0042`."""
    places = max(2, -int(Decimal(f"{amount:.2g}").normalize().as_tuple().exponent))
    return f"{amount:,.{places}f}"


def fold(text: str) -> str:
    """Normalised text for comparison: without case, accents and character width, so that `Café` equals `CAFE`."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in plain if not unicodedata.combining(char)).casefold()


def searchable(title: str, prompt: str) -> str:
    """The text in which a search looks for one generation."""
    return fold(f"{title}\n{prompt}" if title else prompt)


def shorten(text: str, length: int) -> str:
    """The text on one line, cut to at most `length` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def file_stem(title: str, fallback: str = "video") -> str:
    """The name of a file without its ending: words of the title in any script with hyphens between them.

    It has at most `MAX_NAME_BYTES` bytes in UTF-8 and can be used on every system: it has no control characters, no
    dots and no spaces, and is no name that Windows reserves, such as `con`. `fallback` is the name of a title without
    a letter.
    """
    kept = ""
    for char in unicodedata.normalize("NFC", title[:_MAX_TITLE].lower()):
        # A combining mark or a joiner belongs to the letter before it. Without one it would join to a hyphen.
        follows = kept[-1:].strip() and (unicodedata.category(char).startswith("M") or char in _JOINERS)
        kept += char if char.isalnum() or follows else " "
    words = "-".join(word.rstrip(_JOINERS) for word in kept.split())
    return sanitize_filename(_cut(words) or fallback, platform="universal")


def file_name(title: str, ending: str, fallback: str = "video") -> str:
    """A file name of a title, such as `ocean-at-sunset.mp4`; see `file_stem`."""
    return f"{file_stem(title, fallback)}.{ending}"


def numbered(stem: str) -> Iterator[str]:
    """Yield the stem of a file name, and then with `-2`, `-3`, ... for the case that a file has that name already."""
    yield stem
    yield from (f"{stem}-{number}" for number in itertools.count(2))


def _cut(text: str) -> str:
    """The first `MAX_NAME_BYTES` bytes: whole words if possible, and no letter without its marks."""
    if len(text.encode()) <= MAX_NAME_BYTES:
        return text
    length = len(text.encode()[:MAX_NAME_BYTES].decode(errors="ignore"))
    end = text[: length + 1].rfind("-")
    if end < length // 2:  # a script without spaces between words, or a very long word
        end = length
        while end > 0 and _is_inside_a_letter(text, end):
            end -= 1
    return text[:end].rstrip("-" + _JOINERS)


def _is_inside_a_letter(text: str, position: int) -> bool:
    """Whether a reader sees the characters before and after this position as one letter."""
    before, after = text[position - 1], text[position]
    return (
        unicodedata.category(after).startswith("M")
        or after in _JOINERS + _VOWELS_WITHOUT_MARK
        or "\u1160" <= after <= "\u11ff"  # the second and third part of an old Korean syllable
        or before in _JOINERS
        or unicodedata.combining(before) == _VIRAMA  # it joins two consonants
    )


def disposition(kind: str, name: str) -> str:
    """A `Content-Disposition` header (RFC 6266) with an ASCII name, and the exact name (RFC 5987) if it differs.

    Args:
        kind: `inline` or `attachment`.
        name: a result of `file_name`.
    """
    stem, _, ending = name.rpartition(".")
    ascii_stem = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    plain = file_name(ascii_stem, ending, "archive" if ending == "zip" else "video")
    if plain == name:
        return f'{kind}; filename="{name}"'
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def counted(count: int, noun: str, plural: str = "") -> str:
    """A number with its noun: 1 generation, 2 generations."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"
