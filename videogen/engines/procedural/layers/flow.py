"""Abstract flow: moving sheets of colour, like silk or ink."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from videogen.engines.procedural.camera import FrameState
from videogen.engines.procedural.layer import SKY, Layer, World
from videogen.engines.procedural.noise import F32, make_texture, sample, spectral_noise
from videogen.engines.procedural.palette import TINTS, Rgb, mix, scale
from videogen.engines.procedural.resample import upsample
from videogen.engines.procedural.row_bands import Span, split_rows

# Four colours from dark to bright.
_RAMPS: tuple[tuple[Rgb, Rgb, Rgb, Rgb], ...] = (
    ((0.010, 0.012, 0.050), (0.10, 0.05, 0.36), (0.80, 0.16, 0.42), (1.0, 0.62, 0.32)),
    ((0.004, 0.022, 0.040), (0.010, 0.16, 0.26), (0.06, 0.55, 0.55), (0.78, 0.95, 0.70)),
    ((0.020, 0.006, 0.030), (0.26, 0.03, 0.14), (0.92, 0.22, 0.12), (1.0, 0.74, 0.34)),
    ((0.006, 0.010, 0.045), (0.03, 0.10, 0.42), (0.20, 0.46, 0.92), (0.86, 0.80, 1.0)),
    ((0.020, 0.014, 0.040), (0.22, 0.09, 0.40), (0.55, 0.42, 0.86), (1.0, 0.80, 0.80)),
    ((0.006, 0.020, 0.016), (0.02, 0.17, 0.12), (0.42, 0.60, 0.24), (1.0, 0.86, 0.46)),
)
_MOODS: Mapping[str, tuple[Rgb, Rgb, Rgb, Rgb]] = {
    "mysterious": ((0.003, 0.004, 0.014), (0.05, 0.03, 0.20), (0.50, 0.12, 0.46), (0.55, 0.62, 1.0)),
    "epic": ((0.010, 0.003, 0.004), (0.24, 0.02, 0.010), (0.95, 0.24, 0.03), (1.0, 0.80, 0.36)),
    "dreamy": ((0.16, 0.20, 0.42), (0.46, 0.26, 0.50), (0.86, 0.44, 0.46), (0.80, 0.78, 0.56)),
}
_LEVELS = 1024
_SPREAD = 184  # texels per picture unit: no texel is wider than a pixel


class AbstractFlow(Layer):
    """One flow. `energy`, 0..1, increases the number of folds."""

    order = SKY

    def __init__(self, world: World, colors: Sequence[str], mood: str, energy: float) -> None:
        self._viewport = world.viewport
        rng = world.rng("flow")
        self._noise = make_texture(spectral_noise(1024, 4.4, rng, (2, 22)))
        self._ramp = _ramp(colors, mood, rng)
        angle = rng.uniform(0, 2 * np.pi)
        self._along = (np.float32(np.cos(angle)), np.float32(np.sin(angle)))
        self._stretch = np.float32(rng.uniform(0.42, 0.75))
        self._warp = np.float32(rng.uniform(50, 88))
        self._folds = np.float32(rng.uniform(0.50, 1.0) * (0.7 + 0.6 * energy))
        self._sheen = np.float32(rng.uniform(0.5, 1.0))
        self._origin = rng.random(4).astype(np.float32) * 1024

    def prepare(self, state: FrameState, canvas: F32) -> Any:
        """The sheet at half size, float32 (3, H / 2, W / 2)."""
        viewport = self._viewport
        half = np.empty((3, viewport.height // 2, viewport.width // 2), np.float32)
        for span in split_rows(0, viewport.height // 2, viewport.width // 2):
            self._flow(half, span, state.t, state.parallax(0.5))
        return half

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        canvas[:, slice(*span)] = upsample(prepared, span, self._viewport.width)

    def _height(self, first: int, last: int, t: float, pan: float) -> tuple[F32, F32]:
        """Height and hue of the sheet, smooth fields, each (rows, columns), for rows first..last at half size."""
        viewport = self._viewport
        x = (viewport.columns(2) + np.float32(pan))[None] * _SPREAD
        y = viewport.rows(first, last, 2)[:, None] * _SPREAD
        c, s = self._along
        u = (x * c + y * s) * self._stretch
        v = y * c - x * s
        a, b, d, e = self._origin
        bend = sample(self._noise, u * 0.8 + a + np.float32(5 * t), v * 0.8 + b - np.float32(3 * t))
        turn = sample(self._noise, u * 0.8 + d - np.float32(4 * t), v * 0.8 + e + np.float32(4.5 * t))
        u2, v2 = u + bend * self._warp, v + turn * self._warp
        sheet = sample(self._noise, u2 * 0.7 + e + np.float32(4 * t), v2 * 0.7 + a)
        hue = sample(self._noise, u2 * 0.45 + b, v2 * 0.45 + d - np.float32(3 * t))
        return sheet + bend * np.float32(0.35), hue

    def _flow(self, half: F32, span: Span, t: float, pan: float) -> None:
        first, last = span
        sheet, hue = self._height(first - 1, last + 1, t, pan)
        fold = np.sin(sheet * self._folds * np.float32(3.1))
        slope_scale = np.float32(self._viewport.unit / 2 / 9)
        down = (fold[2:] - fold[:-2]) * slope_scale
        across = np.empty_like(down)
        across[:, 1:-1] = (fold[1:-1, 2:] - fold[1:-1, :-2]) * slope_scale
        across[:, 0], across[:, -1] = across[:, 1], across[:, -2]
        fold, hue = fold[1:-1], hue[1:-1]
        # A light from the upper left, with specular highlights along the folds.
        light = (np.float32(0.80) - down * np.float32(0.55) - across * np.float32(0.35)) / np.sqrt(
            1 + down * down + across * across
        )
        np.clip(light, 0.0, 1.0, out=light)
        tone = np.float32(0.42) + hue * np.float32(0.20) + fold * np.float32(0.20)
        tone *= np.float32(0.35) + np.float32(0.85) * light
        np.clip(tone, 0.0, 1.0, out=tone)
        index = (tone * (_LEVELS - 1)).astype(np.intp)
        weight = tone * (_LEVELS - 1) - index
        shine = light * light
        shine *= shine
        shine *= shine * self._sheen * np.float32(0.9) * tone
        for channel in range(3):
            ramp = self._ramp[channel]
            low = ramp.take(index)
            low += (ramp[1:].take(index, mode="clip") - low) * weight
            low += shine * self._ramp[channel, -1]
            half[channel, first:last] = low


def _ramp(colors: Sequence[str], mood: str, rng: np.random.Generator) -> F32:
    """Colour by tone, float32 (3, _LEVELS), from the colour words, the mood, or a random choice."""
    random_stops = _RAMPS[int(rng.integers(len(_RAMPS)))]
    stops = _MOODS.get(mood, random_stops)
    if colors:
        first, second = TINTS[colors[0]], TINTS[colors[-1]]
        stops = (scale(first, 0.02), scale(first, 0.30), scale(second, 0.85), mix(second, (1.0, 0.96, 0.9), 0.6))
    tones = np.linspace(0, 1, _LEVELS)
    eased = [np.interp(tones, (0, 0.34, 0.68, 1), [stop[c] ** 0.5 for stop in stops]) ** 2 for c in range(3)]
    return np.array(eased, np.float32)
