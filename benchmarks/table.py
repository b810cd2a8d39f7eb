"""The table of results: one row for each figure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `within_bound` is None if the figure has no bound."""

    figure: str
    value: str
    bound: str = ""
    peer: str = ""
    within_bound: bool | None = None


def show(rows: Iterable[Row]) -> str:
    """The rows as a Markdown table."""
    cells = [("figure", "value", "bound", "peer in the same run", "")]
    cells += [(row.figure, row.value, row.bound, row.peer, _mark(row.within_bound)) for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(5)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def percentile(values: list[float], fraction: float) -> float:
    """The value below which `fraction` (0..1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * fraction), len(ordered) - 1)]


def _mark(within_bound: bool | None) -> str:
    return "" if within_bound is None else "kept" if within_bound else "MISSED"
