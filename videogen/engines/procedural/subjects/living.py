"""Animals and people: silhouettes that walk, fly or swim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Final

import numpy as np

from videogen.engines.procedural.figures import draw_cycle
from videogen.engines.procedural.language import Subject
from videogen.engines.procedural.layer import ALOFT, NEAR, STANDING, WATER_GROUNDS, Layer, World
from videogen.engines.procedural.layers.moving_sprites import MovingSprite, MovingSprites
from videogen.engines.procedural.palette import TINTS, Rgb, mix, scale
from videogen.engines.procedural.subjects.definition import SubjectDefinition
from videogen.engines.procedural.subjects.placement import distribute

_SIZES: Final = {"tiny": 0.4, "small": 0.65, "": 1.0, "large": 1.45, "huge": 2.1}

# Few values, so that figures of one size use the same sprites.
_DEPTHS: Final = (0.40, 0.55, 0.70, 0.85, 1.0)


@dataclass(frozen=True)
class Gait:
    """How an animal walks. `height`: picture units, when near. `stride`: heights per cycle. `walk`, `run`: cycles per
    second. `many`: count for a plural without a number."""

    height: float
    stride: float
    walk: float
    run: float
    many: int


WALKERS: Final[Mapping[str, Gait]] = {
    "horse": Gait(0.30, 0.80, 0.85, 1.7, 5),
    "deer": Gait(0.30, 0.68, 0.85, 1.8, 4),
    "dog": Gait(0.16, 0.72, 1.2, 2.3, 4),
    "cat": Gait(0.15, 0.56, 1.1, 2.2, 4),
    "person": Gait(0.27, 0.90, 0.95, 1.7, 6),
}


def _color(world: World, subject: Subject, fraction: float) -> Rgb:
    """The light that a figure reflects: dark in front of a low sun, its own colour by day."""
    base_color = TINTS[subject.colours[0]] if subject.colours else (0.10, 0.085, 0.075)
    lit = world.lighting.lit(base_color, 0.16 if world.lighting.sun[1] < 0.25 else 0.4)
    floor = scale(base_color, 0.05) if subject.colours else (0.0, 0.0, 0.0)
    dark = (lit[0] * 0.5 + floor[0], lit[1] * 0.5 + floor[1], lit[2] * 0.5 + floor[2])
    return world.lighting.hazed(dark, fraction)


def walkers(world: World, subject: Subject, kind: str) -> list[Layer]:
    """One or several that walk over the ground. Nearer ones are larger and lower in the picture."""
    gait, rng = WALKERS[kind], world.rng(kind)
    count = subject.count or gait.many
    still = subject.action == "still"
    hertz = 0.0 if still else gait.run if subject.action == "running" else gait.walk
    pace = 0.0 if still else 1.5 if subject.action == "running" else 1.0
    direction = 1.0 if rng.random() < 0.5 else -1.0
    below = (world.viewport.height - world.viewport.horizon) / world.viewport.unit
    count = min(count, 24)
    positions = distribute(world, subject, count, f"{kind} places", 0.5 if count == 1 else 0.85)
    actors, cached_cycle = [], cache(draw_cycle)
    for index in range(count):
        depth = 0.80 if count == 1 else 0.85 * float(rng.choice(_DEPTHS))
        size = gait.height * _SIZES[subject.size] * (0.25 + 1.0 * depth)
        frames = cached_cycle(
            kind, size * world.viewport.unit, _color(world, subject, 0.25 * (1 - depth)), pace, direction < 0
        )
        rate = world.rate(hertz * float(rng.uniform(0.94, 1.06))) if hertz else 0.0
        speed = direction * size * gait.stride * rate * (1.25 if pace > 1 else 1.0)
        length = world.camera.scene_seconds
        start = positions[index] - speed * length / 2
        # A single figure is higher, in front of the sky.
        foot = -below * (0.16 if count == 1 else min(0.92, 0.08 + 0.70 * depth**1.6))
        if world.ground in WATER_GROUNDS:
            # On the near bank, one behind the other.
            foot = -below + 0.085 - 0.03 * depth
        actors.append(MovingSprite(frames, start, foot, speed, rate, float(rng.random()), depth))
    actors.sort(key=lambda actor: actor.depth)
    return [MovingSprites(world, actors, NEAR)]


def birds(world: World, subject: Subject) -> list[Layer]:
    """A flock, or the requested number, across the sky."""
    rng = world.rng("birds")
    count = min(subject.count or 11, 60)
    direction = 1.0 if rng.random() < 0.5 else -1.0
    sky_height = world.viewport.horizon / world.viewport.unit
    base, actors, cached_cycle = float(rng.uniform(0.55, 0.72)) * sky_height, [], cache(draw_cycle)
    size_factor = 2.4 if count == 1 else 1.5 if count < 4 else 1.0
    for index in range(count):
        depth = float(rng.choice(_DEPTHS))
        size = 0.075 * size_factor * _SIZES[subject.size] * (0.45 + 0.55 * depth)
        frames = cached_cycle("bird", size * world.viewport.unit, _color(world, subject, 0.30), 1.0, direction < 0)
        # A loose V formation.
        rank, wing = (index + 1) // 2, 1 if index % 2 else -1
        x = -direction * (0.10 + 0.085 * rank) + float(rng.uniform(-0.03, 0.03))
        height = base + wing * 0.030 * rank + float(rng.uniform(-0.025, 0.025))
        speed = direction * (0.075 + 0.01 * size_factor)
        hertz = world.rate(float(rng.uniform(1.5, 2.1)) / size_factor**0.4)
        start = x - speed * world.camera.scene_seconds * 0.5 + direction * 0.2
        actors.append(MovingSprite(frames, start, height, speed, hertz, float(rng.random()), 0.2, 0.008, True))
    return [MovingSprites(world, actors, ALOFT)]


def fish(world: World, subject: Subject) -> list[Layer]:
    """Fish under water. With a ground, they are seen from above and are below the horizon."""
    rng = world.rng("fish")
    count = min(subject.count or 26, 60)
    picture_height = world.viewport.height / world.viewport.unit
    base = world.viewport.horizon / world.viewport.unit
    names = subject.colours or (("orange", "yellow", "white", "blue") if count < 9 else ())
    actors, direction, cached_cycle = [], 1.0 if rng.random() < 0.5 else -1.0, cache(draw_cycle)
    for index in range(count):
        depth = float(rng.choice(_DEPTHS)) if count > 2 else 0.9
        base_color = TINTS[names[index % len(names)]] if names else (0.34, 0.44, 0.48)
        color = mix(scale(base_color, 0.40), (0.012, 0.13, 0.20), 0.72 - 0.55 * depth)
        size = (0.085 if count > 8 else 0.15) * _SIZES[subject.size] * (0.35 + 0.65 * depth)
        heading = direction if rng.random() < 0.88 else -direction
        x, y = rng.normal(0, 0.42) * world.viewport.half_width, rng.normal(0.52, 0.13)
        speed = heading * float(rng.uniform(0.05, 0.10))
        hertz = world.rate(float(rng.uniform(1.4, 2.2)))
        height = base - picture_height * (1 - float(np.clip(y, 0.24, 0.85)))
        if world.ground:
            # Seen from above the water, they are in it.
            height = -(picture_height - base) * (0.25 + 0.6 * float(np.clip(y, 0.1, 0.9)))
            color = mix(color, world.lighting.hour.water, 0.8)
        frames = cached_cycle("fish", size * world.viewport.unit, color, 1.0, heading < 0)
        start = float(x) - speed * world.camera.scene_seconds / 2
        actors.append(MovingSprite(frames, start, height, speed, hertz, float(rng.random()), depth, 0.012, True))
    actors.sort(key=lambda actor: actor.depth)
    return [MovingSprites(world, actors, STANDING + 1)]


def whales(world: World, subject: Subject) -> list[Layer]:
    """Large and slow."""
    rng = world.rng("whales")
    count = min(subject.count or 3, 6)
    picture_height, base = world.viewport.height / world.viewport.unit, world.viewport.horizon / world.viewport.unit
    actors, direction, cached_cycle = [], 1.0 if rng.random() < 0.5 else -1.0, cache(draw_cycle)
    for index in range(count):
        depth = 0.9 if index == 0 else float(rng.uniform(0.35, 0.7))
        base_color = TINTS[subject.colours[0]] if subject.colours else (0.09, 0.15, 0.20)
        color = mix(scale(base_color, 0.5), (0.012, 0.13, 0.20), 0.75 - 0.55 * depth)
        size = 0.42 * _SIZES[subject.size] * depth
        x = (float(rng.uniform(-0.1, 0.1)) if index == 0 else float(rng.uniform(-0.8, 0.8))) * world.viewport.half_width
        speed = direction * 0.045 * depth
        height = base - picture_height * (1 - float(rng.uniform(0.45, 0.62)))
        if world.ground:
            height, size = -(picture_height - base) * float(rng.uniform(0.25, 0.55)), size * 0.5
        frames = cached_cycle("whale", size * world.viewport.unit, color, 1.0, direction < 0)
        hertz = world.rate(0.22)
        actors.append(
            MovingSprite(
                frames, x - speed * world.camera.scene_seconds / 2, height, speed, hertz, 0.3 * index, depth, 0.01, True
            )
        )
    actors.sort(key=lambda actor: actor.depth)
    return [MovingSprites(world, actors, STANDING + 1)]


DEFINITIONS: Final[Mapping[str, SubjectDefinition]] = {
    **{
        kind: SubjectDefinition(partial(walkers, kind=kind), "thing", "sunset", "meadow", (0.62, 0.68))
        for kind in WALKERS
    },
    "bird": SubjectDefinition(birds, "thing", "sunset", "ocean", (0.68, 0.74)),
    "fish": SubjectDefinition(fish, "thing", "noon", "underwater"),
    "whale": SubjectDefinition(whales, "thing", "noon", "underwater"),
}
