"""Calm water that reflects what is above it, with ripples."""

from __future__ import annotations

from typing import Any

import numpy as np

from videogen.engines.procedural.camera import FrameState
from videogen.engines.procedural.layer import GROUND, Layer, World
from videogen.engines.procedural.noise import F32, make_texture, sample_rows, smoothstep, spectral_noise
from videogen.engines.procedural.palette import Rgb, as_planes
from videogen.engines.procedural.row_bands import Span, intersect


class Lake(Layer):
    """Water below the horizon. `stir`: strength of the ripples, 1 in a light breeze."""

    order = GROUND
    reads_canvas = True

    def __init__(self, world: World, stir: float, color: Rgb) -> None:
        self._viewport, self._stir = world.viewport, stir
        self._color = as_planes(color)
        self._ripples = (make_texture(spectral_noise(256, 2.6, world.rng("lake"), (4, 70), 0.45)),)

    def prepare(self, state: FrameState, canvas: F32) -> Any:
        """The picture above the horizon, float32 (3, horizon, W)."""
        return canvas[:, : self._viewport.horizon]

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        first, last = intersect(span, (self._viewport.horizon, self._viewport.height))
        if first >= last:
            return
        viewport = self._viewport
        below = -viewport.rows(first, last)
        wave = self._waves(below, state)
        rows = viewport.horizon - 1 - np.abs(below[:, None] * np.float32(1.02) + wave * 2.4) * np.float32(viewport.unit)
        columns = (viewport.columns() + wave) * np.float32(viewport.unit) + np.float32(viewport.width / 2)
        np.clip(rows, 0, viewport.horizon - 1, out=rows)
        np.clip(columns, 0, viewport.width - 1, out=columns)
        index = rows.astype(np.intp)
        index *= viewport.width
        index += columns.astype(np.intp)
        # Towards the viewer, water reflects less and shows more of its own colour.
        strong = (np.float32(0.86) - np.float32(0.42) * smoothstep(0.0, 0.42, below))[:, None]
        for channel in range(3):
            light = prepared[channel].reshape(-1).take(index)
            light *= strong
            light += self._color[channel] * (1 - strong)
            canvas[channel, first:last] = light

    def _waves(self, below: F32, state: FrameState) -> F32:
        """Offset of the reflection of each pixel, in picture units."""
        t = np.float32(state.t)
        far = 1 / (below + np.float32(0.03))
        ground = (self._viewport.columns() + np.float32(state.parallax(0.7))) * far[:, None] * 9
        depth = far * 26 + np.float32(2.2 * state.travel)
        (wave,) = sample_rows(self._ripples, ground + np.float32(1.2) * t, depth + np.float32(2.2) * t)
        (fine,) = sample_rows(self._ripples, ground * 2.9 - np.float32(1.5) * t, depth * 2.7 + np.float32(3.1) * t)
        wave += fine * np.float32(0.5)
        wave *= (smoothstep(0.0, 0.20, below) * np.float32(0.0085 * self._stir))[:, None]
        return wave
