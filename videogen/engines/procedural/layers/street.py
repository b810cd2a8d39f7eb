"""A street that reflects the city: clearly in puddles, blurred on asphalt."""

from __future__ import annotations

from typing import Any

import numpy as np

from videogen.engines.procedural.camera import FrameState
from videogen.engines.procedural.layer import GROUND, Layer, World
from videogen.engines.procedural.noise import F32, make_texture, sample_rows, smoothstep, spectral_noise
from videogen.engines.procedural.palette import Rgb
from videogen.engines.procedural.resample import box_blur, downsample, upsample
from videogen.engines.procedural.row_bands import Span, intersect


class Street(Layer):
    """Ground below the horizon. `wet`: 0 (damp) .. 1 (rain)."""

    order = GROUND
    reads_canvas = True

    def __init__(self, world: World, color: Rgb, wet: float) -> None:
        self._viewport, self._color, self._wet = world.viewport, color, wet
        rng = world.rng("street")
        self._grain = (
            make_texture(spectral_noise(256, 2.2, rng, (3, 100), 0.7)),
            make_texture(spectral_noise(256, 3.0, rng, (2, 40), 0.7)),
        )

    def prepare(self, state: FrameState, canvas: F32) -> Any:
        """The picture above the horizon, float32: sharp (3, horizon, W), and blurred at half size."""
        viewport = self._viewport
        sharp = np.minimum(canvas[:, : viewport.horizon], 3.0)
        smear = downsample(downsample(sharp))
        for radius in (0.035, 0.06):
            smear = box_blur(smear, max(1, int(radius * viewport.unit / 4)), 1)
        return sharp, upsample(box_blur(smear, 1, 2), (0, (viewport.horizon + 1) // 2), (viewport.width + 1) // 2)

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        first, last = intersect(span, (self._viewport.horizon, self._viewport.height))
        if first < last:
            self._rows(canvas, prepared, (first, last), state)

    def _rows(self, canvas: F32, plates: tuple[F32, F32], span: Span, state: FrameState) -> None:
        viewport = self._viewport
        t, pan = state.t, state.parallax(0.8)
        below = -viewport.rows(*span)
        far = 1 / (below + np.float32(0.05))
        x = viewport.columns()
        ground = (x + np.float32(pan)) * far[:, None] * 20
        depth = far * np.float32(34)
        grain, patch = sample_rows(self._grain, ground, depth)
        (wave,) = sample_rows(self._grain[:1], ground * 0.6 + np.float32(4.0 * t), depth * 0.6 + np.float32(6.5 * t))
        fade = smoothstep(0.0, 0.10, below)[:, None]
        stir = (grain * np.float32(0.0020) + wave * np.float32(0.0012 + 0.0022 * self._wet)) * fade
        reach = np.float32(viewport.unit)
        rows = viewport.horizon - 1 - (below[:, None] * np.float32(1.05) + stir * 2.2) * reach
        columns = (x + stir) * reach + np.float32(viewport.width / 2)
        np.clip(rows, 0, viewport.horizon - 1, out=rows)
        np.clip(columns, 0, viewport.width - 1, out=columns)
        row, col = rows.astype(np.intp), columns.astype(np.intp)
        clear = smoothstep(-0.9 - 0.5 * self._wet, 0.9, patch)
        clear *= np.float32(0.30 + 0.45 * self._wet)
        sheen = (np.float32(0.78) - np.float32(0.55) * smoothstep(0.0, 0.42, below))[:, None] * (
            1 + grain * np.float32(0.10)
        )
        sharp_at = row * viewport.width + col
        smear_at = (row >> 1) * plates[1].shape[2] + (col >> 1)
        dry = 1 + grain * np.float32(0.14)
        for channel in range(3):
            light = plates[1][channel].reshape(-1).take(smear_at)
            light += (plates[0][channel].reshape(-1).take(sharp_at) - light) * clear
            light *= sheen
            light += dry * np.float32(self._color[channel])
            canvas[channel, span[0] : span[1]] = light
