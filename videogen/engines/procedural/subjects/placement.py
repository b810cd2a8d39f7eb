"""Horizontal positions of subjects."""

from __future__ import annotations

from typing import Final

from videogen.engines.procedural.language import Subject
from videogen.engines.procedural.layer import World

NEEDS_LAND: Final = ("cat", "dog", "horse", "deer", "person", "fire")
"""Kinds that need land. In an environment with water they stand on the near bank."""


def requested_side(subject: Subject) -> int:
    """The requested side of the picture: -1 left, 1 right, 0 none."""
    relations = {relation.place for relation in subject.relations}
    return ("right of" in relations) - ("left of" in relations)


def distribute(world: World, subject: Subject, count: int, name: str, fraction: float = 0.75) -> list[float]:
    """x positions for `count` subjects, in picture units from the middle: evenly distributed, with some randomness. A
    single subject is near the middle, unless a side is requested. `fraction`: used part of the half width."""
    rng = world.rng(name)
    reach = world.viewport.half_width * fraction
    side = requested_side(subject)
    if count == 1:
        return [(float(rng.uniform(-0.25, 0.25)) * (0.3 if side else 1.0) + 0.62 * side) * reach]
    positions = [reach * (2 * (index + 0.5 + float(rng.uniform(-0.25, 0.25))) / count - 1) for index in range(count)]
    return [x * 0.45 + side * reach * 0.5 for x in positions] if side else positions
