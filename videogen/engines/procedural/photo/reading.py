"""What a prompt asks of a picture that is already there: camera, hour, weather, mood, film. The rest is left alone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from videogen.engines.procedural.language import ShotSpec, Subject
from videogen.engines.procedural.photo.path import DEFAULT_MOVE

# Field of the shot -> its value -> phrases, with a trailing * for any ending.
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "camera": {
        "pan left": "pan* left, pan to the left, camera left, moves left",
        "pan right": "pan* right, pan to the right, pan, panning, camera right, moves right, sideways",
        "tilt up": "tilt* up, looks up, tilt",
        "tilt down": "tilt* down, looks down",
        "zoom in": "zoom* in, zoom, push* in, closer, ken burns",
        "zoom out": "zoom* out, pull* back, pull* out, wider",
        "dolly in": "dolly in, dolly, move* forward, fly* in, fly* through, walk* in*",
        "dolly out": "dolly out, dolly back, move* back*, fly* out",
        "orbit": "orbit*, circle* around, circling, rotat* around, parallax, around it",
        "handheld": "handheld, hand held, shaky, shaking",
        "still": "still camera, still shot, static, tripod, fixed, locked off, no movement, no motion, motionless",
    },
    "time": {
        "dawn": "dawn, daybreak, early morning, blue hour",
        "sunrise": "sunrise*, morning",
        "day": "day, daytime, daylight, noon, midday, sunny, sunshine",
        "golden hour": "golden hour, golden light, late afternoon",
        "sunset": "sunset*, setting sun, evening",
        "dusk": "dusk, twilight, nightfall",
        "night": "night*, midnight, moonlight, moonlit",
    },
    "tempo": {
        "calm": "slow*, gentle, gently, calm, calmly, quiet*, peaceful*",
        "lively": "fast*, quick*, lively, dynamic, energetic, rapid*",
    },
    "mood": {
        "gloomy": "gloomy, dreary, sad, bleak, overcast, cloudy",
        "mysterious": "myster*",
        "eerie": "eerie, creepy, spooky, haunted",
    },
    "style": {
        "film noir": "film noir, noir, black and white, monochrome, greyscale, grayscale",
        "vintage": "vintage, sepia, retro, old film, nostalgic",
    },
    "palette": {
        "red": "red tones, red tint, red light",
        "blue": "blue tones, blue tint, blue light, cold",
        "green": "green tones, green tint, green light",
        "violet": "purple tones, violet tones, purple light, violet light",
        "orange": "orange tones, warm, warm light",
        "teal": "teal tones, teal and orange",
    },
}
_WEATHER: Final[Mapping[str, tuple[tuple[str, float], ...]]] = {
    "rain": (("rain*, wet, shower*", 0.55), ("drizzl*", 0.3), ("downpour, cloudburst, storm*, thunder*", 0.9)),
    "snow": (("snow*, winter*, flake*", 0.5), ("blizzard*, snowstorm*", 1.0)),
    "fog": (("fog*, mist*, haze, hazy, smoke, smoky", 0.5),),
}
_STRONG: Final = ("heavy", "heavily", "thick", "dense", "strong", "pouring", "much")
_WEAK: Final = ("light", "lightly", "soft", "softly", "thin", "slight", "some", "little", "few")
_NOT: Final = ("no", "without", "not", "never")
_PLAIN_TEXT: Final = """
    the and with from into over that this very camera move movement motion video clip shot scene picture image photo
    make please cinematic around during while then there here light lights heavy soft little some without not never
