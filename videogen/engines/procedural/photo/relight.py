"""Changes the light of a picture once, before the camera moves: hour, weather, film style."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from videogen.engines.procedural.language import ShotSpec
from videogen.engines.procedural.noise import F32
from videogen.engines.procedural.palette import TINTS, Rgb, luminance


@dataclass(frozen=True)
class Relighting:
    """A change of light. `gain`: factor per channel. `colour`: saturation, 1 is unchanged.

    `keep`: how much light sources keep their brightness (lamps at night), 0..1. `gamma`: contrast, 1 is unchanged.
    `glow`: light that is added to far parts, from above the horizon. `haze`, `air`: opacity (0..1) and colour of the
    haze in front of far parts. `vignette`: how much darker the corners are, 0..1."""

    gain: Rgb = (1.0, 1.0, 1.0)
    colour: float = 1.0
    keep: float = 0.0
    gamma: float = 1.0
    glow: Rgb = (0.0, 0.0, 0.0)
    haze: float = 0.0
    air: Rgb = (0.5, 0.5, 0.5)
    vignette: float = 0.0


UNCHANGED: Final = Relighting()
HOURS: Final[Mapping[str, Relighting]] = {
    "dawn": Relighting((0.80, 0.74, 0.82), 0.85, gamma=0.96, glow=(0.16, 0.08, 0.09), haze=0.30,
                       air=(0.62, 0.47, 0.50)),
    "sunrise": Relighting((1.02, 0.84, 0.72), 0.95, glow=(0.24, 0.12, 0.04), haze=0.18, air=(0.80, 0.52, 0.34)),
    "day": Relighting((1.08, 1.08, 1.06), 1.06),
    "golden hour": Relighting((1.12, 0.92, 0.62), 1.02, glow=(0.22, 0.12, 0.02), haze=0.10,
                              air=(0.90, 0.62, 0.30)),
    "sunset": Relighting((1.02, 0.72, 0.50), 1.0, gamma=1.06, glow=(0.34, 0.13, 0.03), haze=0.16,
                         air=(0.78, 0.36, 0.20), vignette=0.20),
    "dusk": Relighting((0.30, 0.32, 0.50), 0.8, keep=0.35, gamma=1.05, glow=(0.07, 0.04, 0.06), haze=0.12,
                       air=(0.22, 0.20, 0.34), vignette=0.25),
    "night": Relighting((0.105, 0.150, 0.270), 0.55, keep=0.60, gamma=1.12, haze=0.08, air=(0.015, 0.024, 0.055),
                        vignette=0.40),
}  # fmt: skip
_SEPIA: Final[Rgb] = (1.12, 0.96, 0.70)


def relighting_for(shot: ShotSpec) -> Relighting:
    """The change of light that a shot requests."""
    light = HOURS.get(shot.time, UNCHANGED)
    rain, snow, fog = (shot.amount(kind) for kind in ("rain", "snow", "fog"))
    if rain:
        light = _under_clouds(light, (0.72, 0.78, 0.84), 0.75, rain)
    if snow:
        light = _under_clouds(light, (0.90, 0.95, 1.02), 0.75, snow)
    if fog:
        grey = 0.55 * luminance(light.gain)
        light = replace(light, haze=min(1.0, light.haze + 0.75 * fog), air=(grey, grey * 1.02, grey * 1.06))
    if shot.mood in ("gloomy", "mysterious", "eerie"):
        light = _under_clouds(light, (0.70, 0.76, 0.80), 0.6, 1.0)
        light = replace(light, vignette=max(light.vignette, 0.35))
    for colour in shot.palette[:1]:
        tint = TINTS.get(colour)
        if tint is not None:
            fraction = 0.45 / luminance(tint)
            light = replace(light, gain=_multiply(light.gain, tuple(0.55 + fraction * value for value in tint)))
    return _with_film_style(light, shot.style)


def _with_film_style(light: Relighting, style: str) -> Relighting:
    """With the colours of a film style."""
    if style == "film noir":
        return replace(light, colour=0.0, gamma=max(light.gamma, 1.35), vignette=0.5)
    if style == "vintage":
        return replace(light, colour=0.45 * light.colour, gain=_multiply(light.gain, _SEPIA), gamma=0.92, vignette=0.4)
    return light


def _under_clouds(light: Relighting, gain: tuple[float, ...], colour: float, amount: float) -> Relighting:
    """Under an overcast sky. `amount`: 0..1."""
    fraction = min(1.0, 0.4 + amount)
    gain = tuple(1 + (value - 1) * fraction for value in gain)
    return replace(light, gain=_multiply(light.gain, gain), colour=light.colour * (1 + (colour - 1) * fraction))


def _multiply(a: Rgb, b: tuple[float, ...]) -> Rgb:
    return (a[0] * b[0], a[1] * b[1], a[2] * b[2])


def relight(picture: NDArray[np.uint8], depth: F32, light: Relighting, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The picture, uint8 (H, W, 3), under another light. `depth`: float32 (h, w), 0 (far) .. 1 (near).

    Linear light is approximated by the square of a value. Noise hides the steps between levels."""
    if light == UNCHANGED:
        return picture
    height, width = picture.shape[:2]
    far = 1 - np.asarray(Image.fromarray(depth).resize((width, height), Image.Resampling.BILINEAR))
    result = np.empty_like(picture)
    for first in range(0, height, 64):
        rows = slice(first, min(first + 64, height))
        result[rows] = _relit(picture[rows], far[rows], light, first / height, rng)
    return result


def _relit(
    rows: NDArray[np.uint8], far: F32, light: Relighting, down: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    given = np.square(rows.astype(np.float32) / 255)
    bright = given @ np.array((0.30, 0.59, 0.11), np.float32)
    values = bright[..., None] + (given - bright[..., None]) * np.float32(light.colour)
    if light.gamma != 1.0:
        values *= np.power(np.maximum(bright, 1e-4), np.float32(light.gamma - 1))[..., None]
    values *= np.array(light.gain, np.float32)
    if light.keep:
        # Lamps, windows, sun and moon: bright parts that are not blue and not far.
        warm = np.clip((given[..., 0] - 0.6 * given[..., 2]) * 2.2, 0.1, 1)
        shines = np.clip((given.max(axis=-1) - 0.5) * 3, 0, 1) * warm * np.clip(1.2 - far, 0, 1) * light.keep
        values += (given - values) * shines[..., None]
    values += far[..., None] ** 2 * np.array(light.glow, np.float32) * np.float32(max(0.0, 1 - 0.8 * down))
    if light.haze:
        fraction = (far**1.5 * np.float32(light.haze))[..., None]
        values += (np.array(light.air, np.float32) - values) * fraction
    shown = np.sqrt(np.maximum(values, 0)) * 255
    noise = rng.random((2, *shown.shape[:2]), dtype=np.float32)
    shown += (noise[0] - noise[1] + np.float32(0.5))[..., None]
    return np.asarray(np.clip(shown, 0, 255), np.uint8)
