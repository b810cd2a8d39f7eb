"""Maps linear light to bytes: bloom, tone curve, vignette, grain."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videogen.engines.procedural.noise import F32
from videogen.engines.procedural.resample import downsample, upsample
from videogen.engines.procedural.row_bands import Span, split_rows

_GRAIN_SIZE = 256
_GRAINS_PER_SECOND = 24


@dataclass(frozen=True)
class Grade:
    """Settings of the tone mapping. `bloom` scales the glow of what is brighter than `threshold` (linear light)."""

    exposure: float = 1.0
    bloom: float = 0.5
    threshold: float = 0.8
    vignette: float = 0.5
    grain: float = 1.6


class Grain:
    """Film grain, which changes 24 times per second. It is also the dither between neighbouring levels."""

    def __init__(
        self, width: int, strength: float, noise_rng: np.random.Generator, offset_rng: np.random.Generator
    ) -> None:
        noise = noise_rng.random((2, _GRAIN_SIZE, _GRAIN_SIZE), dtype=np.float32)
        columns = -(-width // _GRAIN_SIZE) + 1
        self._width = width
        self._texture = np.tile((noise[0] - noise[1]) * np.float32(strength) + np.float32(0.5), (1, columns))
        self._offsets = offset_rng.integers(0, _GRAIN_SIZE, (16, 2))

    def rows(self, t: float, span: Span) -> F32:
        """Values to add to picture rows [first, last) at time t (seconds), float32 (rows, width), in levels of 0..255.
        Their mean is 0.5, so that a conversion to integers rounds."""
        row, column = (int(value) for value in self._offsets[int(t * _GRAINS_PER_SECOND + 0.5) % len(self._offsets)])
        return self._texture[(np.arange(*span) + row) % _GRAIN_SIZE, column : column + self._width]


class ToneMapper:
    """Maps canvases, float32 (3, H, W), linear light, to pictures, uint8 (H, W, 3)."""

    def __init__(self, size: tuple[int, int], grade: Grade, rng: np.random.Generator) -> None:
        self._width, self._height = size
        self._grade = grade
        x = np.linspace(-0.5, 0.5, self._width, dtype=np.float32)
        y = np.linspace(-0.5, 0.5, self._height, dtype=np.float32)
        self._vignette = 259 * (1 - grade.vignette * (x * x + (y * y)[:, None]))
        self._grain = Grain(self._width, grade.grain, rng, rng)

    def apply(self, canvas: F32, t: float) -> NDArray[np.uint8]:
        """The picture for the canvas at time t (seconds). The canvas is overwritten."""
        picture = np.empty((self._height, self._width, 3), np.uint8)
        glow = self._glow(canvas) if self._grade.bloom else None
        for span in split_rows(0, self._height, self._width):
            self._map_rows(canvas, glow, picture, span, t)
        return picture

    def _glow(self, canvas: F32) -> F32:
        """Glow around bright areas at half size, from an image pyramid."""
        half = np.empty((3, -(-self._height // 2), -(-self._width // 2)), np.float32)
        for first, last in split_rows(0, self._height, self._width):
            half[:, first // 2 : (last + 1) // 2] = downsample(canvas[:, first:last])
        level = np.maximum(downsample(half) - np.float32(self._grade.threshold), 0)
        np.minimum(level, 4.0, out=level)
        levels = [level]
        while len(levels) < 5 and min(levels[-1].shape[1:]) > 4:
            levels.append(downsample(levels[-1]))
        glow = levels[-1]
        for level in reversed(levels[:-1]):
            glow = upsample(glow, (0, level.shape[1]), level.shape[2])
            glow += level
        glow *= np.float32(self._grade.bloom / len(levels))
        return upsample(glow, (0, half.shape[1]), half.shape[2])

    def _map_rows(self, canvas: F32, glow: F32 | None, picture: NDArray[np.uint8], span: Span, t: float) -> None:
        first, last = span
        light = canvas[:, first:last]
        if glow is not None:
            self._add_glow(light, glow[:, first // 2 : (last + 1) // 2])
        # The film curve x^2 / (x^2 + 0.243 x + 0.0576) and the square root of the display, in one expression.
        exposure = self._grade.exposure
        shade = light + np.float32(0.243 / exposure)
        shade *= light
        shade += np.float32(0.0576 / exposure**2)
        np.sqrt(shade, out=shade)
        light /= shade
        light *= self._vignette[first:last]
        light += self._grain.rows(t, span)
        np.clip(light, 0.0, 255.0, out=light)
        for channel in range(3):
            picture[first:last, :, channel] = light[channel]

    def _add_glow(self, light: F32, glow: F32) -> None:
        """Add each value of the half-size glow to its 2x2 pixels."""
        wide = np.empty((3, glow.shape[1], 2 * glow.shape[2]), np.float32)
        wide[..., 0::2] = glow
        wide[..., 1::2] = glow
        light[:, 0::2] += wide[:, : (light.shape[1] + 1) // 2, : self._width]
        light[:, 1::2] += wide[:, : light.shape[1] // 2, : self._width]
