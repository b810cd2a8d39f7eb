"""Things that stand, float or move in a place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from videogen.engines.procedural.language import Subject
from videogen.engines.procedural.layer import ALOFT, STANDING, Layer, World
from videogen.engines.procedural.layers.actors import Actor, Actors
from videogen.engines.procedural.layers.fire import Fire
from videogen.engines.procedural.layers.lanterns import Lanterns
from videogen.engines.procedural.layers.objects import LAMP_AT, Beam, balloon, boat, house, lighthouse
from videogen.engines.procedural.layers.woods import season_colors, single
from videogen.engines.procedural.light import Grade
from videogen.engines.procedural.palette import TINTS, Rgb, mix
from videogen.engines.procedural.subjects.entry import Entry
from videogen.engines.procedural.subjects.placing import side_of, spread


def on_water(world: World) -> bool:
    """Whether what lies under the horizon is water."""
    return world.ground in ("ocean", "lake", "pool")


def fire(world: World, subject: Subject) -> list[Layer]:
    """A camp fire, or as many as were asked for."""
    count = min(max(subject.count, 1), 5)
    color = TINTS[subject.colours[0]] if subject.colours else (1.0, 0.30, 0.05)
    size = (0.24 + 0.36 * subject.amount) / count**0.4
    size *= {"tiny": 0.4, "small": 0.65, "large": 1.3, "huge": 1.7}.get(subject.size, 1.0)
    below = (world.frame.height - world.frame.horizon) / world.frame.unit
    return [Fire(world, (x, -0.52 * below), size, color) for x in spread(world, subject, count, "fires", 0.7)]


def lanterns(world: World, subject: Subject) -> list[Layer]:
    """A sky full of them where no number was given."""
    color = TINTS[subject.colours[0]] if subject.colours else (1.0, 0.45, 0.12)
    count = subject.count if subject.count > 1 else int(40 + 80 * subject.amount)
    return [Lanterns(world, count, color)]


_SIZES: Final = {"tiny": 0.4, "small": 0.65, "": 1.0, "large": 1.4, "huge": 1.9}


def _own(subject: Subject, index: int, otherwise: Rgb) -> Rgb:
    """The colour of the thing with this number."""
    return TINTS[subject.colours[index % len(subject.colours)]] if subject.colours else otherwise


def boats(world: World, subject: Subject) -> list[Layer]:
    """Sailing boats that go along the horizon; the water mirrors them."""
    rng = world.rng("boats")
    count = min(subject.count or 4, 12)
    way = 1.0 if rng.random() < 0.5 else -1.0
    actors: list[Actor] = []
    for x in spread(world, subject, count, "boat places"):
        depth = float(rng.uniform(0.5, 1.0)) if count > 1 else 1.0
        height = 0.17 * _SIZES[subject.size] * depth
        strip = boat(world, height * world.frame.unit, _own(subject, len(actors), (0.20, 0.10, 0.06)), way < 0)
        actors.append(Actor([strip], x, -0.006 * depth, way * 0.018 * depth, 0.0, float(rng.random()), 0.3, 0.003))
    return [Actors(world, actors, ALOFT)]


def balloons(world: World, subject: Subject) -> list[Layer]:
    """Hot-air balloons that drift at their heights."""
    rng = world.rng("balloons")
    count = min(subject.count or 5, 16)
    high = world.frame.horizon / world.frame.unit
    pairs = (
        ((0.80, 0.10, 0.07), (0.90, 0.72, 0.25)),
        ((0.12, 0.25, 0.62), (0.88, 0.86, 0.80)),
        ((0.85, 0.45, 0.08), (0.55, 0.10, 0.30)),
    )
    actors: list[Actor] = []
    for index, x in enumerate(spread(world, subject, count, "balloon places")):
        depth = 1.0 if index == 0 else float(rng.uniform(0.35, 0.8))
        height = 0.34 * _SIZES[subject.size] * depth * min(1.0, high / 0.6)
        first, second = pairs[int(rng.integers(len(pairs)))]
        if subject.colours:
            first = _own(subject, 0 if len(subject.colours) > 1 else index, first)
            second = TINTS[subject.colours[1]] if len(subject.colours) > 1 else mix(first, (0.9, 0.88, 0.8), 0.75)
        strip = balloon(world, height * world.frame.unit, (first, second))
        place = high * float(rng.uniform(0.42, 0.68)) - height * 0.3
        speed = 0.012 * float(rng.uniform(0.6, 1.2))
        actors.append(Actor([strip], x, place, speed, 0.0, float(rng.random()), 0.2 + 0.3 * depth, 0.014))
    return [Actors(world, actors, ALOFT)]


def houses(world: World, subject: Subject) -> list[Layer]:
    """Cottages that stand where the land begins."""
    rng = world.rng("houses")
    count = min(subject.count or 4, 10)
    actors: list[Actor] = []
    for x in spread(world, subject, count, "house places"):
        size = 0.20 * _SIZES[subject.size] * (1.0 if count == 1 else float(rng.uniform(0.55, 0.9)))
        wall = _own(subject, len(actors), (0.72, 0.66, 0.56))
        strip = house(world, size * world.frame.unit, wall, (0.30, 0.10, 0.06))
        foot = 0.0 if on_water(world) else -0.09 * size / 0.2
        actors.append(Actor([strip], x, foot, 0.0, 0.0, 0.0, 0.6))
    return [Actors(world, actors, ALOFT if on_water(world) else STANDING)]


def lighthouses(world: World, subject: Subject) -> list[Layer]:
    """A striped tower with a lamp that turns."""
    rng = world.rng("lighthouse")
    size = 0.36 * _SIZES[subject.size] * min(1.0, world.frame.horizon / world.frame.unit / 0.5)
    x = float(rng.uniform(0.35, 0.6)) * world.frame.half_width * (side_of(subject) or (1 if rng.random() < 0.5 else -1))
    strip = lighthouse(world, size * world.frame.unit, _own(subject, 0, (0.62, 0.06, 0.05)))
    actor = Actor([strip], x, 0.0, 0.0, 0.0, 0.0, 0.5)
    return [Actors(world, [actor], ALOFT), Beam(world, (x, size * (1 - LAMP_AT)), 0.5)]


def trees(world: World, subject: Subject) -> list[Layer]:
    """One great tree, or some."""
    rng = world.rng("single trees")
    count = min(subject.count or 5, 12)
    colors = season_colors(world, tuple(TINTS[name] for name in subject.colours))
    actors: list[Actor] = []
    for x in spread(world, subject, count, "tree places", 0.6):
        size = (0.62 if count == 1 else float(rng.uniform(0.25, 0.42))) * _SIZES[subject.size]
        strip = single(world, size * world.frame.unit, colors, rng)
        foot = 0.005 if on_water(world) else -0.12 * size
        actors.append(Actor([strip], x, foot, 0.0, 0.0, 0.0, 0.7))
    return [Actors(world, actors, ALOFT if on_water(world) else STANDING)]


_GLOW: Final = Grade(exposure=1.25, bloom=0.75, threshold=0.6, vignette=0.6)
ENTRIES: Final[Mapping[str, Entry]] = {
    "fire": Entry(fire, "thing", "night", "clearing", (0.62, 0.66), _GLOW),
    "boat": Entry(boats, "thing", "sunset", "ocean", (0.56, 0.62)),
    "balloon": Entry(balloons, "thing", "gold", "meadow", (0.72, 0.76)),
    "house": Entry(houses, "thing", "gold", "meadow", (0.60, 0.66)),
    "lighthouse": Entry(lighthouses, "thing", "twilight", "ocean", (0.60, 0.66), _GLOW),
    "tree": Entry(trees, "thing", "gold", "meadow", (0.64, 0.70)),
    "lanterns": Entry(lanterns, "thing", "twilight", "lake", (0.74, 0.78), _GLOW),
}