"""
_PLAIN: Final = frozenset(_PLAIN_TEXT.split())
"""Words that ask for nothing."""
_MOST_WORDS: Final = 400
_MOST_TOLD: Final = 8


def read_wishes(prompt: str, negative_prompt: str = "") -> tuple[ShotSpec, str]:
    """Read a prompt of any kind and length; never fails.

    Returns:
        The shot, whose only subjects besides the picture are weather; and one sentence on what was understood.
    """
    words = _words(prompt)
    values: dict[str, Any] = {}
    weather: dict[str, float] = {}
    unread: list[str] = []
    at = 0
    while at < len(words):
        found = _phrase_at(words, at)
        if found is None:
            unread += [words[at]] if len(words[at]) > 2 and words[at] not in _PLAIN else []
            at += 1
            continue
        length, field, value, amount = found
        negated = at > 0 and words[at - 1] in _NOT
        if field == "weather":
            if not negated:
                weather[value] = max(weather.get(value, 0.0), _weighed(words, at, amount))
        elif not negated:
            values.setdefault(field, (value,) if field == "palette" else value)
        at += length
    removed = _words(negative_prompt)
    for at in range(len(removed)):
        found = _phrase_at(removed, at)
        if found is not None and found[1] == "weather":
            weather.pop(found[2], None)
    subjects = tuple(Subject(kind, amount=amount) for kind, amount in sorted(weather.items()))  # type: ignore[arg-type]
    shot = ShotSpec((Subject("abstract"), *subjects), **values)
    return shot, describe(shot, tuple(dict.fromkeys(unread))[:_MOST_TOLD])


def describe(shot: ShotSpec, unread: tuple[str, ...] = ()) -> str:
    """One human sentence on what will become of the picture, and one on the words that said nothing about that."""
    move = shot.camera or DEFAULT_MOVE
    pace = {"calm": "very slow ", "steady": "slow ", "lively": ""}[shot.tempo]
    parts = ["a still camera" if move == "still" else "a camera in the hand" if move == "handheld" else pace + move]
    parts += [f"at {shot.time}" if shot.time in ("dawn", "sunrise", "sunset", "dusk", "night") else shot.time]
    for kind in ("rain", "snow", "fog"):
        amount = shot.amount(kind)
        strength = "light " if amount < 0.4 else "heavy " if amount > 0.7 else ""
        parts += [f"{strength}{kind}"] if amount else []
    parts += [shot.mood, shot.style, *(f"{colour} light" for colour in shot.palette)]
    told = f"Your picture: {', '.join(part for part in parts if part)}."
    return f"{told} Not used: {', '.join(unread)}." if unread else told


def _words(text: str) -> list[str]:
    """Lower-case words of letters only, so that no markup survives; a bounded number of them."""
    plain = unicodedata.normalize("NFKC", text[:20_000]).casefold()
    return [found.group()[:24] for found in re.finditer(r"[^\W\d_]+", plain)][:_MOST_WORDS]


def _weighed(words: list[str], at: int, amount: float) -> float:
    before = words[at - 1] if at else ""
    factor = 1.7 if before in _STRONG else 0.5 if before in _WEAK else 1.0
    return min(1.0, amount * factor)


def _phrase_at(words: list[str], at: int) -> tuple[int, str, str, float] | None:
    """The longest known phrase that begins here: its length, what it sets, to what, and how much of it."""
    for pattern, meaning in _table():
        stretch = words[at : at + len(pattern)]
        if len(stretch) == len(pattern) and all(map(_fits, pattern, stretch)):
            return len(pattern), *meaning
    return None


def _fits(part: str, word: str) -> bool:
    return word.startswith(part[:-1]) if part.endswith("*") else word == part


@cache
def _table() -> tuple[tuple[tuple[str, ...], tuple[str, str, float]], ...]:
    """Every phrase with what it means, the longest first."""
    rows: list[tuple[tuple[str, ...], tuple[str, str, float]]] = []
    for field, choices in _WORDS.items():
        for value, phrases in choices.items():
            rows += [(tuple(phrase.split()), (field, value, 1.0)) for phrase in phrases.split(", ")]
    for kind, levels in _WEATHER.items():
        for phrases, amount in levels:
            rows += [(tuple(phrase.split()), ("weather", kind, amount)) for phrase in phrases.split(", ")]
    return tuple(sorted(rows, key=lambda row: (-len(row[0]), row[0][0].endswith("*"))))
