"""Open water: waves that reflect the sky, and glitter under the sun."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from videogen.engines.procedural.camera import FrameState
from videogen.engines.procedural.layer import GROUND, Layer, World
from videogen.engines.procedural.layers.sky import horizon_color
from videogen.engines.procedural.noise import F32, Texture, make_texture, sample_rows, spectral_noise
from videogen.engines.procedural.palette import Rgb
from videogen.engines.procedural.resample import box_blur, downsample
from videogen.engines.procedural.row_bands import Span, intersect

_FOCAL_LENGTH = 1.25  # focal length of the camera, in picture units
_CAMERA_HEIGHT = 3.2  # height of the camera over the water, in metres
_TEXELS = 256
_CYCLES = 6.0  # longest waves in one texture period


@dataclass(frozen=True)
class WaterStyle:
    """How the water looks. `slope`: typical steepness of the waves. `glitter`: strength of the sun's reflection.
    `pace`: speed of the waves."""

    color: Rgb
    sun_color: Rgb
    sun: tuple[float, float]
    slope: float
    glitter: float
    pace: float


@dataclass(frozen=True)
class _Octave:
    length: float  # metres from crest to crest
    slope_fraction: float  # fraction of the total slope
    drift: tuple[float, float]  # metres per second


# Waves come towards the camera. Their speed depends on their length as in deep water, but is slower.
_OCTAVES = tuple(
    _Octave(length, fraction, (0.52 * math.sqrt(length) * s, 0.52 * math.sqrt(length)))
    for length, fraction, s in ((11.0, 0.50, 0.30), (4.1, 0.62, -0.42), (1.45, 0.55, 0.35), (0.52, 0.38, -0.2))
)


class Sea(Layer):
    """Water below the horizon. It reflects everything that is painted above it."""

    order = GROUND
    reads_canvas = True

    def __init__(self, world: World, water: WaterStyle) -> None:
        self._world, self._viewport, self._water = world, world.viewport, water
        rng = world.rng("sea")
        field = spectral_noise(_TEXELS, 3.4, rng, (_CYCLES * 0.6, 46), 0.55)
        # Flat troughs and sharp crests: otherwise waves look like hills.
        field = np.exp(field * np.float32(0.45)).astype(np.float32)
        across = np.roll(field, -1, 1) - np.roll(field, 1, 1)
        along = np.roll(field, -1, 0) - np.roll(field, 1, 0)
        size = np.float32(1 / along.std())
        self._slopes: tuple[Texture, ...] = (make_texture(across * size), make_texture(along * size))
        self._gusts = make_texture(spectral_noise(_TEXELS, 3.0, rng, (2, 20), 0.5))
        self._origin = rng.random((len(_OCTAVES), 2)).astype(np.float32) * _TEXELS

    def prepare(self, state: FrameState, canvas: F32) -> Any:
        """The reflected picture at a smaller size, and the colour of the haze."""
        viewport = self._viewport
        # Small waves stretch reflections vertically. So the reflected picture is blurred, and a quarter of the rows
        # and half of the columns are enough.
        mirror = downsample(np.minimum(canvas[:, : viewport.horizon], 1.0))
        mirror = (mirror[:, : mirror.shape[1] // 2 * 2 : 2] + mirror[:, 1::2]) * np.float32(0.5)
        for radius in (0.035, 0.02):
            mirror = box_blur(mirror, max(1, int(radius * viewport.unit / 4)), 1)
        return mirror, horizon_color(self._world, state)

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        first, last = intersect(span, (self._viewport.horizon, self._viewport.height))
        if first < last:
            self._paint_rows(canvas, prepared, (first, last), state)

    def _paint_rows(self, canvas: F32, prepared: tuple[F32, F32], span: Span, state: FrameState) -> None:
        viewport, water = self._viewport, self._water
        mirror, horizon_color = prepared
        below = -viewport.rows(*span)
        far = np.float32(_CAMERA_HEIGHT) / below
        x = viewport.columns()
        across, along, hidden_variance = self._waves(x + np.float32(state.parallax(0.6)), far, state)
        turn = (x * across - below[:, None] - np.float32(_FOCAL_LENGTH) * -along) * -2
        turn /= 1 + across * across + along * along
        light, fresnel = self._mirror(mirror, x, (across, along, turn), below, hidden_variance)
        body = np.clip(along * 0.9 + 0.35, 0, 1)
        glitter = self._glitter((across, along), x + np.float32(state.parallax(0)), below, hidden_variance)
        glitter *= 0.35 + 0.65 * fresnel
        lighting = (1 - np.exp(far * np.float32(-0.0016)))[:, None] * np.float32(0.85)
        for channel in range(3):
            deep = np.float32(water.color[channel])
            out = light[channel]
            base = body * (deep * 0.9) + deep * 0.45
            out -= base
            out *= fresnel
            out += base
            out += glitter * np.float32(water.sun_color[channel])
            out += (horizon_color[channel] - out) * lighting
            canvas[channel, span[0] : span[1]] = out

    def _waves(self, x: F32, far: F32, state: FrameState) -> tuple[F32, F32, F32]:
        """Slopes across and along the view, each (rows, columns), and the variance of the waves that are smaller than a
        pixel, (rows,)."""
        viewport, water = self._viewport, self._water
        t = state.t * water.pace
        ground = x * far[:, None]
        depth = far * np.float32(_FOCAL_LENGTH) + np.float32(state.travel)
        pixel = far * far * np.float32(_FOCAL_LENGTH / (_CAMERA_HEIGHT * viewport.unit))
        (gust,) = sample_rows((self._gusts,), ground * 1.3 + np.float32(1.5 * t), depth * 0.9 + np.float32(1.1 * t))
        gust = 1 + gust * np.float32(0.30)
        across = np.zeros_like(ground)
        along = np.zeros_like(ground)
        hidden_variance = np.zeros_like(far)
        for octave, origin in zip(_OCTAVES, self._origin, strict=True):
            texels = np.float32(_TEXELS / (_CYCLES * octave.length))
            # The shortest waves in a texture are a fifth of its longest; avoid aliasing of these.
            keep = np.exp(-((pixel / np.float32(octave.length * 0.34)) ** 2))
            height = np.float32(octave.slope_fraction * water.slope) * keep
            hidden_variance += (np.float32(octave.slope_fraction * water.slope) ** 2) * (1 - keep * keep)
            # Pixels cover more water towards the horizon: a wave that is too small in one row is too small in all rows
            # above it.
            seen = slice(int(np.searchsorted(keep, 0.02)), None)
            u = (ground[seen] + np.float32(octave.drift[0] * t)) * texels + origin[0]
            v = (depth[seen] + np.float32(octave.drift[1] * t)) * texels + origin[1]
            a, b = sample_rows(self._slopes, u, v)
            a *= height[seen, None]
            b *= height[seen, None]
            across[seen] += a
            along[seen] += b
        across *= gust
        along *= gust
        return across, along, hidden_variance

    def _mirror(
        self, mirror: F32, x: F32, slopes: tuple[F32, F32, F32], below: F32, hidden_variance: F32
    ) -> tuple[list[F32], F32]:
        """The reflected light, one (rows, columns) per channel, and the reflectance, (rows, columns)."""
        viewport = self._viewport
        across, along, turn = slopes
        sight = np.sqrt(x * x + (below * below)[:, None] + np.float32(_FOCAL_LENGTH**2))
        facing = np.clip(turn * np.sqrt(1 + across * across + along * along) / (sight * 2), 0, 1)
        rest = 1 - facing
        fresnel = rest * rest
        fresnel *= fresnel
        fresnel *= rest
        fresnel *= 0.97
        fresnel += 0.03
        # Waves smaller than a pixel still shift the reflection upwards.
        lift = np.sqrt(hidden_variance)[:, None] * np.float32(0.55)
        ahead = np.float32(_FOCAL_LENGTH) - turn * along
        np.maximum(ahead, 0.2, out=ahead)
        scale = np.float32(_FOCAL_LENGTH * viewport.unit / 2) / ahead
        up = np.abs(turn - below[:, None]) + lift
        rows = np.float32(viewport.horizon / 4) - up * (scale * np.float32(0.5))
        columns = (x + turn * across) * scale + np.float32(viewport.width / 4)
        # Facets that reflect the sky above the picture get darker light.
        shade = rows * np.float32(0.8 / mirror.shape[1])
        shade += 1
        np.clip(shade, 0.4, 1, out=shade)
        np.clip(rows, 0, mirror.shape[1] - 1, out=rows)
        np.clip(columns, 0, mirror.shape[2] - 1, out=columns)
        index = rows.astype(np.intp) * mirror.shape[2]
        index += columns.astype(np.intp)
        return [plane.reshape(-1).take(index) * shade for plane in mirror], fresnel

    def _glitter(self, slopes: tuple[F32, F32], x: F32, below: F32, hidden_variance: F32) -> F32:
        """Reflected sunlight: how near each slope is to the one that reflects the sun towards the viewer."""
        water = self._water
        sx, sy = water.sun
        sun = math.sqrt(sx * sx + sy * sy + _FOCAL_LENGTH**2)
        sight = 1 / np.sqrt(x * x + (below * below)[:, None] + np.float32(_FOCAL_LENGTH**2))
        up = np.float32(sy / sun) + below[:, None] * sight
        up = 1 / up
        want_across = (x * sight - np.float32(sx / sun)) * up
        want_along = (np.float32(_FOCAL_LENGTH) * sight - np.float32(_FOCAL_LENGTH / sun)) * up
        want_across += slopes[0]
        want_along += slopes[1]
        spread = hidden_variance + np.float32((0.035 + 0.12 * water.slope) ** 2)
        miss = want_across * want_across
        miss += want_along * want_along
        miss *= (-0.5 / spread)[:, None]
        np.exp(miss, out=miss)
        miss *= (np.float32(water.glitter * 0.012) / spread)[:, None]
        return np.asarray(miss, np.float32)
