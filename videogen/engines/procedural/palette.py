"""Colours as linear light: the sky at each hour of the day, and the values of colour words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from videogen.engines.procedural.noise import F32

Rgb: TypeAlias = tuple[float, float, float]


@dataclass(frozen=True)
class Hour:
    """Light at one time of day. `low`, `high`: range of the sun's (or moon's) height, in picture units."""

    near: Rgb  # horizon below the sun
    away: Rgb  # horizon far from the sun
    middle: Rgb
    zenith: Rgb
    sun: Rgb
    disc: float  # brightness of the disc; 0 hides it
    radius: float
    halo: float
    cloud_lit: Rgb
    cloud_dark: Rgb
    water: Rgb
    glitter: float
    low: float
    high: float
    exposure: float = 1.0
    stars: float = 0.0
    strength: float = 1.0  # of the sun's or moon's light on the ground


HOURS: Mapping[str, Hour] = {
    "sunset": Hour(
        (1.15, 0.40, 0.10), (0.50, 0.20, 0.17), (0.34, 0.19, 0.30), (0.055, 0.085, 0.24), (1.0, 0.55, 0.20), 14.0,
        0.043, 1.0, (1.15, 0.46, 0.22), (0.17, 0.11, 0.20), (0.010, 0.026, 0.052), 1.0,
        0.03, 0.13, 1.0, 0.0, 0.7,
    ),
    "sunrise": Hour(
        (1.20, 0.56, 0.22), (0.56, 0.34, 0.28), (0.42, 0.33, 0.42), (0.10, 0.17, 0.38), (1.0, 0.62, 0.28), 14.0,
        0.043, 1.0, (1.18, 0.62, 0.38), (0.23, 0.18, 0.27), (0.012, 0.034, 0.058), 0.95,
        0.03, 0.12, 1.0, 0.0, 0.8,
    ),
    "gold": Hour(
        (1.20, 0.66, 0.26), (0.62, 0.45, 0.34), (0.44, 0.42, 0.46), (0.11, 0.20, 0.42), (1.0, 0.72, 0.34), 15.0,
        0.045, 1.1, (1.25, 0.82, 0.45), (0.30, 0.23, 0.24), (0.018, 0.034, 0.046), 1.1,
        0.11, 0.20, 1.0, 0.0, 1.15,
    ),
    "dawn": Hour(
        (1.00, 0.50, 0.36), (0.46, 0.34, 0.42), (0.40, 0.36, 0.52), (0.15, 0.22, 0.44), (1.0, 0.66, 0.46), 10.0,
        0.040, 0.8, (1.05, 0.62, 0.55), (0.27, 0.25, 0.38), (0.014, 0.038, 0.062), 0.8,
        0.03, 0.10, 1.0, 0.0, 0.6,
    ),
    "noon": Hour(
        (0.62, 0.78, 0.92), (0.50, 0.70, 0.92), (0.20, 0.42, 0.80), (0.055, 0.19, 0.56), (1.0, 0.96, 0.86), 0.0,
        0.05, 0.35, (1.12, 1.12, 1.10), (0.52, 0.60, 0.72), (0.004, 0.075, 0.115), 0.42,
        0.62, 0.85, 0.92, 0.0, 0.95,
    ),
    "twilight": Hour(
        (0.42, 0.22, 0.26), (0.12, 0.14, 0.26), (0.085, 0.115, 0.27), (0.014, 0.030, 0.105), (0.9, 0.5, 0.4), 0.0,
        0.04, 0.30, (0.34, 0.22, 0.30), (0.045, 0.058, 0.115), (0.005, 0.014, 0.034), 0.25,
        0.005, 0.02, 1.35, 0.5, 0.12,
    ),
    "night": Hour(
        (0.060, 0.088, 0.150), (0.026, 0.042, 0.085), (0.016, 0.030, 0.070), (0.005, 0.010, 0.030),
        (0.72, 0.84, 1.0), 0.0, 0.040, 0.20, (0.15, 0.19, 0.27), (0.014, 0.020, 0.038),
        (0.002, 0.006, 0.014), 0.42, 0.20, 0.34, 1.25, 1.0, 0.10,
    ),
}  # fmt: skip

TINTS: Mapping[str, Rgb] = {
    "red": (1.0, 0.10, 0.08),
    "orange": (1.0, 0.42, 0.08),
    "gold": (1.0, 0.68, 0.18),
    "green": (0.14, 0.90, 0.36),
    "teal": (0.08, 0.80, 0.70),
    "cyan": (0.10, 0.80, 1.0),
    "blue": (0.12, 0.30, 1.0),
    "violet": (0.48, 0.18, 1.0),
    "pink": (1.0, 0.22, 0.60),
    "white": (0.85, 0.88, 0.92),
    "yellow": (1.0, 0.84, 0.16),
    "grey": (0.36, 0.38, 0.42),
    "black": (0.030, 0.030, 0.036),
    "brown": (0.36, 0.18, 0.075),
}


def as_planes(color: Rgb) -> F32:
    """The colour as float32 (3, 1, 1), to broadcast over planes."""
    return np.array(color, np.float32)[:, None, None]


def mix(a: Rgb, b: Rgb, fraction: float) -> Rgb:
    """Linear interpolation: a at `fraction` 0, b at 1."""
    return (a[0] + (b[0] - a[0]) * fraction, a[1] + (b[1] - a[1]) * fraction, a[2] + (b[2] - a[2]) * fraction)


def scale(color: Rgb, factor: float) -> Rgb:
    """The colour multiplied by a factor."""
    return (color[0] * factor, color[1] * factor, color[2] * factor)


def luminance(color: Rgb) -> float:
    """Perceived brightness of a colour."""
    return 0.25 * color[0] + 0.60 * color[1] + 0.15 * color[2]


def recolor(color: Rgb, target: Rgb, fraction: float) -> Rgb:
    """The colour mixed with `target`, without a change of brightness."""
    return mix(color, scale(target, luminance(color) / luminance(target)), fraction)


def tint(color: Rgb, words: Sequence[str], fraction: float = 0.55) -> Rgb:
    """The colour mixed with the first colour word; unchanged if there is none."""
    return recolor(color, TINTS[words[0]], fraction) if words else color
