"""A river that winds towards the camera."""

from __future__ import annotations

from typing import Any

import numpy as np

from videogen.engines.procedural.camera import FrameState
from videogen.engines.procedural.layer import GROUND, World
from videogen.engines.procedural.layers.lake import Lake
from videogen.engines.procedural.noise import (
    F32,
    make_texture,
    noise_1d,
    sample_1d,
    sample_rows,
    smoothstep,
    spectral_noise,
)
from videogen.engines.procedural.palette import Rgb, as_planes
from videogen.engines.procedural.row_bands import Span, intersect


class River(Lake):
    """Water between two banks, painted over the land, with ripples and foam."""

    order = GROUND + 1

    def __init__(self, world: World, stir: float, color: Rgb) -> None:
        super().__init__(world, stir, color)
        rng = world.rng("river")
        self._streaks = (make_texture(spectral_noise(256, 2.2, rng, (3, 80), 4.0)),)
        self._bank = noise_1d(1024, 2.6, rng, (10, 120))
        self._phase = float(rng.uniform(0, 2 * np.pi))
        self._foam = as_planes(world.lighting.lit((0.85, 0.88, 0.90), 0.6))
        self._mud = as_planes(world.lighting.lit((0.10, 0.085, 0.06), 0.2))

    def _course(self, below: F32) -> tuple[F32, F32]:
        """Centre and half width of the river for each row, in picture units."""
        far = 1 / (below + np.float32(0.045))
        wind = np.sin(np.log(far) * np.float32(2.7) + np.float32(self._phase))
        middle = wind * (np.float32(0.05) + below * np.float32(0.62))
        return middle, np.float32(0.012) + below * np.float32(0.78)

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        first, last = intersect(span, (self._viewport.horizon, self._viewport.height))
        if first >= last:
            return
        land = canvas[:, first:last].copy()
        super().paint(canvas, (first, last), state, prepared)
        below = -self._viewport.rows(first, last)
        x = self._viewport.columns()[None] + np.float32(state.parallax(0.8))
        middle, half = self._course(below)
        far = 1 / (below + np.float32(0.03))
        rough = sample_1d(
            self._bank, np.broadcast_to((far * 26)[:, None], (len(below), 1)) + np.sign(x - middle[:, None]) * 300
        )
        inside = half[:, None] * (1 + rough * np.float32(0.20)) - np.abs(x - middle[:, None])
        water = smoothstep(0.0, 1.0, inside * np.float32(self._viewport.unit / 2.5))
        # Foam streaks along the river, faster in the middle.
        along = far[:, None] * np.float32(30) + np.float32(5.5 * state.t)
        (streak,) = sample_rows(self._streaks, (x - middle[:, None]) * far[:, None] * np.float32(30), along[:, 0])
        foam = smoothstep(1.25, 2.6, streak) * smoothstep(0.02, 0.14, below)[:, None] * np.float32(0.30 * self._stir)
        edge = smoothstep(0.030, 0.0, np.abs(inside) / (below[:, None] + np.float32(0.06)))
        area = canvas[:, first:last]
        area += (self._foam - area) * foam
        area += (self._mud - area) * (edge * np.float32(0.5))
        land += (self._mud - land) * (edge * np.float32(0.6))
        area -= land
        area *= water
        area += land
