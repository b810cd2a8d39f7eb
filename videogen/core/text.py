"""Text for searches and for file names."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote


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


def file_name(title: str, ending: str) -> str:
    """A file name of letters, digits and hyphens in any script, such as `ocean-at-sunset.mp4`."""
    words = "".join(char if char.isalnum() else " " for char in unicodedata.normalize("NFC", title).lower()).split()
    return f"{'-'.join(words)[:60].strip('-') or 'video'}.{ending}"


def disposition(kind: str, name: str) -> str:
    """A `Content-Disposition` header (RFC 6266) with an ASCII name, and the exact name (RFC 5987) if it differs.

    Args:
        kind: `inline` or `attachment`.
        name: a result of `file_name`.
    """
    stem, _, ending = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().rpartition(".")
    plain = f"{'-'.join(re.findall(r'[A-Za-z0-9]+', stem)) or 'video'}.{ending}"
    if plain == name:
        return f'{kind}; filename="{name}"'
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
