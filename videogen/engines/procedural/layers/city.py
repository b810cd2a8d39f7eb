"""A city: rows of towers in haze, their glow, and cars."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from videogen.engines.procedural.camera import FrameState
from videogen.engines.procedural.layer import SKYLINE, Layer, World
from videogen.engines.procedural.layers.buildings import BuildingRow, draw_buildings
from videogen.engines.procedural.noise import F32
from videogen.engines.procedural.palette import TINTS, Rgb, as_planes, mix, scale, tint
from videogen.engines.procedural.particles import add_dots
from videogen.engines.procedural.row_bands import Span, intersect
from videogen.engines.procedural.sprite import ParallaxLayer, Sprite, premultiplied_sprite

# Depth, height and width (picture units), fraction of lit windows, fraction with signs.
_ROWS = ((0.0, 0.56, 0.052, 0.34, 0.12), (0.45, 0.47, 0.070, 0.36, 0.36), (1.0, 0.27, 0.092, 0.38, 0.62))
_NEON: tuple[Rgb, ...] = ((1.0, 0.12, 0.50), (0.08, 0.75, 1.0), (0.55, 0.16, 1.0), (1.0, 0.45, 0.08))
_CARS = 26


def glow_color(world: World, colors: tuple[str, ...]) -> Rgb:
    """Colour of the haze over the city."""
    if not world.lighting.is_night:
        return world.lighting.haze
    base = (0.30, 0.075, 0.25) if world.lighting.name == "night" else (0.34, 0.16, 0.20)
    if world.shot.style not in ("", "neon") and not colors:
        base = mix(base, (0.16, 0.12, 0.13), 0.6)
    return tint(base, colors, 0.7)


def towers(world: World, colors: tuple[str, ...], activity: float) -> list[Layer]:
    """Rows of towers from far to near. `activity`, 0..1, decides how many windows are lit."""
    viewport, lighting, rng = world.viewport, world.lighting, world.rng("city")
    columns = world.layer_width
    centre = float(rng.uniform(0.25, 0.75))
    height_factor = min(1.25, viewport.horizon / viewport.unit / 0.68)
    glow = glow_color(world, colors)
    neon = tuple(TINTS[name] for name in colors) * 2 + (_NEON[:1] if colors else _NEON)
    layers: list[Layer] = []
    for depth, tallest, width, windows, sign_fraction in _ROWS:
        signs = sign_fraction if lighting.is_night else 0.0
        if lighting.is_night:
            body, fraction = mix((0.030, 0.034, 0.068), (0.016, 0.018, 0.036), depth), windows * (0.75 + 0.5 * activity)
        else:
            body, fraction = lighting.lit((0.30, 0.31, 0.34), 0.4), 0.85
        height = tallest * height_factor * rng.uniform(0.92, 1.1)
        row = BuildingRow(depth, height, width, body, min(1.0, fraction), signs, neon, centre)
        if not lighting.is_night:
            row = replace(row, glass=tuple(scale(lighting.hour.zenith, f) for f in (0.35, 0.6, 1.0)))
        sprite = _with_haze(world, draw_buildings(viewport, row, columns, rng), depth, glow)
        layers.append(ParallaxLayer(world, sprite, viewport.horizon, 0.25 + 0.45 * depth, SKYLINE + depth))
    return layers


def _with_haze(world: World, sprite: Sprite, depth: float, glow: Rgb) -> Sprite:
    """The sprite behind the haze of the city, which is densest at the ground."""
    rows = sprite.size[0]
    above = (np.arange(rows, 0, -1, dtype=np.float32)[:, None] - np.float32(0.5)) / np.float32(world.viewport.unit)
    fraction = (0.55 - 0.42 * depth) * np.exp(-above / np.float32(0.15)) + 0.12 * (1 - depth)
    fraction = np.minimum(fraction + np.float32(0.3 * world.lighting.fog * (1 - 0.6 * depth)), 0.95)
    light = sprite.light + (as_planes(scale(glow, 0.85)) * sprite.alpha - sprite.light) * fraction
    return premultiplied_sprite(light.astype(np.float32), sprite.alpha)


class TownGlow(Layer):
    """The light of the city in the air above it, at night."""

    order = SKYLINE - 1

    def __init__(self, world: World, glow: Rgb) -> None:
        viewport = world.viewport
        self._horizon = viewport.horizon
        height = viewport.rows(0, viewport.horizon)
        fade = np.exp(-np.maximum(height, 0) / np.float32(0.20))
        self._light = as_planes(glow) * fade[None, :, None]

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        first, last = intersect(span, (0, self._horizon))
        if first < last:
            canvas[:, first:last] += self._light[:, first:last]


class Cars(Layer):
    """Head lights and tail lights along the horizon."""

    order = SKYLINE + 2

    def __init__(self, world: World) -> None:
        self._world = world
        self._cars = world.rng("cars").random((4, _CARS)).astype(np.float32)
        self._low = world.viewport.horizon - int(world.viewport.unit * 0.04)

    def prepare(self, state: FrameState, canvas: F32) -> Any:
        """White and red light, float32 (2, rows, W), for the last rows above the horizon."""
        viewport, cars = self._world.viewport, self._cars
        width = viewport.half_width * 2 + 0.4
        side = np.where(cars[3] < 0.5, -1.0, 1.0)
        laps = np.array([self._world.rate(float(v)) for v in (0.05 + 0.06 * cars[2]) / width])
        x = np.mod(cars[0] + side * laps * state.t, 1) * width - width / 2 - state.parallax(0.7)
        position = (x * viewport.unit + viewport.width / 2).astype(np.float32)
        y = (viewport.horizon - self._low) - (0.004 + 0.008 * cars[1]) * np.float32(viewport.unit)
        planes = np.zeros((2, viewport.horizon - self._low, viewport.width), np.float32)
        for plane, chosen in zip(planes, (side > 0, side < 0), strict=True):
            bright = np.where(chosen, 0.6 + 0.6 * cars[2], 0).astype(np.float32)
            for offset in (0.0, 0.011):
                lamp = position + np.float32(offset * viewport.unit)
                add_dots(plane, lamp, y, max(0.9, viewport.unit * 0.0035), bright)
        return planes

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        first, last = intersect(span, (self._low, self._world.viewport.horizon))
        if first < last:
            for plane, color in zip(prepared, ((2.6, 2.2, 1.6), (2.4, 0.25, 0.10)), strict=True):
                canvas[:, first:last] += plane[first - self._low : last - self._low] * as_planes(color)
