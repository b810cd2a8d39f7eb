"""The lighting of a shot, from hour, weather, season and palette. All layers take their colours from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from videogen.engines.procedural.language import ShotSpec
from videogen.engines.procedural.palette import HOURS, TINTS, Hour, Rgb, luminance, mix, recolor, scale

_HOUR_OF: Final[Mapping[str, str]] = {
    "dawn": "dawn", "sunrise": "sunrise", "day": "noon", "golden hour": "gold", "sunset": "sunset",
    "dusk": "twilight", "night": "night",
}  # fmt: skip
_SKY_COLORS: Final = ("near", "away", "middle", "zenith", "cloud_lit", "cloud_dark", "water")


@dataclass(frozen=True)
class Lighting:
    """Light and colours of a shot. `sun`: position of sun or moon (x, height over the horizon), picture units.

    `wet`, `overcast`, `fog`: 0..1. `ambient`: light from all directions. `key`: light from the sun or moon."""

    name: str
    hour: Hour
    sun: tuple[float, float]
    overcast: float
    wet: float
    fog: float
    season: str
    ambient: Rgb
    key: Rgb

    @property
    def is_night(self) -> bool:
        """Whether lamps are on."""
        return self.name in ("night", "twilight")

    @property
    def haze(self) -> Rgb:
        """Colour of the haze at the horizon."""
        return mix(self.hour.near, self.hour.away, 0.55)

    def hazed(self, color: Rgb, fraction: float) -> Rgb:
        """The colour behind haze of this opacity, 0..1."""
        return mix(color, self.haze, fraction)

    def lit(self, albedo: Rgb, sunlit: float = 0.5) -> Rgb:
        """Light that a surface of this colour reflects. `sunlit`: how directly the key light meets it, 0..1."""
        red, green, blue = (
            a * (self.ambient[c] + self.key[c] * sunlit * (1 - 0.85 * self.overcast)) for c, a in enumerate(albedo)
        )
        return red, green, blue


def build_lighting(shot: ShotSpec, default: str, sun_position: tuple[float, float]) -> Lighting:
    """The lighting of a shot. `default`: the hour if the shot has none.

    `sun_position`: in the range of the sun, (-1..1 across, 0..1 up); 1 across is the edge of the picture."""
    name = _HOUR_OF.get(shot.time, default)
    hour = HOURS[name]
    wet, snow = shot.amount("rain"), shot.amount("snow")
    storm = shot.amount("lightning")
    overcast = max(0.92 * min(1.0, wet * 2.2), 0.85 * min(1.0, snow * 2.0), 0.9 * min(1.0, storm * 1.6))
    overcast = max(overcast, (shot.amount("clouds") - 0.6) * 1.2)
    if shot.mood in ("gloomy", "eerie"):
        overcast = max(overcast, 0.6)
    if "clouds" in shot.without:
        overcast *= 0.5
    hour = _with_overcast(hour, overcast)
    hour = _with_mood(hour, shot)
    fog = max(shot.amount("fog"), 0.4 if shot.mood == "mysterious" and "fog" not in shot.without else 0.0)
    height = hour.low + (hour.high - hour.low) * sun_position[1]
    ambient, key = _ambient_and_key(hour)
    return Lighting(name, hour, (sun_position[0], height), overcast, wet, fog, shot.season, ambient, key)


def _with_overcast(hour: Hour, amount: float) -> Hour:
    """The hour under an overcast sky: grey and even, with a weaker sun."""
    if amount <= 0:
        return hour
    changes: dict[str, Any] = {}
    for name in _SKY_COLORS:
        color: Rgb = getattr(hour, name)
        grey = luminance(color) * (0.62 if name in ("near", "away") else 0.8)
        changes[name] = mix(color, scale((0.94, 1.0, 1.10), grey), 0.85 * amount)
    dim = 1 - amount
    return replace(
        hour, **changes, disc=hour.disc * dim**2, halo=hour.halo * (1 - 0.8 * amount), glitter=hour.glitter * dim,
        stars=hour.stars * dim**2,
    )  # fmt: skip


def _with_mood(hour: Hour, shot: ShotSpec) -> Hour:
    """The hour in the colours of the palette, or of the mood."""
    fraction = 0.55
    palette: tuple[str, ...] = shot.palette
    if not palette:
        palette, fraction = {
            "romantic": (("pink",), 0.3),
            "eerie": (("green",), 0.3),
            "dreamy": (("violet",), 0.22),
        }.get(shot.mood, ((), 0.0))
    if not palette:
        return hour
    first, last = TINTS[palette[0]], TINTS[palette[-1]]
    changes: dict[str, Any] = {name: recolor(getattr(hour, name), first, fraction) for name in _SKY_COLORS}
    changes["zenith"] = recolor(hour.zenith, last, fraction)
    changes["sun"] = recolor(hour.sun, first, fraction * 0.5)
    return replace(hour, **changes)


def _ambient_and_key(hour: Hour) -> tuple[Rgb, Rgb]:
    """Ambient and key light at the ground."""
    ambient = scale(mix(hour.middle, hour.away, 0.5), 0.9 if luminance(hour.middle) > 0.08 else 1.9)
    return ambient, scale(hour.sun, hour.strength)
