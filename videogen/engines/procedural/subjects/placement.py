"""Where the things of a picture stand across it."""

from __future__ import annotations

from typing import Final

from videogen.engines.procedural.language import Subject
from videogen.engines.procedural.layer import World

WATER_GROUNDS: Final = ("ocean", "lake", "pool", "river")
NEEDS_LAND: Final = ("cat", "dog", "horse", "deer", "person", "fire")
"""What needs firm ground: by a water it stands on the near bank."""


def requested_side(subject: Subject) -> int:
    """Which side of the picture a subject was asked for: -1 left, 1 right, 0 not said."""
    places = {relation.place for relation in subject.relations}
    return ("right of" in places) - ("left of" in places)


def distribute(world: World, subject: Subject, count: int, name: str, fraction: float = 0.75) -> list[float]:
    """Places across for so many things, in picture units from the middle, evenly with some chance; one stands near the
    middle, unless its side was asked for."""
    rng = world.rng(name)
    reach = world.viewport.half_width * fraction
    side = requested_side(subject)
    if count == 1:
        return [(float(rng.uniform(-0.25, 0.25)) * (0.3 if side else 1.0) + 0.62 * side) * reach]
    places = [reach * (2 * (index + 0.5 + float(rng.uniform(-0.25, 0.25))) / count - 1) for index in range(count)]
    return [x * 0.45 + side * reach * 0.5 for x in places] if side else places
