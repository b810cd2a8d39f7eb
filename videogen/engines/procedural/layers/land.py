"""Open ground in perspective: snow, sand, grass, earth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from videogen.engines.procedural.bands import Span, clip
from videogen.engines.procedural.camera import Moment
from videogen.engines.procedural.layer import GROUND, Layer, World
from videogen.engines.procedural.layers.sky import haze
from videogen.engines.procedural.noise import F32, smooth, spectral, tap_rows, tile
from videogen.engines.procedural.palette import Rgb, column


@dataclass(frozen=True)
class Soil:
    """`dark` and `light` are the surface's colours between which it varies; `stretch` above 1 draws its texture out
    across; `relief` scales the contrast; `fineness` how small its features are."""

    dark: Rgb
    light: Rgb
    stretch: float = 0.5
    relief: float = 1.0
    fineness: float = 1.0
    sunlit: float = 0.5
    veil: float = 0.85  # of haze at the horizon


class Land(Layer):
    """Painted from the horizon down, paler towards it."""

    order = GROUND

    def __init__(self, world: World, soil: Soil) -> None:
        self._world, self._soil = world, soil
        self._drifts = (tile(spectral(512, 2.7, world.rng("land"), (2, 200), soil.stretch)),)
        self._dark = column(world.air.lit(soil.dark, soil.sunlit))
        self._light = column(world.air.lit(soil.light, soil.sunlit))

    def prepare(self, moment: Moment, canvas: F32) -> Any:
        """The colour of the air at the horizon, float32 (3, 1, W)."""
        return haze(self._world, moment)

    def paint(self, canvas: F32, span: Span, moment: Moment, ready: Any) -> None:
        """See `Layer.paint`."""
        frame, soil = self._world.frame, self._soil
        first, last = clip(span, (frame.horizon, frame.height))
        if first >= last:
            return
        drop = -frame.rows(first, last)
        far = 1 / (drop + np.float32(0.05))
        ground = (frame.columns() + np.float32(moment.shift(0.9))) * far[:, None] * np.float32(9 * soil.fineness)
        depth = far * np.float32(20 * soil.fineness) + np.float32(3 * moment.travel)
        (drift,) = tap_rows(self._drifts, ground, depth)
        (fine,) = tap_rows(self._drifts, ground * 4.7, depth * 4.1)
        fade = (smooth(0.0, 0.07, drop) * np.float32(soil.relief))[:, None]
        drift *= fade * np.float32(0.20)
        drift += fine * (fade * np.float32(0.10))
        drift += np.float32(0.5)
        np.clip(drift, 0, 1, out=drift)
        near = (np.float32(0.62) + np.float32(0.38) * smooth(0.0, 0.20, drop))[:, None]
        veil = np.exp(-drop / np.float32(0.045))[:, None] * np.float32(soil.veil)
        for channel in range(3):
            light = self._dark[channel] + (self._light[channel] - self._dark[channel]) * drift
            light *= near
            light += (ready[channel] - light) * veil
            canvas[channel, first:last] = light
