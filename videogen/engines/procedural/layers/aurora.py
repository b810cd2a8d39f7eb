"""Aurora curtains: folded sheets of light that fade with height."""

from __future__ import annotations

from typing import Any

import numpy as np

from videogen.engines.procedural.camera import FrameState
from videogen.engines.procedural.layer import CURTAINS, Layer, World
from videogen.engines.procedural.noise import F32, noise_1d, sample_1d
from videogen.engines.procedural.palette import Rgb
from videogen.engines.procedural.resample import box_blur, upsample
from videogen.engines.procedural.row_bands import Span, intersect
from videogen.engines.procedural.viewport import Viewport

_SAMPLES = 1024
_TRAIL_LENGTHS = (0.035, 0.15, 0.15, 0.30)  # lengths of the vertical trails, in picture units
_MARGIN = 0.25  # picture units beyond each side, so that folds can enter from outside


class Curtains:
    """Light of several curtains over the horizon. `colors`: bottom, middle and top, linear light."""

    def __init__(
        self, viewport: Viewport, colors: tuple[Rgb, Rgb, Rgb], strength: float, count: int, rng: np.random.Generator
    ) -> None:
        self._viewport, self._colors, self._strength = viewport, colors, strength
        self._folds = [noise_1d(_SAMPLES, 3.2, rng, (2, 14)) for _ in range(count)]
        self._sways = [noise_1d(_SAMPLES, 3.0, rng, (2, 10)) for _ in range(count)]
        self._rays = [noise_1d(_SAMPLES, 1.1, rng, (30, 330)) for _ in range(count)]
        self._swells = [noise_1d(_SAMPLES, 2.6, rng, (3, 22)) for _ in range(count)]
        sky_height = viewport.horizon / viewport.unit
        levels = np.linspace(0.30, 0.62, count) if count > 1 else np.array([0.42])
        self._bases = levels * sky_height + rng.uniform(-0.03, 0.03, count)
        self._tilts = rng.uniform(-0.16, 0.16, count)
        self._share = rng.permutation(np.linspace(1.0, 0.55, count))

    def light(self, t: float, pan: float) -> F32:
        """Light to add at half size, float32 (3, horizon / 2, W / 2), at time t (seconds)."""
        viewport = self._viewport
        rows, columns = viewport.horizon // 2, viewport.width // 2
        feet = np.zeros((rows, columns), np.float32)
        for index in range(len(self._folds)):
            self._lay(feet, index, t, pan)
        # Where a sheet folds, the sum of the points has no limit: blur it a little, then saturate it.
        reach = viewport.unit / 2
        for radius in (0.010, 0.006):
            feet = box_blur(feet, max(1, int(radius * reach)), 1)
        for radius in (0.012, 0.010, 0.007):
            feet = box_blur(feet, max(1, int(radius * reach)), 0)
        # A larger picture has fewer points per pixel. A fold must not be much brighter than its curtain.
        feet *= np.float32(1.6)
        feet /= 1 + feet * np.float32(viewport.unit / 110)
        return self._climb(feet)

    def _lay(self, feet: F32, index: int, t: float, pan: float) -> None:
        """Add the lower border of one curtain to `feet` (half size), as a dense row of points."""
        viewport = self._viewport
        reach = viewport.half_width + _MARGIN
        count = int(reach * viewport.unit * 5)
        s = np.linspace(-reach, reach, count, dtype=np.float32)
        along = s * 120 + np.float32(pan * 40 + index * 201)
        swing = np.float32(t * (2.6 + 0.6 * index))
        fold = sample_1d(self._folds[index], along + swing) * np.float32(0.36)
        fold += sample_1d(self._folds[index], along * 2.6 - swing * 1.6) * np.float32(0.17)
        x = s + fold
        sway = sample_1d(self._sways[index], along * 0.9 - swing * 0.7) * np.float32(0.11)
        sway += sample_1d(self._sways[index], along * 2.9 + swing * 1.3) * np.float32(0.045)
        height = np.float32(self._bases[index]) + sway + s * np.float32(self._tilts[index])
        ray = 0.62 + 0.55 * sample_1d(self._rays[index], along * 1.15 + swing * 2.2)
        swell = np.clip(0.72 + 0.75 * sample_1d(self._swells[index], along * 0.8 - swing * 0.9), 0.16, 1.7)
        amount = np.clip(ray, 0.08, 2) * swell * np.float32(self._share[index] * self._strength)
        # Independent of the picture size: light per half-size pixel.
        amount *= np.float32(viewport.unit / 2 * 2 * reach / count)
        px = x * np.float32(viewport.unit / 2) + feet.shape[1] / 2 - np.float32(0.5)
        py = np.float32(viewport.horizon / 2) - height * np.float32(viewport.unit / 2)
        _add_points(feet, px, py, amount)

    def _climb(self, feet: F32) -> F32:
        """Extend the points upwards with a short, a longer and a delayed trail."""
        per_row = 2 / self._viewport.unit
        fade = np.array([[np.exp(-per_row / length)] for length in _TRAIL_LENGTHS], np.float32)
        rows, columns = feet.shape
        # The delayed trail starts from a wider blur, so that folds do not become thin beams.
        blurred = feet
        for _ in range(2):
            blurred = box_blur(blurred, max(1, int(0.03 * self._viewport.unit / 2)), 1)
        soft = box_blur(feet, max(1, int(0.016 * self._viewport.unit / 2)), 1)
        soft = box_blur(soft, max(1, int(0.012 * self._viewport.unit / 2)), 1)
        source = np.stack((feet * np.float32(0.5) + soft * np.float32(0.5), soft, blurred, blurred), axis=1)
        trails = np.zeros((rows + 1, len(_TRAIL_LENGTHS), columns), np.float32)
        for row in range(rows - 1, -1, -1):
            np.multiply(trails[row + 1], fade, out=trails[row])
            trails[row] += source[row]
        foot, body, crown = self._colors
        gains = [per_row / length for length in _TRAIL_LENGTHS]
        # A trail of a trail is the difference of two trails.
        late = np.maximum(trails[:-1, 3] - trails[:-1, 2], 0) * np.float32(gains[3] * 2.0)
        light = np.empty((3, rows, columns), np.float32)
        for channel in range(3):
            np.multiply(trails[:-1, 0], np.float32(foot[channel] * gains[0]), out=light[channel])
            light[channel] += trails[:-1, 1] * np.float32(body[channel] * gains[1])
            light[channel] += late * np.float32(crown[channel])
        return light


