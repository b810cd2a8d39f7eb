"""Rows of a picture in portions that fit, with their temporaries, into the second-level cache of one core."""

from typing import TypeAlias

_BAND_PIXELS = 49_152

Span: TypeAlias = tuple[int, int]


def split_rows(start: int, stop: int, width: int) -> list[Span]:
    """Spans [first, last) over rows start..stop, of an even number of rows except the last."""
    step = max(8, _BAND_PIXELS // max(width, 1)) // 2 * 2
    return [(row, min(row + step, stop)) for row in range(start, stop, step)]


def intersect(span: Span, area: Span) -> Span:
    """The rows of `span` that are in `area`; an empty one has first >= last."""
    return max(span[0], area[0]), min(span[1], area[1])
