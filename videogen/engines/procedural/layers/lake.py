"""Calm water: a mirror of what stands behind it, stirred by ripples."""

from __future__ import annotations

from typing import Any

import numpy as np

from videogen.engines.procedural.bands import Span, clip
from videogen.engines.procedural.camera import Moment
from videogen.engines.procedural.layer import GROUND, Layer, World
from videogen.engines.procedural.noise import F32, smooth, spectral, tap_rows, tile
from videogen.engines.procedural.palette import Rgb, column, mix, scale


class Lake(Layer):
    """Painted under the horizon from what is above it. `stir` 1 is a light breeze."""

    order = GROUND
    reads = True

    def __init__(self, world: World, stir: float = 1.0, color: Rgb | None = None) -> None:
        self._frame, self._stir = world.frame, stir
        hour = world.air.hour
        self._color = color or scale(mix(hour.water, hour.zenith, 0.25), 0.6)
        self._ripples = (tile(spectral(256, 2.6, world.rng("lake"), (4, 70), 0.45)),)

    def prepare(self, moment: Moment, canvas: F32) -> Any:
        """The picture over the horizon, float32 (3, horizon, W)."""
        return canvas[:, : self._frame.horizon]

    def paint(self, canvas: F32, span: Span, moment: Moment, ready: Any) -> None:
        """See `Layer.paint`."""
        first, last = clip(span, (self._frame.horizon, self._frame.height))
        if first >= last:
            return
        frame = self._frame
        drop = -frame.rows(first, last)
        wave = self._waves(drop, moment)
        rows = frame.horizon - 1 - np.abs(drop[:, None] * np.float32(1.02) + wave * 2.4) * np.float32(frame.unit)
        columns = (frame.columns() + wave) * np.float32(frame.unit) + np.float32(frame.width / 2)
        np.clip(rows, 0, frame.horizon - 1, out=rows)
        np.clip(columns, 0, frame.width - 1, out=columns)
        index = rows.astype(np.intp)
        index *= frame.width
        index += columns.astype(np.intp)
        # Seen steeply, water mirrors less and shows its own colour.
        strong = (np.float32(0.86) - np.float32(0.42) * smooth(0.0, 0.42, drop))[:, None]
        own = column(self._color)
        for channel in range(3):
            light = ready[channel].reshape(-1).take(index)
            light *= strong
            light += own[channel] * (1 - strong)
            canvas[channel, first:last] = light

    def _waves(self, drop: F32, moment: Moment) -> F32:
        """How far each pixel's reflection is moved, in picture units."""
        t = np.float32(moment.t)
        far = 1 / (drop + np.float32(0.03))
        ground = (self._frame.columns() + np.float32(moment.shift(0.7))) * far[:, None] * 9
        depth = far * 26 + np.float32(2.2 * moment.travel)
        (wave,) = tap_rows(self._ripples, ground + np.float32(1.2) * t, depth + np.float32(2.2) * t)
        (fine,) = tap_rows(self._ripples, ground * 2.9 - np.float32(1.5) * t, depth * 2.7 + np.float32(3.1) * t)
        wave += fine * np.float32(0.5)
        wave *= (smooth(0.0, 0.20, drop) * np.float32(0.0085 * self._stir))[:, None]
        return wave
