"""What is defined for each kind of subject."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from videogen.engines.procedural.language import Subject
from videogen.engines.procedural.layer import Layer, World
from videogen.engines.procedural.tone_mapping import Grade

DEFAULT_GRADE: Final = Grade()
Build: TypeAlias = Callable[[World, Subject], list[Layer]]
Role: TypeAlias = Literal["whole", "ground", "far", "sky", "thing", "weather"]


@dataclass(frozen=True)
class SubjectDefinition:
    """How a kind is drawn.

    `role`: "whole" fills the picture without sky and land; "ground" is below the horizon (the first one in a shot is
    used); "far" is on the horizon; "sky" is above it; a "thing" stands or moves in front of them; "weather" is in front
    of everything.
    `hour`, `ground`: defaults if the shot has none. `horizon`: lowest and highest part of the picture's height that is
    above the horizon, 0..1. `grade`: tone mapping."""

    build: Build
    role: Role
    hour: str = "noon"
    ground: str = "meadow"
    horizon: tuple[float, float] = (0.58, 0.64)
    grade: Grade = DEFAULT_GRADE
