"""A town's lights: rows of towers in haze, and cars that pass at their feet."""

from __future__ import annotations

from typing import Any

import numpy as np

from videogen.engines.procedural.bands import Span, clip
from videogen.engines.procedural.camera import Moment
from videogen.engines.procedural.layer import SKYLINE, Layer, World
from videogen.engines.procedural.layers.skyline import Row, draw_row
from videogen.engines.procedural.noise import F32
from videogen.engines.procedural.palette import TINTS, Rgb, column, mix, scale, tint
from videogen.engines.procedural.splat import splat
from videogen.engines.procedural.strip import Backdrop, Strip, strip_of

# Depth, tallest, width, share of lit windows, share with signs.
_ROWS = ((0.0, 0.56, 0.052, 0.34, 0.12), (0.45, 0.47, 0.070, 0.36, 0.36), (1.0, 0.27, 0.092, 0.38, 0.62))
_NEON: tuple[Rgb, ...] = ((1.0, 0.12, 0.50), (0.08, 0.75, 1.0), (0.55, 0.16, 1.0), (1.0, 0.45, 0.08))
_CARS = 26


def glow_of(world: World, colors: tuple[str, ...]) -> Rgb:
    """Colour of the haze over the town."""
    if not world.air.is_night:
        return world.air.haze
    base = (0.30, 0.075, 0.25) if world.air.name == "night" else (0.34, 0.16, 0.20)
    if world.shot.style not in ("", "neon") and not colors:
        base = mix(base, (0.16, 0.12, 0.13), 0.6)
    return tint(base, colors, 0.7)


def towers(world: World, colors: tuple[str, ...], busy: float) -> list[Layer]:
    """Rows of towers from far to near. `busy`, 0..1, tells how many windows are lit."""
    frame, air, rng = world.frame, world.air, world.rng("city")
    columns = frame.width + 2 * world.margin
    centre = float(rng.uniform(0.25, 0.75))
    room = min(1.25, frame.horizon / frame.unit / 0.68)
    glow = glow_of(world, colors)
    neon = tuple(TINTS[name] for name in colors) * 2 + (_NEON[:1] if colors else _NEON)
    found: list[Layer] = []
    for depth, tallest, wide, windows, often in _ROWS:
        signs = often if air.is_night else 0.0
        if air.is_night:
            body, share = mix((0.030, 0.034, 0.068), (0.016, 0.018, 0.036), depth), windows * (0.75 + 0.5 * busy)
        else:
            body, share = air.lit((0.30, 0.31, 0.34), 0.4), 0.85
        row = Row(depth, tallest * room * rng.uniform(0.92, 1.1), wide, body, min(1.0, share), signs, neon, centre)
        if not air.is_night:
            row = Row(**{**vars(row), "glass": tuple(scale(air.hour.zenith, f) for f in (0.35, 0.6, 1.0))})
        strip = _hazy(world, draw_row(frame, row, columns, rng), depth, glow)
        found.append(Backdrop(world, strip, frame.horizon, 0.25 + 0.45 * depth, SKYLINE + depth))
    return found


def _hazy(world: World, strip: Strip, depth: float, glow: Rgb) -> Strip:
    """The strip behind its share of the town's haze, which is densest at the ground."""
    rows = strip.size[0]
    above = (np.arange(rows, 0, -1, dtype=np.float32)[:, None] - np.float32(0.5)) / np.float32(world.frame.unit)
    share = (0.55 - 0.42 * depth) * np.exp(-above / np.float32(0.15)) + 0.12 * (1 - depth)
    share = np.minimum(share + np.float32(0.3 * world.air.fog * (1 - 0.6 * depth)), 0.95)
    light = strip.light + (column(scale(glow, 0.85)) * strip.cover - strip.light) * share
    return strip_of(light.astype(np.float32), strip.cover)


class TownGlow(Layer):
    """The town's light in the air over it, by night."""

    order = SKYLINE - 1

    def __init__(self, world: World, glow: Rgb) -> None:
        frame = world.frame
        self._horizon = frame.horizon
        height = frame.rows(0, frame.horizon)
        fade = np.exp(-np.maximum(height, 0) / np.float32(0.20))
        self._light = column(glow) * fade[None, :, None]

    def paint(self, canvas: F32, span: Span, moment: Moment, ready: Any) -> None:
        """See `Layer.paint`."""
        first, last = clip(span, (0, self._horizon))
        if first < last:
            canvas[:, first:last] += self._light[:, first:last]


class Cars(Layer):
    """Head and tail lights along the horizon."""

    order = SKYLINE + 2

    def __init__(self, world: World) -> None:
        self._world = world
        self._cars = world.rng("cars").random((4, _CARS)).astype(np.float32)
        self._low = world.frame.horizon - int(world.frame.unit * 0.04)

    def prepare(self, moment: Moment, canvas: F32) -> Any:
        """White and red light, float32 (2, rows, W), over the last rows before the horizon."""
        frame, cars = self._world.frame, self._cars
        width = frame.half_width * 2 + 0.4
        side = np.where(cars[3] < 0.5, -1.0, 1.0)
        laps = np.array([self._world.rate(float(v)) for v in (0.05 + 0.06 * cars[2]) / width])
        x = np.mod(cars[0] + side * laps * moment.t, 1) * width - width / 2 - moment.shift(0.7)
        place = (x * frame.unit + frame.width / 2).astype(np.float32)
        y = (frame.horizon - self._low) - (0.004 + 0.008 * cars[1]) * np.float32(frame.unit)
        planes = np.zeros((2, frame.horizon - self._low, frame.width), np.float32)
        for plane, chosen in zip(planes, (side > 0, side < 0), strict=True):
            bright = np.where(chosen, 0.6 + 0.6 * cars[2], 0).astype(np.float32)
            for offset in (0.0, 0.011):
                lamp = place + np.float32(offset * frame.unit)
                splat(plane, lamp, y, max(0.9, frame.unit * 0.0035), bright)
        return planes

    def paint(self, canvas: F32, span: Span, moment: Moment, ready: Any) -> None:
        """See `Layer.paint`."""
        first, last = clip(span, (self._low, self._world.frame.horizon))
        if first < last:
            for plane, color in zip(ready, ((2.6, 2.2, 1.6), (2.4, 0.25, 0.10)), strict=True):
                canvas[:, first:last] += plane[first - self._low : last - self._low] * column(color)
