"""From a prompt to a scene: words in, pure data out. Nothing here needs more than the standard library."""

from videogen.engines.procedural.language.parser import parse_prompt
from videogen.engines.procedural.language.spec import (
    KINDS,
    LIVING,
    PLACES,
    SKY,
    WEATHER,
    Reading,
    Relation,
    SceneSpec,
    ShotSpec,
    Subject,
    from_json,
    to_json,
)
from videogen.engines.procedural.language.wording import describe

__all__ = [
    "KINDS",
    "LIVING",
    "PLACES",
    "SKY",
    "WEATHER",
    "Reading",
    "Relation",
    "SceneSpec",
    "ShotSpec",
    "Subject",
    "describe",
    "from_json",
    "parse_prompt",
    "to_json",
]
