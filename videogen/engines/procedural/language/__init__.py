"""From a prompt to a scene: words in, pure data out. Nothing here needs more than the standard library."""

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
    "from_json",
    "to_json",
]
