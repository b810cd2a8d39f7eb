"""Body plans of animals and people that walk: tapered limbs. Unit of length: height of the shoulder (person: whole
height)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

Point: TypeAlias = tuple[float, float]
Circle: TypeAlias = tuple[float, float, float]  # x (forward, to the right), y (up), radius
Chain: TypeAlias = list[Circle]


@dataclass(frozen=True)
class Leg:
    """A leg or an arm. `upper`, `lower`: lengths. `radii`: hip, knee, foot. `phase`: offset in the step cycle, 0..1.
    `bend`: direction and amount of the knee's bend. `far`: on the far side of the body."""

    hip: Point
    upper: float
    lower: float
    radii: tuple[float, float, float]
    phase: float
    bend: float
    far: bool = False


@dataclass(frozen=True)
class Body:
    """The body plan of a walking animal. `chains`: rigid parts; `tail`: part that swings. `box`: left, right and top of
    the figure's area."""

    chains: tuple[Chain, ...]
    legs: tuple[Leg, ...]
    tail: tuple[Circle, ...]
    box: tuple[float, float, float]
    swing: float = 0.42  # amplitude of the legs, in radians
    wag: float = 0.15
    bob: float = 0.012


def _four_legs(
    hips: tuple[float, float], height: float, radii: tuple[float, float, float], fraction: float
) -> tuple[Leg, ...]:
    """Two hind legs and two fore legs. `hips`: x of hind and fore hips. `fraction`: length of the upper leg divided by
    the height."""
    upper, lower = height * fraction, height * (1 - fraction)
    legs = []
    for far in (True, False):
        lag = 0.5 if far else 0.0
        for index, (x, bend) in enumerate(zip(hips, (0.9, -0.7), strict=True)):
            legs.append(Leg((x, height), upper, lower, radii, (lag + 0.25 * index) % 1, bend, far))
    return tuple(legs)


BODIES: Final[Mapping[str, Body]] = {
    "horse": Body(
        (
            [(-0.52, 1.00, 0.27), (-0.10, 0.97, 0.25), (0.40, 1.02, 0.27)],
            [(0.48, 1.10, 0.22), (0.74, 1.46, 0.14), (0.84, 1.62, 0.11)],
            [(0.84, 1.62, 0.115), (1.02, 1.50, 0.085), (1.16, 1.38, 0.062)],
            [(0.82, 1.68, 0.04), (0.84, 1.80, 0.012)],
            [(0.40, 1.28, 0.07), (0.58, 1.50, 0.08), (0.74, 1.70, 0.05)],
        ),
        _four_legs((-0.56, 0.46), 0.92, (0.135, 0.062, 0.042), 0.52),
        ((-0.74, 1.14, 0.06), (-0.92, 0.98, 0.075), (-0.98, 0.62, 0.05), (-0.96, 0.42, 0.015)),
        (-1.35, 1.35, 1.95), 0.45, 0.10, 0.02,
    ),
    "deer": Body(
        (
            [(-0.42, 1.00, 0.20), (-0.05, 0.98, 0.19), (0.34, 1.02, 0.20)],
            [(0.40, 1.10, 0.15), (0.58, 1.40, 0.085), (0.64, 1.54, 0.075)],
            [(0.63, 1.55, 0.085), (0.78, 1.49, 0.058), (0.88, 1.44, 0.040)],
            [(0.58, 1.60, 0.03), (0.48, 1.70, 0.035), (0.42, 1.75, 0.008)],
            [(0.62, 1.62, 0.020), (0.56, 1.84, 0.018), (0.66, 2.06, 0.012)],
            [(0.57, 1.80, 0.015), (0.72, 1.92, 0.010)],
            [(0.59, 1.94, 0.014), (0.50, 2.10, 0.009)],
            [(0.66, 1.62, 0.018), (0.74, 1.84, 0.016), (0.86, 2.02, 0.010)],
            [(0.74, 1.84, 0.014), (0.84, 1.88, 0.008)],
        ),
        _four_legs((-0.44, 0.36), 0.94, (0.105, 0.042, 0.028), 0.50),
        ((-0.58, 1.10, 0.05), (-0.66, 1.02, 0.045), (-0.68, 0.92, 0.02)),
        (-1.08, 1.10, 2.25), 0.42, 0.10, 0.014,
    ),
    "dog": Body(
        (
            [(-0.55, 0.98, 0.25), (-0.10, 1.00, 0.24), (0.40, 1.02, 0.29)],
            [(0.48, 1.14, 0.22), (0.72, 1.42, 0.18)],
            [(0.74, 1.44, 0.20), (0.95, 1.38, 0.11), (1.12, 1.34, 0.075)],
            [(0.62, 1.58, 0.07), (0.55, 1.44, 0.075), (0.54, 1.28, 0.03)],
        ),
        _four_legs((-0.58, 0.44), 0.86, (0.15, 0.075, 0.06), 0.50),
        ((-0.76, 1.12, 0.07), (-0.98, 1.26, 0.06), (-1.10, 1.48, 0.045), (-1.08, 1.62, 0.02)),
        (-1.40, 1.30, 2.05), 0.46, 0.35, 0.02,
    ),
    "cat": Body(
        (
            [(-0.62, 0.86, 0.25), (-0.10, 0.92, 0.22), (0.42, 0.86, 0.23)],
            [(0.50, 0.96, 0.18), (0.66, 1.14, 0.17)],
            [(0.72, 1.20, 0.205), (0.86, 1.14, 0.12)],
            [(0.60, 1.30, 0.07), (0.58, 1.46, 0.012)],
            [(0.80, 1.32, 0.07), (0.84, 1.47, 0.012)],
        ),
        _four_legs((-0.64, 0.48), 0.72, (0.14, 0.075, 0.06), 0.52),
        ((-0.84, 0.98, 0.06), (-1.12, 1.00, 0.055), (-1.30, 1.22, 0.052), (-1.26, 1.48, 0.045), (-1.14, 1.56, 0.02)),
        (-1.55, 1.15, 1.95), 0.40, 0.20, 0.012,
    ),
    "person": Body(
        (
            [(0.0, 0.52, 0.068), (0.005, 0.66, 0.070), (0.012, 0.78, 0.082)],
            [(0.015, 0.80, 0.035), (0.022, 0.865, 0.032)],
            [(0.028, 0.925, 0.062), (0.036, 0.908, 0.052)],
        ),
        (
            Leg((-0.01, 0.53), 0.25, 0.26, (0.058, 0.040, 0.024), 0.5, 0.8, True),
            Leg((0.01, 0.53), 0.25, 0.26, (0.060, 0.042, 0.025), 0.0, 0.8),
            Leg((0.0, 0.79), 0.17, 0.16, (0.034, 0.026, 0.018), 0.0, -0.5, True),
            Leg((0.02, 0.79), 0.17, 0.16, (0.036, 0.027, 0.018), 0.5, -0.5),
        ),
        (),
        (-0.42, 0.42, 1.02), 0.48, 0.0, 0.010,
    ),
}  # fmt: skip