def _add_points(plane: F32, x: F32, y: F32, amount: F32) -> None:
    """Add points to `plane`, float32 (H, W). Each is spread over four pixels."""
    height, width = plane.shape
    inside = (x >= 0) & (x < width - 1) & (y >= 0) & (y < height - 1)
    x, y, amount = x[inside], y[inside], amount[inside]
    x0, y0 = x.astype(np.intp), y.astype(np.intp)
    fx, fy = x - x0, y - y0
    index = y0 * width + x0
    weights = (amount * (1 - fx) * (1 - fy), amount * fx * (1 - fy), amount * (1 - fx) * fy, amount * fx * fy)
    indices = (index, index + 1, index + width, index + width + 1)
    total = np.bincount(np.concatenate(indices), np.concatenate(weights), minlength=plane.size)
    plane += total[: plane.size].reshape(plane.shape).astype(np.float32)


def soft_glow(light: F32) -> F32:
    """The wide glow around the curtains, float32 of the same shape."""
    radius = max(2, light.shape[2] // 24)
    small = light[:, ::4, ::4]
    for axis in (1, 2):
        small = box_blur(box_blur(small, max(1, radius // 4), axis), max(1, radius // 4), axis)
    half = upsample(small, (0, min(2 * small.shape[1], -(-light.shape[1] // 2))), -(-light.shape[2] // 2))
    return upsample(half, (0, light.shape[1]), light.shape[2])


class Aurora(Layer):
    """Aurora curtains in the sky."""

    order = CURTAINS

    def __init__(self, world: World, colors: tuple[Rgb, Rgb, Rgb], strength: float) -> None:
        self._viewport = world.viewport
        rng = world.rng("aurora")
        self._curtains = Curtains(world.viewport, colors, strength, int(rng.integers(2, 4)), rng)

    def prepare(self, state: FrameState, canvas: F32) -> Any:
        """The light at half size, float32 (3, horizon / 2, W / 2)."""
        light = self._curtains.light(state.t, state.parallax(0))
        light += soft_glow(light) * np.float32(0.5)
        return light

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        first, last = intersect(span, (0, self._viewport.horizon))
        if first < last:
            canvas[:, first:last] += upsample(prepared, (first, last), self._viewport.width)
