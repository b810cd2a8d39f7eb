"""Parses a prompt into a scene description (pure data). Needs only the standard library."""

from videogen.engines.procedural.language.description import describe
from videogen.engines.procedural.language.parser import parse_prompt
from videogen.engines.procedural.language.scene_spec import (
    KINDS,
    LIVING,
    SKY,
    WEATHER,
    Interpretation,
    Relation,
    SceneSpec,
    ShotSpec,
    Subject,
    from_json,
    to_json,
)

__all__ = [
    "KINDS",
    "LIVING",
    "SKY",
    "WEATHER",
    "Interpretation",
    "Relation",
    "SceneSpec",
    "ShotSpec",
    "Subject",
    "describe",
    "from_json",
    "parse_prompt",
    "to_json",
]
