"""What a search compares: text without case, accents and forms of writing."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote


def fold(text: str) -> str:
    """The text as a search sees it: `Café` and `CAFE` are the same, and so are full and half width."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in plain if not unicodedata.combining(char)).casefold()


def searchable(title: str, prompt: str) -> str:
    """All that one generation is found by."""
    return fold(f"{title}\n{prompt}" if title else prompt)


def file_name(title: str, ending: str) -> str:
    """A name of letters, digits and dashes in any script, such as `ocean-at-sunset.mp4`."""
    words = "".join(char if char.isalnum() else " " for char in unicodedata.normalize("NFC", title).lower()).split()
    return f"{'-'.join(words)[:60].strip('-') or 'video'}.{ending}"


def disposition(kind: str, name: str) -> str:
    """A `Content-Disposition` (RFC 6266): a plain name for old readers, the true one beside it (RFC 5987).

    Args:
        kind: `inline` or `attachment`.
        name: as `file_name` makes it.
    """
    stem, _, ending = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().rpartition(".")
    plain = f"{'-'.join(re.findall(r'[A-Za-z0-9]+', stem)) or 'video'}.{ending}"
    if plain == name:
        return f'{kind}; filename="{name}"'
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
