"""What the table of subjects holds about each kind."""

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
    """How a kind comes into a picture.

    `role`: "whole" fills the picture and leaves no room for sky and land; "ground" lies under the horizon (the first
    that a shot names wins); "far" stands on the horizon; "sky" is above it; a "thing" stands or moves before them;
    "weather" is over all. `hour` and `ground` are what suits the kind where the shot names none; `horizon` is the
    share of the picture's height above the horizon, from and to; `grade` how pictures of it are developed."""

    build: Build
    role: Role
    hour: str = "noon"
    ground: str = "meadow"
    horizon: tuple[float, float] = (0.58, 0.64)
    grade: Grade = DEFAULT_GRADE
