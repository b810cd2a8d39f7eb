"""Row bands: ranges of picture rows that fit, with their temporary arrays, into the L2 cache of one core."""

from typing import TypeAlias

_BAND_PIXELS = 49_152

Span: TypeAlias = tuple[int, int]


def split_rows(start: int, stop: int, width: int) -> list[Span]:
    """Split rows start..stop into spans [first, last). Each has an even number of rows, except the last."""
    step = max(8, _BAND_PIXELS // max(width, 1)) // 2 * 2
    return [(row, min(row + step, stop)) for row in range(start, stop, step)]


def intersect(span: Span, area: Span) -> Span:
    """The intersection of two spans of rows or columns. It is empty if first >= last."""
    return max(span[0], area[0]), min(span[1], area[1])
