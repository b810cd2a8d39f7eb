"""Subjects in the sky. Sun, stars and clouds are part of the sky layer (see `shot_builder`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from videogen.engines.procedural.language import Subject
from videogen.engines.procedural.layer import Layer, World
from videogen.engines.procedural.layers.aurora import Aurora
from videogen.engines.procedural.layers.celestial import Moons, Nebula, Planet, planet_surface
from videogen.engines.procedural.layers.lightning import Lightning
from videogen.engines.procedural.layers.sky import Stars
from videogen.engines.procedural.palette import TINTS, Rgb, mix, scale, tint
from videogen.engines.procedural.subjects.definition import SubjectDefinition
from videogen.engines.procedural.tone_mapping import Grade

# Bottom, middle and top of the curtains.
_AURORAS: Final[Mapping[str, tuple[Rgb, Rgb, Rgb]]] = {
    "green": ((0.20, 1.0, 0.42), (0.06, 0.72, 0.38), (0.30, 0.10, 0.62)),
    "violet": ((0.55, 0.55, 1.15), (0.58, 0.20, 1.15), (0.85, 0.12, 0.70)),
    "red": ((0.55, 0.85, 0.30), (0.80, 0.16, 0.16), (0.85, 0.06, 0.22)),
    "blue": ((0.16, 0.80, 0.90), (0.08, 0.34, 0.95), (0.32, 0.12, 0.80)),
    "teal": ((0.14, 0.95, 0.72), (0.05, 0.62, 0.66), (0.14, 0.20, 0.80)),
    "pink": ((0.70, 0.80, 0.60), (0.90, 0.20, 0.55), (0.55, 0.10, 0.75)),
}


def aurora(world: World, subject: Subject) -> list[Layer]:
    """Aurora curtains in the requested colours."""
    names = subject.colours or world.shot.palette or ("green",)
    named = TINTS[names[0]]
    foot, body, crown = _AURORAS.get(names[0], (mix(named, (0.5, 1.0, 0.6), 0.3), named, named))
    if len(names) > 1:
        crown = TINTS[names[1]]
    return [Aurora(world, (foot, body, crown), 2.6 + 1.6 * subject.amount)]


def moon(world: World, subject: Subject) -> list[Layer]:
    """The requested number of moons. The first one is the light source."""
    count = min(max(subject.count, 1), 9)
    rng = world.rng("moons")
    size = {"tiny": 0.5, "small": 0.75, "large": 1.9, "huge": 3.2}.get(subject.size, 1.0) / count**0.25
    color = tint((0.90, 0.93, 1.0), subject.colours, 0.85)
    first = world.lighting.sun if world.lighting.is_night else (-world.lighting.sun[0], 0.30)
    sky_height = world.viewport.horizon / world.viewport.unit
    positions = [(first[0], min(first[1] + 0.02, sky_height * 0.8))]
    side = 1 if first[0] < 0 else -1
    for index in range(1, count):
        x = first[0] + side * world.viewport.half_width * 1.1 * index / max(2, count - 0.5)
        positions.append((x, sky_height * float(rng.uniform(0.45, 0.85))))
    radii = [0.046 * size * (1.0 if index == 0 else float(rng.uniform(0.55, 0.95))) for index in range(count)]
    return [Moons(world, positions, radii, color)]


def planet(world: World, subject: Subject) -> list[Layer]:
    """One planet, or the requested number, in the sky or in space."""
    rng = world.rng("planets")
    count = min(max(subject.count, 1), 6)
    color = TINTS[subject.colours[0]] if subject.colours else None
    size = {"tiny": 0.25, "small": 0.5, "large": 1.35, "huge": 1.8}.get(subject.size, 1.0)
    in_space = world.viewport.horizon == world.viewport.height
    side = 1.0 if rng.random() < 0.5 else -1.0
    layers: list[Layer] = []
    for index in range(count):
        radius = (0.30 if in_space else 0.17) * size * (1.0 if index == 0 else float(rng.uniform(0.22, 0.5)))
        middle = 0.5 if in_space else 0.62
        height = (
            world.viewport.horizon
            / world.viewport.unit
            * (middle + float(rng.uniform(-0.06, 0.06)) - 0.1 * (index % 2))
        )
        x = side * world.viewport.half_width * (0.34 - 0.85 * index / count)
        face = planet_surface(color, float(rng.random()))
        layers.append(Planet(world, (x, height), radius, face, f"planet {index}"))
    return layers


def space(world: World, subject: Subject) -> list[Layer]:
    """A nebula with stars, and a planet, unless other objects are named."""
    rng = world.rng("space")
    names = subject.colours or world.shot.palette
    if names:
        first, last = TINTS[names[0]], TINTS[names[-1]]
        colors = (scale(first, 0.10), scale(last, 0.30), mix(first, (1.0, 0.9, 0.9), 0.4))
    else:
        colors = _GASES[int(rng.integers(len(_GASES)))]
    layers: list[Layer] = [Nebula(world, colors), Stars(world, 1.2, world.viewport.height)]
    if not {"planet", "moon"} & {other.kind for other in world.shot.subjects} and "planet" not in world.shot.without:
        layers += planet(world, Subject("planet"))
    return layers


def lightning(world: World, subject: Subject) -> list[Layer]:
    """Flashes. `amount` decides how many."""
    color = tint((0.80, 0.86, 1.15), subject.colours, 0.8)
    return [Lightning(world, world.camera.scene_seconds, 0.25 + 0.6 * subject.amount, color)]


def nothing(world: World, subject: Subject) -> list[Layer]:
    """No layers: the sky layer draws this subject."""
    return []


_NIGHT = Grade(exposure=1.3, bloom=0.5, threshold=0.55, vignette=0.6)
_SPACE: Final = Grade(exposure=1.25, bloom=0.6, threshold=0.7, vignette=0.6)
_GASES: Final[tuple[tuple[Rgb, Rgb, Rgb], ...]] = (
    ((0.05, 0.03, 0.22), (0.34, 0.05, 0.20), (0.62, 0.50, 0.85)),
    ((0.02, 0.08, 0.22), (0.04, 0.26, 0.26), (0.62, 0.80, 0.75)),
    ((0.16, 0.03, 0.10), (0.32, 0.14, 0.04), (0.95, 0.66, 0.45)),
)
DEFINITIONS: Final[Mapping[str, SubjectDefinition]] = {
    "sun": SubjectDefinition(nothing, "sky", "sunset", "ocean", (0.60, 0.66)),
    "stars": SubjectDefinition(nothing, "sky", "night", "meadow", (0.80, 0.84), _NIGHT),
    "clouds": SubjectDefinition(nothing, "sky", "noon", "meadow", (0.84, 0.88)),
    "moon": SubjectDefinition(moon, "sky", "night", "ocean", (0.66, 0.70), _NIGHT),
    "planet": SubjectDefinition(planet, "sky", "night", "desert", (0.66, 0.70), _NIGHT),
    "space": SubjectDefinition(space, "whole", "night", grade=_SPACE),
    "lightning": SubjectDefinition(lightning, "sky", "night", "ocean", (0.62, 0.68), _NIGHT),
    "aurora": SubjectDefinition(aurora, "sky", "night", "lake", (0.69, 0.75), _NIGHT),
}
