"""What an engine makes of a prompt, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from videogen.core.text import money
from videogen.schemas.engines import Explanation
from videogen.schemas.generations import Cost, Understanding


def explanation_lines(explanation: Explanation) -> Iterator[str]:
    """One line for each thing that is known."""
    if (understanding := explanation.understanding) is not None:
        if phrases := [f"{part.phrase} ({part.became})" for part in understanding.understood]:
            yield f"drawn: {', '.join(phrases)}"
        yield from left_out_lines(understanding)
    if explanation.expected_seconds is not None:
        yield f"takes about {explanation.expected_seconds:.0f} s"
    if (cost := explanation.cost) is not None:
        yield f"costs {price_text(cost)}"
    yield f"{explanation.width} x {explanation.height} pixels"


def left_out_lines(understanding: Understanding | None) -> Iterator[str]:
    """What of the prompt will not be seen; an engine may name the things alone."""
    if understanding is None:
        return
    if understanding.abstract:
        yield "nothing in the prompt can be drawn: the scene is abstract"
    if missing := understanding.ignored or understanding.not_drawn:
        yield f"not understood: {', '.join(missing)}"
    if understanding.unused:
        yield f"not used: {', '.join(understanding.unused)}"


def price_text(cost: Cost) -> str:
    """An amount with its currency."""
    return f"{'about ' if cost.estimated else ''}{money(cost.amount)} {cost.currency}"
