"""Under water: light that comes from above, sand where it dances, bubbles and motes."""

from __future__ import annotations

from typing import Any

import numpy as np

from videogen.engines.procedural.bands import Span, clip
from videogen.engines.procedural.camera import Moment
from videogen.engines.procedural.layer import FALLING, GROUND, SKY, Layer, World
from videogen.engines.procedural.noise import F32, Tile, smooth, spectral, tap_rows, tile
from videogen.engines.procedural.palette import Rgb, column, mix, scale
from videogen.engines.procedural.resample import double
from videogen.engines.procedural.splat import splat

_SHARE = 0.80  # of the picture's height is open water over the sand's far edge


def caustics(rng: np.random.Generator) -> tuple[Tile, Tile]:
    """Two periodic fields whose sum's zeros are the net that ripples throw on the ground."""
    return tile(spectral(256, 2.8, rng, (4, 22))), tile(spectral(256, 2.8, rng, (4, 22)))


def net(fields: tuple[Tile, Tile], x: F32, y: F32, t: float) -> F32:
    """Bright lines, 0..1, of the net at texel coordinates (rows, columns), y constant along rows."""
    drift = np.float32(7 * t)
    (a,) = tap_rows(fields[:1], x + drift, y + drift * np.float32(0.4))
    (b,) = tap_rows(fields[1:], x - drift * np.float32(0.8), y + drift * np.float32(0.6))
    lines = np.abs(a + b)
    lines *= np.float32(-0.72)
    lines += 1
    np.maximum(lines, 0, out=lines)
    lines *= lines
    lines *= lines
    return np.asarray(lines, np.float32)


