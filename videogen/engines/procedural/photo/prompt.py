"""Reduces a prompt to what applies to an uploaded picture: camera, hour, weather, mood, film style."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from videogen.engines.procedural.language import KINDS, Interpretation, SceneSpec, ShotSpec, Subject

DEFAULT_MOTION: Final = "zoom in"
"""The camera motion if the prompt has none."""

_WEATHER: Final = ("rain", "snow", "fog")
_MOODS: Final = frozenset({"gloomy", "mysterious", "eerie"})
_STYLES: Final = frozenset({"film noir", "vintage"})
_PACES: Final = {"calm": "very slow ", "steady": "slow ", "lively": ""}
_SUPPORTED: Final = frozenset({"time", "camera", "pace", "palette"})


def restrict_to_photo(spec: SceneSpec) -> SceneSpec:
    """The scene reduced to one shot with weather as its only additional subjects.

    Understood phrases that would need drawing count as ignored."""
    shot = spec.shots[0]
    weather = tuple(replace(subject, relations=()) for kind in _WEATHER if (subject := shot.find(kind)) is not None)
    supported = [(interpretation, _supported_part(interpretation)) for interpretation in spec.understood]
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
    unused = [interpretation for interpretation, became in supported if not became]
    drawn = [interpretation.phrase for interpretation in unused if interpretation.became.split(", ")[0] in KINDS]
    return SceneSpec(
        (reduced,),
        understood=tuple(replace(interpretation, became=became) for interpretation, became in supported if became),
        ignored=(*(interpretation.phrase for interpretation in unused), *spec.ignored),
        not_drawn=(*drawn, *spec.not_drawn),
    )


def _supported_part(interpretation: Interpretation) -> str:
    """The part of an interpretation that applies to a picture; "" for none."""
    return "; ".join(part for part in interpretation.became.split("; ") if _is_supported(part))


def _is_supported(became: str) -> bool:
    name, _, value = became.partition(": ")
    if name in ("mood", "style"):
        return value in _MOODS | _STYLES
    kind = name.split(", ")[0].removeprefix("no ")
    return name in _SUPPORTED or kind in _WEATHER


def describe_photo(shot: ShotSpec, ignored: tuple[str, ...] = ()) -> str:
    """One sentence about the result, and one with the words that were not used."""
    motion = shot.camera or DEFAULT_MOTION
    named = {"still": "a still camera", "handheld": "a camera in the hand"}
    parts = [named.get(motion, _PACES[shot.tempo] + motion)]
    parts += [f"at {shot.time}" if shot.time in ("dawn", "sunrise", "sunset", "dusk", "night") else shot.time]
    for kind in _WEATHER:
        amount = shot.amount(kind)
        strength = "light " if amount < 0.4 else "heavy " if amount > 0.7 else ""
        parts += [f"{strength}{kind}"] if amount else []
    parts += [shot.mood, shot.style, *(f"{colour} light" for colour in shot.palette)]
    text = f"Your picture: {', '.join(part for part in parts if part)}."
    return f"{text} Not used: {', '.join(ignored)}." if ignored else text
