"""What a search compares: text without case, accents and forms of writing."""

from __future__ import annotations

import unicodedata


def fold(text: str) -> str:
    """The text as a search sees it: `Café` and `CAFE` are the same, and so are full and half width."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in plain if not unicodedata.combining(char)).casefold()


def searchable(title: str, prompt: str) -> str:
    """All that one generation is found by."""
    return fold(f"{title}\n{prompt}" if title else prompt)
