"""Reduces a prompt to what applies to an uploaded picture: camera, hour, weather, mood, film style."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from videogen.engines.procedural.language import KINDS, SceneSpec, ShotSpec, Subject
from videogen.engines.procedural.language.description import MAX_DESCRIPTION

DEFAULT_MOTION: Final = "zoom in"
"""The camera motion if the prompt has none."""

_WEATHER: Final = ("rain", "snow", "fog")
_MOODS: Final = frozenset({"gloomy", "mysterious", "eerie"})
_STYLES: Final = frozenset({"film noir", "vintage"})
_PACES: Final = {"calm": "very slow ", "steady": "slow ", "lively": ""}
_SUPPORTED: Final = frozenset({"time", "camera", "pace", "palette"})
_CAMERA: Final = frozenset({"camera", "pace"})


def restrict_to_photo(spec: SceneSpec) -> SceneSpec:
    """The scene reduced to one shot with weather as its only additional subjects.

    Understood phrases that would need drawing are not used: the picture may show what they name."""
    shot = spec.shots[0]
    weather = tuple(replace(subject, relations=()) for kind in _WEATHER if (subject := shot.find(kind)) is not None)
    reduced = ShotSpec(
        (Subject("abstract"), *weather),
        time=shot.time,
        palette=shot.palette,
        mood=shot.mood if shot.mood in _MOODS else "",
        style=shot.style if shot.style in _STYLES else "",
        camera=shot.camera,
        tempo=shot.tempo,
        without=shot.without,
    )
    return _reduced(spec, reduced, _is_supported)


def restrict_to_camera(spec: SceneSpec) -> SceneSpec:
    """The scene reduced to one camera motion and its pace, for a move between two pictures, which stay as they are."""
    shot = spec.shots[0]
    reduced = ShotSpec((Subject("abstract"),), camera=shot.camera, tempo=shot.tempo)
    return _reduced(spec, reduced, lambda became: became.partition(": ")[0] in _CAMERA)


def _reduced(spec: SceneSpec, shot: ShotSpec, is_supported: Callable[[str], bool]) -> SceneSpec:
    """The scene with this shot alone, and with the phrases that it was made of."""
    supported = [
        (interpretation, "; ".join(part for part in interpretation.became.split("; ") if is_supported(part)))
        for interpretation in spec.understood
    ]
    unused = [interpretation for interpretation, became in supported if not became]
    drawn = [interpretation.phrase for interpretation in unused if interpretation.became.split(", ")[0] in KINDS]
    return SceneSpec(
        (shot,),
        understood=tuple(replace(interpretation, became=became) for interpretation, became in supported if became),
        ignored=spec.ignored,
        unused=(*(interpretation.phrase for interpretation in unused), *spec.unused),
        not_drawn=(*drawn, *spec.not_drawn),
    )


def _is_supported(became: str) -> bool:
    name, _, value = became.partition(": ")
    if name in ("mood", "style"):
        return value in _MOODS | _STYLES
    kind = name.split(", ")[0].removeprefix("no ")
    return name in _SUPPORTED or kind in _WEATHER


def describe_photo(shot: ShotSpec, spec: SceneSpec) -> str:
    """One sentence about the result, and the words that had no effect."""
    parts = [_motion(shot)]
    parts += [f"at {shot.time}" if shot.time in ("dawn", "sunrise", "sunset", "dusk", "night") else shot.time]
    for kind in _WEATHER:
        amount = shot.amount(kind)
        strength = "light " if amount < 0.4 else "heavy " if amount > 0.7 else ""
        parts += [f"{strength}{kind}"] if amount else []
    parts += [shot.mood, shot.style, *(f"{colour} light" for colour in shot.palette)]
    return _with_left_out(f"Your picture: {', '.join(part for part in parts if part)}.", spec)


def describe_move(shot: ShotSpec, spec: SceneSpec) -> str:
    """The same for a move between two pictures."""
    return _with_left_out(f"Your pictures: {_motion(shot)}, from the first to the last, with a dissolve.", spec)


def _motion(shot: ShotSpec) -> str:
    motion = shot.camera or DEFAULT_MOTION
    named = {"still": "a still camera", "handheld": "a camera in the hand"}
    return named.get(motion, _PACES[shot.tempo] + motion)


def _with_left_out(text: str, spec: SceneSpec) -> str:
    """At most MAX_DESCRIPTION characters, because every progress event contains it."""
    for name, words in (("Not understood", spec.ignored), ("Not used", spec.unused)):
        text += f" {name}: {', '.join(words)}." if words else ""
    return text if len(text) <= MAX_DESCRIPTION else f"{text[: MAX_DESCRIPTION - 1]}…"
