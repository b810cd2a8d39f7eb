"""Dunes: long crests with a soft windward side and a steep lee, and sand that the wind carries over them."""

from __future__ import annotations

from typing import Any

import numpy as np

from videogen.engines.procedural.bands import Span, clip
from videogen.engines.procedural.camera import Moment
from videogen.engines.procedural.layer import GROUND, NEAR, Layer, World
from videogen.engines.procedural.noise import F32, smooth, spectral, tap, tile
from videogen.engines.procedural.palette import Rgb, column, scale
from videogen.engines.procedural.resample import double
from videogen.engines.procedural.strip import Backdrop
from videogen.engines.procedural.terrain import Ground, bake


def dunes(world: World, sand: Rgb) -> list[Layer]:
    """Sand of one colour to the horizon."""
    rng = world.rng("dunes")
    broad, ripple = tile(spectral(512, 3.6, rng, (2, 40), 0.8)), tile(spectral(512, 2.0, rng, (40, 150), 0.30))
    origin = rng.uniform(0, 512, 4).astype(np.float32)
    # The lee sides turn away from the sun: that is what shows the crests.
    swing = float(rng.uniform(0.7, 1.1)) * (-1 if world.air.sun[0] > 0 else 1)

    def height(x: F32, z: F32) -> F32:
        bend = tap(broad, x * np.float32(0.75) + origin[0], z * np.float32(0.75) + origin[1])
        along = (z * np.float32(0.8) + x * np.float32(swing)) * np.float32(1 / 58.0) + bend * np.float32(0.30)
        # A crest leans: it rises slowly and falls fast.
        phase = along - np.floor(along)
        crest = np.where(phase < 0.72, phase / np.float32(0.72), (1 - phase) / np.float32(0.28))
        crest = crest * crest * (np.float32(2.2) - np.float32(1.2) * crest)
        swell = tap(broad, x * np.float32(0.35) + origin[2], z * np.float32(0.35) + origin[3])
        size = np.float32(6.0) + np.float32(3.0) * np.clip(swell, -1.2, 2)
        return np.asarray(crest * size * smooth(8.0, 50.0, z) + swell * np.float32(0.8), np.float32)

    dark, bright = column(world.air.lit(scale(sand, 0.62), 0.02)), column(world.air.lit(sand, 0.95))

    def paint(x: F32, z: F32, light: F32) -> F32:
        grain = tap(ripple, x * np.float32(20), z * np.float32(20) + x * np.float32(7))
        near = np.exp(-z * np.float32(1 / 30))
        lit = np.clip(smooth(0.30, 0.95, light) + grain * near * np.float32(0.10), 0, 1.05)
        return np.asarray(dark + (bright - dark) * lit, np.float32)

    strip, bottom = bake(world, Ground(height, paint, 17.0, 14.0, 1400.0, 700.0))
    return [Backdrop(world, strip, bottom, 0.6, GROUND), Drift(world, sand)]


class Drift(Layer):
    """Veils of sand that stream low over the ground."""

    order = NEAR

    def __init__(self, world: World, sand: Rgb) -> None:
        self._world = world
        rng = world.rng("drift")
        self._noise = tile(spectral(256, 2.8, rng, (3, 60), 3.5))
        self._color = column(world.air.lit(scale(sand, 0.9), 0.7))
        self._way = 1.0 if rng.random() < 0.5 else -1.0

    def prepare(self, moment: Moment, canvas: F32) -> Any:
        """How thick the veils are at half size, float32 (1, rows, W / 2), under the horizon."""
        frame = self._world.frame
        rows = (frame.height - frame.horizon) // 2
        drop = -frame.rows(frame.horizon // 2, frame.horizon // 2 + rows, 2)
        far = 1 / (drop + np.float32(0.16))
        x = frame.columns(2) + np.float32(moment.shift(0.8))
        u = x * far[:, None] * np.float32(16) - np.float32(self._way * 46 * moment.t)
        v = np.broadcast_to((far * np.float32(60))[:, None], u.shape)
        stream = tap(self._noise, u, v) + tap(self._noise, u * np.float32(1.9) - np.float32(30 * moment.t), v) * 0.5
        thick = smooth(0.5, 2.6, stream) * (smooth(0.0, 0.05, drop) * (1 - smooth(0.12, 0.42, drop)))[:, None]
        return np.ascontiguousarray(thick[None] * np.float32(0.42), np.float32)

    def paint(self, canvas: F32, span: Span, moment: Moment, ready: Any) -> None:
        """See `Layer.paint`."""
        frame = self._world.frame
        first, last = clip(span, (frame.horizon, frame.horizon + 2 * ready.shape[1]))
        if first < last:
            thick = double(ready, (first - frame.horizon, last - frame.horizon), frame.width)
            area = canvas[:, first:last]
            area += (self._color - area) * thick
