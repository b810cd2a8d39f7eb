"""The signed links of a page: read anew before they expire, for pages that stay open longer than a link is valid."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qs, urlsplit

from videogen.schemas.generations import Generation

MARGIN: Final = 3600.0
"""Seconds before its end in which a link is renewed."""
SHORTEST: Final = 60.0
LONGEST: Final = 3600.0
"""Seconds between two looks: what is shown may have changed meanwhile."""


def expiry(generation: Generation) -> float:
    """When the first of a generation's links expires, in seconds since the epoch; infinite where none does."""
    links = (generation.preview_url, generation.video_url, generation.image_url, generation.poster_url)
    return min((_expiry(link) for link in links if link), default=math.inf)


def due(generations: Iterable[Generation], now: float) -> list[str]:
    """The ids of those whose links expire soon."""
    return [item.id for item in generations if expiry(item) - MARGIN <= now]


def pause(generations: Iterable[Generation], now: float) -> float:
    """Seconds until the next link has to be renewed."""
    first = min((expiry(item) for item in generations), default=math.inf)
    return min(LONGEST, max(SHORTEST, first - MARGIN - now))


def _expiry(link: str) -> float:
    until = parse_qs(urlsplit(link).query).get("exp", [""])[0]
    return float(until) if until.isascii() and until.isdigit() else math.inf
