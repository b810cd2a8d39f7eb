"""From the earlier reading of a prompt to a scene's spec, until prompts are read into it directly."""

from __future__ import annotations

from videogen.engines.procedural import spec as earlier
from videogen.engines.procedural.language import SceneSpec, ShotSpec, Subject

_TIMES = {"sunset": "sunset", "dawn": "dawn", "noon": "day", "night": "night", "gold": "golden hour", "dusk": "dusk"}


def bridge(found: earlier.SceneSpec) -> SceneSpec:
    """The same wishes in the words of the new spec."""
    subjects = [Subject(found.subject, colours=found.accents, amount=found.energy)]  # type: ignore[arg-type]
    subjects += [
        Subject(kind, amount=amount) for kind in ("rain", "snow", "fog") if (amount := getattr(found, kind)) > 0
    ]
    shot = ShotSpec(tuple(subjects), time=_TIMES.get(found.mood, ""), camera=found.camera, tempo=found.tempo)  # type: ignore[arg-type]
    return SceneSpec((shot,), variant=found.variant)
