"""Objects that stand, float or move in an environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from videogen.engines.procedural.language import Subject
from videogen.engines.procedural.layer import ALOFT, STANDING, WATER_GROUNDS, Layer, World
from videogen.engines.procedural.layers.fire import Fire
from videogen.engines.procedural.layers.lanterns import Lanterns
from videogen.engines.procedural.layers.moving_sprites import MovingSprite, MovingSprites
from videogen.engines.procedural.layers.objects import LAMP_POSITION, Beam, balloon, boat, house, lighthouse
from videogen.engines.procedural.layers.trees import draw_tree, season_colors
from videogen.engines.procedural.palette import TINTS, Rgb, mix
from videogen.engines.procedural.subjects.definition import SubjectDefinition
from videogen.engines.procedural.subjects.placement import distribute, requested_side
from videogen.engines.procedural.tone_mapping import Grade


def on_water(world: World) -> bool:
    """Whether the ground is an ocean, a lake or a pool."""
    return world.ground in ("ocean", "lake", "pool")


def fire(world: World, subject: Subject) -> list[Layer]:
    """A camp fire, or the requested number."""
    count = min(max(subject.count, 1), 5)
    color = TINTS[subject.colours[0]] if subject.colours else (1.0, 0.30, 0.05)
    size = (0.24 + 0.36 * subject.amount) / count**0.4
    size *= {"tiny": 0.4, "small": 0.65, "large": 1.3, "huge": 1.7}.get(subject.size, 1.0)
    below = (world.viewport.height - world.viewport.horizon) / world.viewport.unit
    foot = 0.075 - below if world.ground in WATER_GROUNDS else -0.52 * below
    return [Fire(world, (x, foot), size, color) for x in distribute(world, subject, count, "fires", 0.7)]


def lanterns(world: World, subject: Subject) -> list[Layer]:
    """Many sky lanterns, if no number is given."""
    color = TINTS[subject.colours[0]] if subject.colours else (1.0, 0.45, 0.12)
    count = subject.count or int(40 + 80 * subject.amount)
    return [Lanterns(world, count, color)]


_SIZES: Final = {"tiny": 0.4, "small": 0.65, "": 1.0, "large": 1.4, "huge": 1.9}


def _own_color(subject: Subject, index: int, otherwise: Rgb) -> Rgb:
    """The colour of the object with this index."""
    return TINTS[subject.colours[index % len(subject.colours)]] if subject.colours else otherwise


def boats(world: World, subject: Subject) -> list[Layer]:
    """Sailing boats along the horizon. The water reflects them."""
    rng = world.rng("boats")
    count = min(subject.count or 4, 12)
    direction = 1.0 if rng.random() < 0.5 else -1.0
    actors: list[MovingSprite] = []
    for x in distribute(world, subject, count, "boat places"):
        depth = float(rng.uniform(0.5, 1.0)) if count > 1 else 1.0
        height = 0.17 * _SIZES[subject.size] * depth
        sprite = boat(
            world, height * world.viewport.unit, _own_color(subject, len(actors), (0.20, 0.10, 0.06)), direction < 0
        )
        actors.append(
            MovingSprite([sprite], x, -0.006 * depth, direction * 0.018 * depth, 0.0, float(rng.random()), 0.3, 0.003)
        )
    return [MovingSprites(world, actors, ALOFT)]


def balloons(world: World, subject: Subject) -> list[Layer]:
    """Drifting hot-air balloons."""
    rng = world.rng("balloons")
    count = min(subject.count or 5, 16)
    sky_height = world.viewport.horizon / world.viewport.unit
    pairs = (
        ((0.80, 0.10, 0.07), (0.90, 0.72, 0.25)),
        ((0.12, 0.25, 0.62), (0.88, 0.86, 0.80)),
        ((0.85, 0.45, 0.08), (0.55, 0.10, 0.30)),
    )
    actors: list[MovingSprite] = []
    for index, x in enumerate(distribute(world, subject, count, "balloon places")):
        depth = 1.0 if index == 0 else float(rng.uniform(0.35, 0.8))
        height = 0.34 * _SIZES[subject.size] * depth * min(1.0, sky_height / 0.6)
        first, second = pairs[int(rng.integers(len(pairs)))]
        if subject.colours:
            first = _own_color(subject, 0 if len(subject.colours) > 1 else index, first)
            second = TINTS[subject.colours[1]] if len(subject.colours) > 1 else mix(first, (0.9, 0.88, 0.8), 0.75)
        sprite = balloon(world, height * world.viewport.unit, (first, second))
        base = sky_height * float(rng.uniform(0.42, 0.68)) - height * 0.3
        speed = 0.012 * float(rng.uniform(0.6, 1.2))
        actors.append(MovingSprite([sprite], x, base, speed, 0.0, float(rng.random()), 0.2 + 0.3 * depth, 0.014))
    return [MovingSprites(world, actors, ALOFT)]


def houses(world: World, subject: Subject) -> list[Layer]:
    """Cottages at the horizon."""
    rng = world.rng("houses")
    count = min(subject.count or 4, 10)
    actors: list[MovingSprite] = []
    for x in distribute(world, subject, count, "house places"):
        size = 0.20 * _SIZES[subject.size] * (1.0 if count == 1 else float(rng.uniform(0.55, 0.9)))
        wall = _own_color(subject, len(actors), (0.72, 0.66, 0.56))
        sprite = house(world, size * world.viewport.unit, wall, (0.30, 0.10, 0.06))
        foot = 0.0 if on_water(world) else -0.09 * size / 0.2
        actors.append(MovingSprite([sprite], x, foot, 0.0, 0.0, 0.0, 0.6))
    return [MovingSprites(world, actors, ALOFT if on_water(world) else STANDING)]


def lighthouses(world: World, subject: Subject) -> list[Layer]:
    """A striped tower with a rotating lamp."""
    rng = world.rng("lighthouse")
    size = 0.36 * _SIZES[subject.size] * min(1.0, world.viewport.horizon / world.viewport.unit / 0.5)
    x = (
        float(rng.uniform(0.35, 0.6))
        * world.viewport.half_width
        * (requested_side(subject) or (1 if rng.random() < 0.5 else -1))
    )
    sprite = lighthouse(world, size * world.viewport.unit, _own_color(subject, 0, (0.62, 0.06, 0.05)))
    actor = MovingSprite([sprite], x, 0.0, 0.0, 0.0, 0.0, 0.5)
    return [MovingSprites(world, [actor], ALOFT), Beam(world, (x, size * (1 - LAMP_POSITION)), 0.5)]


def trees(world: World, subject: Subject) -> list[Layer]:
    """One large tree, or several."""
    rng = world.rng("single trees")
    count = min(subject.count or 5, 12)
    colors = season_colors(world, tuple(TINTS[name] for name in subject.colours))
    actors: list[MovingSprite] = []
    for x in distribute(world, subject, count, "tree places", 0.6):
        size = (0.62 if count == 1 else float(rng.uniform(0.25, 0.42))) * _SIZES[subject.size]
        sprite = draw_tree(world, size * world.viewport.unit, colors, rng)
        foot = 0.005 if on_water(world) else -0.12 * size
        actors.append(MovingSprite([sprite], x, foot, 0.0, 0.0, 0.0, 0.7))
    return [MovingSprites(world, actors, ALOFT if on_water(world) else STANDING)]


_GLOW: Final = Grade(exposure=1.25, bloom=0.75, threshold=0.6, vignette=0.6)
DEFINITIONS: Final[Mapping[str, SubjectDefinition]] = {
    "fire": SubjectDefinition(fire, "thing", "night", "clearing", (0.62, 0.66), _GLOW),
    "boat": SubjectDefinition(boats, "thing", "sunset", "ocean", (0.56, 0.62)),
    "balloon": SubjectDefinition(balloons, "thing", "gold", "meadow", (0.72, 0.76)),
    "house": SubjectDefinition(houses, "thing", "gold", "meadow", (0.60, 0.66)),
    "lighthouse": SubjectDefinition(lighthouses, "thing", "twilight", "ocean", (0.60, 0.66), _GLOW),
    "tree": SubjectDefinition(trees, "thing", "gold", "meadow", (0.64, 0.70)),
    "lanterns": SubjectDefinition(lanterns, "thing", "twilight", "lake", (0.74, 0.78), _GLOW),
}
