"""What is seen in the sky. Sun, stars and clouds come with the sky itself (see `compose`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from videogen.engines.procedural.language import Subject
from videogen.engines.procedural.layer import Layer, World
from videogen.engines.procedural.layers.curtains import Aurora
from videogen.engines.procedural.light import Grade
from videogen.engines.procedural.palette import TINTS, Rgb, mix
from videogen.engines.procedural.subjects.entry import Entry

# Foot, body and crown of the curtains.
_AURORAS: Final[Mapping[str, tuple[Rgb, Rgb, Rgb]]] = {
    "green": ((0.20, 1.0, 0.42), (0.06, 0.72, 0.38), (0.30, 0.10, 0.62)),
    "violet": ((0.55, 0.55, 1.15), (0.58, 0.20, 1.15), (0.85, 0.12, 0.70)),
    "red": ((0.55, 0.85, 0.30), (0.80, 0.16, 0.16), (0.85, 0.06, 0.22)),
    "blue": ((0.16, 0.80, 0.90), (0.08, 0.34, 0.95), (0.32, 0.12, 0.80)),
    "teal": ((0.14, 0.95, 0.72), (0.05, 0.62, 0.66), (0.14, 0.20, 0.80)),
    "pink": ((0.70, 0.80, 0.60), (0.90, 0.20, 0.55), (0.55, 0.10, 0.75)),
}


def aurora(world: World, subject: Subject) -> list[Layer]:
    """Curtains of light in the colours asked for."""
    words = subject.colours or world.shot.palette or ("green",)
    tint = TINTS[words[0]]
    foot, body, crown = _AURORAS.get(words[0], (mix(tint, (0.5, 1.0, 0.6), 0.3), tint, tint))
    if len(words) > 1:
        crown = TINTS[words[1]]
    return [Aurora(world, (foot, body, crown), 1.9 + 1.4 * subject.amount)]


def nothing(world: World, subject: Subject) -> list[Layer]:
    """What the sky brings along by itself."""
    return []


_NIGHT = Grade(exposure=1.3, bloom=0.5, threshold=0.55, vignette=0.6)
ENTRIES: Final[Mapping[str, Entry]] = {
    "sun": Entry(nothing, "sky", "sunset", "ocean", (0.60, 0.66)),
    "stars": Entry(nothing, "sky", "night", "meadow", (0.80, 0.84), _NIGHT),
    "clouds": Entry(nothing, "sky", "noon", "meadow", (0.84, 0.88)),
    "aurora": Entry(aurora, "sky", "night", "lake", (0.69, 0.75), _NIGHT),
}
