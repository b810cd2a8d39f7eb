"""One row per figure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `held` is None where there is no bound to hold."""

    figure: str
    value: str
    bound: str = ""
    peer: str = ""
    held: bool | None = None


def show(rows: Iterable[Row]) -> str:
    """The rows as a Markdown table."""
    cells = [("figure", "value", "bound", "peer in the same run", "")]
    cells += [(row.figure, row.value, row.bound, row.peer, _mark(row.held)) for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(5)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` (0..1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def _mark(held: bool | None) -> str:
    return "" if held is None else "held" if held else "MISSED"
