"""Wet ground that doubles the city above it: puddles clear, asphalt smeared."""

from __future__ import annotations

from typing import Any

import numpy as np

from videogen.engines.procedural.bands import Span, clip
from videogen.engines.procedural.camera import Moment
from videogen.engines.procedural.layer import GROUND, Layer, World
from videogen.engines.procedural.noise import F32, smooth, spectral, tap_rows, tile
from videogen.engines.procedural.palette import Rgb
from videogen.engines.procedural.resample import box, double, halve


class Street(Layer):
    """Painted under the horizon, from what is above it. `wet` runs from 0, damp, to 1, in rain."""

    order = GROUND
    reads = True

    def __init__(self, world: World, color: Rgb, wet: float) -> None:
        self._frame, self._color, self._wet = world.frame, color, wet
        rng = world.rng("street")
        self._grain = (tile(spectral(256, 2.2, rng, (3, 100), 0.7)), tile(spectral(256, 3.0, rng, (2, 40), 0.7)))

    def prepare(self, moment: Moment, canvas: F32) -> Any:
        """The picture above, sharp and smeared downwards."""
        frame = self._frame
        sharp = np.minimum(canvas[:, : frame.horizon], 3.0)
        smear = halve(halve(sharp))
        for radius in (0.035, 0.06):
            smear = box(smear, max(1, int(radius * frame.unit / 4)), 1)
        return sharp, double(box(smear, 1, 2), (0, (frame.horizon + 1) // 2), (frame.width + 1) // 2)

    def paint(self, canvas: F32, span: Span, moment: Moment, ready: Any) -> None:
        """See `Layer.paint`."""
        first, last = clip(span, (self._frame.horizon, self._frame.height))
        if first < last:
            self._rows(canvas, ready, (first, last), moment)

    def _rows(self, canvas: F32, plates: tuple[F32, F32], span: Span, moment: Moment) -> None:
        frame = self._frame
        t, pan = moment.t, moment.shift(0.8)
        drop = -frame.rows(*span)
        far = 1 / (drop + np.float32(0.05))
        x = frame.columns()
        ground = (x + np.float32(pan)) * far[:, None] * 20
        depth = far * np.float32(34)
        grain, patch = tap_rows(self._grain, ground, depth)
        (wave,) = tap_rows(self._grain[:1], ground * 0.6 + np.float32(4.0 * t), depth * 0.6 + np.float32(6.5 * t))
        fade = smooth(0.0, 0.10, drop)[:, None]
        stir = (grain * np.float32(0.0020) + wave * np.float32(0.0012 + 0.0022 * self._wet)) * fade
        reach = np.float32(frame.unit)
        rows = frame.horizon - 1 - (drop[:, None] * np.float32(1.05) + stir * 2.2) * reach
        columns = (x + stir) * reach + np.float32(frame.width / 2)
        np.clip(rows, 0, frame.horizon - 1, out=rows)
        np.clip(columns, 0, frame.width - 1, out=columns)
        row, col = rows.astype(np.intp), columns.astype(np.intp)
        clear = smooth(-0.9 - 0.5 * self._wet, 0.9, patch)
        clear *= np.float32(0.30 + 0.45 * self._wet)
        sheen = (np.float32(0.78) - np.float32(0.55) * smooth(0.0, 0.42, drop))[:, None] * (
            1 + grain * np.float32(0.10)
        )
        sharp_at = row * frame.width + col
        smear_at = (row >> 1) * plates[1].shape[2] + (col >> 1)
        dry = 1 + grain * np.float32(0.14)
        for channel in range(3):
            light = plates[1][channel].reshape(-1).take(smear_at)
            light += (plates[0][channel].reshape(-1).take(sharp_at) - light) * clear
            light *= sheen
            light += dry * np.float32(self._color[channel])
            canvas[channel, span[0] : span[1]] = light
