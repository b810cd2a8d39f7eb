"""Flat ground in perspective: snow, sand, grass, earth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from videogen.engines.procedural.camera import FrameState
from videogen.engines.procedural.layer import GROUND, Layer, World
from videogen.engines.procedural.layers.sky import horizon_color
from videogen.engines.procedural.noise import F32, make_texture, sample_rows, smoothstep, spectral_noise
from videogen.engines.procedural.palette import Rgb, as_planes
from videogen.engines.procedural.row_bands import Span, intersect


@dataclass(frozen=True)
class GroundMaterial:
    """`dark`, `light`: the two colours of the surface. `stretch`: above 1, features are longer along x. `relief`:
    contrast. `fineness`: above 1, features are smaller. `sunlit`: as in `Lighting.lit`."""

    dark: Rgb
    light: Rgb
    stretch: float = 0.5
    relief: float = 1.0
    fineness: float = 1.0
    sunlit: float = 0.5
    veil: float = 0.85  # opacity of the haze at the horizon


class Ground(Layer):
    """The ground below the horizon, with haze towards it."""

    order = GROUND

    def __init__(self, world: World, soil: GroundMaterial) -> None:
        self._world, self._soil = world, soil
        self._drifts = (make_texture(spectral_noise(512, 2.7, world.rng("land"), (2, 200), soil.stretch)),)
        self._dark = as_planes(world.lighting.lit(soil.dark, soil.sunlit))
        self._light = as_planes(world.lighting.lit(soil.light, soil.sunlit))

    def prepare(self, state: FrameState, canvas: F32) -> Any:
        """The colour of the haze at the horizon, float32 (3, 1, W)."""
        return horizon_color(self._world, state)

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        viewport, soil = self._world.viewport, self._soil
        first, last = intersect(span, (viewport.horizon, viewport.height))
        if first >= last:
            return
        below = -viewport.rows(first, last)
        far = 1 / (below + np.float32(0.05))
        ground = (viewport.columns() + np.float32(state.parallax(0.9))) * far[:, None] * np.float32(9 * soil.fineness)
        depth = far * np.float32(20 * soil.fineness) + np.float32(3 * state.travel)
        (drift,) = sample_rows(self._drifts, ground, depth)
        (fine,) = sample_rows(self._drifts, ground * 4.7, depth * 4.1)
        fade = (smoothstep(0.0, 0.07, below) * np.float32(soil.relief))[:, None]
        drift *= fade * np.float32(0.20)
        drift += fine * (fade * np.float32(0.10))
        drift += np.float32(0.5)
        np.clip(drift, 0, 1, out=drift)
        near = (np.float32(0.62) + np.float32(0.38) * smoothstep(0.0, 0.20, below))[:, None]
        veil = np.exp(-below / np.float32(0.045))[:, None] * np.float32(soil.veil)
        for channel in range(3):
            light = self._dark[channel] + (self._light[channel] - self._dark[channel]) * drift
            light *= near
            light += (prepared[channel] - light) * veil
            canvas[channel, first:last] = light
