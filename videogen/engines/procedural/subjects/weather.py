"""Weather in front of any environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from videogen.engines.procedural.language import Subject
from videogen.engines.procedural.layer import Layer, World
from videogen.engines.procedural.layers.weather import Fog, Rain, Snow
from videogen.engines.procedural.subjects.definition import SubjectDefinition


def rain(world: World, subject: Subject) -> list[Layer]:
    """From a drizzle to heavy rain."""
    return [Rain(world, 1.2 * subject.amount)]


def snow(world: World, subject: Subject) -> list[Layer]:
    """From a few flakes to a snowstorm."""
    return [Snow(world, 1.1 * subject.amount)]


def fog(world: World, subject: Subject) -> list[Layer]:
    """From thin to dense fog."""
    return [Fog(world, min(1.0, 0.25 + subject.amount))]


DEFINITIONS: Final[Mapping[str, SubjectDefinition]] = {
    "rain": SubjectDefinition(rain, "weather", "noon", "lake", (0.60, 0.66)),
    "snow": SubjectDefinition(snow, "weather", "noon", "snowfield", (0.66, 0.72)),
    "fog": SubjectDefinition(fog, "weather", "dawn", "lake", (0.60, 0.66)),
}