class Water(Layer):
    """The open water, bright above and dark below, with the surface seen from beneath."""

    order = SKY

    def __init__(self, world: World, color: Rgb) -> None:
        self._frame = frame = world.frame
        self._fields = caustics(world.rng("surface"))
        self._bright = column(mix(scale(color, 1.5), (0.75, 1.0, 1.0), 0.35))
        down = (np.arange(frame.height // 2, dtype=np.float32) * 2 + 1) / np.float32(frame.unit)
        self._down = down
        high = frame.height / frame.unit
        deep, middle = column(scale(color, 0.085)), column(scale(color, 0.62))
        share = smooth(0.0, 0.95 * high, down)[None, :, None]
        x = frame.columns(2)[None, None] / np.float32(frame.half_width)
        self._plate = (middle + (deep - middle) * np.sqrt(share)) * (1 - np.float32(0.35) * x * x)

    def prepare(self, moment: Moment, canvas: F32) -> Any:
        """The water at half size, float32 (3, H / 2, W / 2)."""
        half = np.array(self._plate)
        # The surface is a ceiling: its waves shrink towards the distance, which is lower in the picture.
        rows = int(np.searchsorted(self._down, 0.34))
        gone = np.float32(0.42) - self._down[:rows]
        far = np.asarray(5 / gone, np.float32)
        x = (self._frame.columns(2) + np.float32(moment.shift(0.5)))[None] * far[:, None] * np.float32(1.9)
        lines = net(self._fields, np.asarray(x, np.float32), far * np.float32(10), moment.t * 0.8)
        glow = lines * (np.float32(1.25) * smooth(0.33, 0.0, self._down[:rows]) ** 2)[:, None]
        half[:, :rows] += glow * self._bright
        return half

    def paint(self, canvas: F32, span: Span, moment: Moment, ready: Any) -> None:
        """See `Layer.paint`."""
        canvas[:, slice(*span)] = double(ready, span, self._frame.width)


class SeaBed(Layer):
    """Sand with ripples, under a net of light, and lost in the blue farther away."""

    order = GROUND

    def __init__(self, world: World, color: Rgb) -> None:
        self._frame = frame = world.frame
        rng = world.rng("bed")
        self._fields = caustics(rng)
        self._sand = (tile(spectral(512, 2.4, rng, (3, 160), 0.5)),)
        self._top = int(frame.height * _SHARE) // 2 * 2
        self._deep = column(scale(color, 0.12))
        self._color = column(mix(scale(color, 0.55), (0.30, 0.30, 0.22), 0.45))
        self._light = column(mix(color, (0.9, 1.0, 0.85), 0.6))

    def paint(self, canvas: F32, span: Span, moment: Moment, ready: Any) -> None:
        """See `Layer.paint`."""
        frame = self._frame
        first, last = clip(span, (self._top, frame.height))
        if first >= last:
            return
        drop = (np.arange(first, last, dtype=np.float32) + np.float32(0.5 - self._top)) / np.float32(frame.unit)
        far = np.asarray(1 / (drop + np.float32(0.10)), np.float32)
        x = (frame.columns() + np.float32(moment.shift(0.9)))[None] * far[:, None]
        (sand,) = tap_rows(self._sand, x * 16, far * np.float32(34))
        light = net(self._fields, x * np.float32(7.5), far * np.float32(24), moment.t)
        # The far edge swells and sinks, and dissolves.
        edge = drop[:, None] + np.float32(0.012) * np.sin(x[:1] * np.float32(0.35) + 1) - np.float32(0.012)
        near = smooth(0.0, 0.17, edge)
        tone = (np.float32(0.62) + sand * np.float32(0.10)) * near
        light *= near * np.float32(0.75)
        for channel in range(3):
            area = canvas[channel, first:last]
            lit = tone * self._color[channel]
            lit += light * self._light[channel] * np.float32(0.55)
            area *= 1 - near
            area += lit


class Motes(Layer):
    """What floats in the water: specks that drift, and bubbles that rise in strings."""

    order = FALLING

    def __init__(self, world: World) -> None:
        self._world = world
        rng = world.rng("motes")
        self._specks = rng.random((5, 240)).astype(np.float32)
        self._bubbles = rng.random((4, 46)).astype(np.float32)
        self._springs = rng.uniform(-0.85, 0.85, 5).astype(np.float32) * np.float32(world.frame.half_width)
        self._rates = np.array([world.rate(float(0.10 + 0.10 * value)) for value in self._bubbles[1]], np.float32)
        self._slow = world.rate(0.12)

    def prepare(self, moment: Moment, canvas: F32) -> Any:
        """Their light, float32 (H, W)."""
        frame = self._world.frame
        plane = np.zeros((frame.height, frame.width), np.float32)
        specks, turn = self._specks, np.float32(2 * np.pi * self._slow * moment.t)
        depth = specks[2]
        x = (specks[0] * 2 - 1) * np.float32(frame.half_width * 1.1) - np.float32(moment.shift(1)) * (0.3 + depth)
        x = x + np.float32(0.03) * np.sin(turn + specks[3] * 6.28) * (0.4 + depth)
        y = specks[1] * frame.height + np.float32(0.02 * frame.unit) * np.cos(turn + specks[4] * 6.28)
        px = x * np.float32(frame.unit) + np.float32(frame.width / 2)
        splat(
            plane,
            px.astype(np.float32),
            y.astype(np.float32),
            max(0.8, frame.unit / 450),
            (0.03 + 0.16 * depth**3).astype(np.float32),
        )
        self._rise(plane, moment)
        return plane

    def _rise(self, plane: F32, moment: Moment) -> None:
        frame, bubbles = self._world.frame, self._bubbles
        age = np.mod(bubbles[0] + self._rates * np.float32(moment.t), 1)
        spring = self._springs[(bubbles[2] * len(self._springs)).astype(np.intp) % len(self._springs)]
        sway = np.sin(age * 22 + bubbles[3] * 6.28) * np.float32(0.012) * (0.3 + age)
        x = (spring + (bubbles[3] - np.float32(0.5)) * 0.05 + sway - np.float32(moment.shift(0.7))) * np.float32(
            frame.unit
        )
        y = frame.height * (1.02 - 1.08 * age)
        for size, chosen in ((0.0032, bubbles[1] < 0.6), (0.0055, bubbles[1] >= 0.6)):
            bright = np.where(chosen, 0.5 * smooth(0.0, 0.1, age) * smooth(1.0, 0.85, age), 0).astype(np.float32)
            # A bubble is a ring: light, less what its middle lets through.
            radius = max(0.9, size * frame.unit)
            middle = (x + np.float32(frame.width / 2)).astype(np.float32)
            splat(plane, middle, y.astype(np.float32), radius, bright)
            splat(
                plane,
                middle,
                (y + radius * 0.3).astype(np.float32),
                radius * 0.6,
                (-0.55 * bright).clip(-1, 0) * -1 * np.float32(0.2),
            )

    def paint(self, canvas: F32, span: Span, moment: Moment, ready: Any) -> None:
        """See `Layer.paint`."""
        canvas[:, slice(*span)] += ready[slice(*span)] * column((0.75, 0.95, 1.0))
