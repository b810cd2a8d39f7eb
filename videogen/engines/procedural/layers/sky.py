"""The sky: gradient, sun, moving clouds and stars, computed at half size."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from videogen.engines.procedural.camera import FrameState
from videogen.engines.procedural.layer import SKY, STARS, Layer, World
from videogen.engines.procedural.noise import F32, make_texture, sample, smoothstep, spectral_noise
from videogen.engines.procedural.palette import as_planes
from videogen.engines.procedural.particles import add_dots
from videogen.engines.procedural.resample import upsample
from videogen.engines.procedural.row_bands import Span, intersect, split_rows
from videogen.engines.procedural.sprite import shift_columns, split_coordinate

_WIND = (5.0, 1.6)  # texels per second
_DRIFT = 34.0  # texels per picture unit of the cloud plane


class Sky(Layer):
    """The background of all rows. Below the horizon it is the colour of the haze."""

    order = SKY

    def __init__(self, world: World, clouds: float) -> None:
        self._world, self._clouds = world, clouds
        self._side = -(-world.margin // 2) + 1
        self._plate = self._bake()
        rng = world.rng("clouds")
        self._noise = make_texture(spectral_noise(512, 3.1, rng, (3, 250)))
        self._origin = rng.random(2).astype(np.float32) * 512

    def _columns(self) -> F32:
        """x of the half-size column centres with margins, in picture units."""
        viewport = self._world.viewport
        index = np.arange(viewport.width // 2 + 2 * self._side, dtype=np.float32) - self._side
        return ((index + 0.5) * 2 - viewport.width / 2) / np.float32(viewport.unit)

    def _bake(self) -> F32:
        """Clear sky with the sun's halo, float32 (4, H / 2, columns): three colours, and the nearness of the sun,
        0..1."""
        viewport, hour, sun = self._world.viewport, self._world.lighting.hour, self._world.lighting.sun
        x, height = self._columns(), viewport.rows(0, viewport.height // 2, scale=2)
        light = sky_gradient(self._world, np.maximum(height, 0), x)
        square = (x - np.float32(sun[0])) ** 2 + (height[:, None] - np.float32(sun[1])) ** 2
        halo = 0.16 / (1 + square * 9) ** 2 + 0.34 / (1 + square * 90) ** 2 + 0.5 / (1 + square * 900) ** 2
        light += halo * np.float32(hour.halo) * as_planes(hour.sun)
        return np.concatenate([light, (1 / (1 + square * 14))[None]]).astype(np.float32)

    def prepare(self, state: FrameState, canvas: F32) -> Any:
        """The sky at half size, float32 (4, H / 2, W / 2): light, and the alpha of the clouds."""
        viewport = self._world.viewport
        start, weight = split_coordinate(state.parallax(0) * viewport.unit / 2 + self._side)
        half = np.array(shift_columns(self._plate, start, weight, viewport.width // 2))
        near = half[3]
        if self._clouds <= 0:
            near[:] = 0
            return half
        x = viewport.columns(2) + np.float32(state.parallax(0))
        for span in split_rows(0, -(-viewport.horizon // 2), viewport.width // 2):
            self._cover(half[:, slice(*span)], span, x, state.t)
        half[3, -(-viewport.horizon // 2) :] = 0
        return half

    def _cover(self, half: F32, span: Span, x: F32, t: float) -> None:
        """Paint the clouds on some rows of `half`, in place. The last plane becomes their alpha."""
        hour = self._world.lighting.hour
        cover, lit = self._cloud(self._world.viewport.rows(*span, scale=2), x, t)
        edge = (1 - cover) * half[3] * np.float32(hour.halo * 0.5)
        for channel in range(3):
            dark, bright = hour.cloud_dark[channel], hour.cloud_lit[channel]
            cloud = lit * np.float32(bright - dark)
            cloud += np.float32(dark)
            cloud += edge * np.float32(hour.sun[channel])
            cloud -= half[channel]
            cloud *= cover
            half[channel] += cloud
        half[3] = cover

    def _cloud(self, height: F32, x: F32, t: float) -> tuple[F32, F32]:
        """Alpha and light of the clouds, each (rows, columns), 0..1."""
        far = 1 / (np.maximum(height, 0) + np.float32(0.11))
        u = x[None] * far[:, None] * np.float32(_DRIFT) + np.float32(self._origin[0] + _WIND[0] * t)
        v = np.broadcast_to((far * np.float32(_DRIFT) + np.float32(self._origin[1] + _WIND[1] * t))[:, None], u.shape)
        bend = sample(self._noise, u * np.float32(0.5) + 90, v * np.float32(0.5) - np.float32(t * 0.6))
        u = u + bend * 9
        v = v * np.float32(1.25) + bend * 6
        body = sample(self._noise, u, v)
        fine = sample(self._noise, u * 4 + np.float32(0.8 * t), v * 4)
        toward = sample(self._noise, u + np.float32(3 * math.copysign(1, self._world.lighting.sun[0])), v + 9)
        # Clouds are where the noise is above a threshold, which depends on the requested amount.
        floor = 1.75 - 2.9 * self._clouds
        cover = smoothstep(floor, floor + 1.7, body + fine * np.float32(0.28))
        lit = np.clip(np.float32(0.42) + (body - toward) * np.float32(0.42) + fine * np.float32(0.10), 0, 1)
        lit *= 1 - np.float32(0.45) * cover * np.float32(self._clouds)
        cover *= (smoothstep(0.0, 0.09, height) * np.float32(0.94))[:, None]
        return cover, lit

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        viewport, hour, sun = self._world.viewport, self._world.lighting.hour, self._world.lighting.sun
        canvas[:, slice(*span)] = upsample(prepared[:3], span, viewport.width)
        middle = viewport.horizon - sun[1] * viewport.unit
        reach = int(hour.radius * 1.2 * viewport.unit) + 2
        first, last = intersect(span, (int(middle) - reach, int(middle) + reach))
        if not hour.disc or first >= last:
            return
        x = viewport.columns() + np.float32(state.parallax(0) - sun[0])
        near = slice(*np.searchsorted(x, (-hour.radius * 1.2, hour.radius * 1.2)))
        square = x[near] ** 2 + (viewport.rows(first, last)[:, None] - np.float32(sun[1])) ** 2
        disc = np.clip((np.float32(hour.radius) - np.sqrt(square)) * np.float32(viewport.unit) + 0.5, 0, 1)
        rows, columns = np.arange(first, last) >> 1, np.arange(near.start, near.stop) >> 1
        disc *= (1 - prepared[3][np.ix_(rows, np.minimum(columns, prepared.shape[2] - 1))]) ** 2 * np.float32(hour.disc)
        canvas[:, first:last, near] += disc * as_planes(hour.sun)


def sky_gradient(world: World, height: F32, x: F32) -> F32:
    """Clear sky, float32 (3, len(height), len(x)); height over the horizon and x in picture units."""
    hour = world.lighting.hour
    low = smoothstep(0.0, 0.26, height)[None, :, None]
    high = smoothstep(0.10, 0.75, height)[None, :, None]
    middle, zenith = as_planes(hour.middle), as_planes(hour.zenith)
    warmth = np.exp(-((x - np.float32(world.lighting.sun[0])) ** 2) * np.float32(1.6))

    def climb(horizon: F32) -> F32:
        color = horizon + (middle - horizon) * low
        return np.asarray(color + (zenith - color) * high, np.float32)

    near, away = climb(as_planes(hour.near)), climb(as_planes(hour.away))
    return np.asarray(away + (near - away) * warmth, np.float32)


def horizon_color(world: World, state: FrameState) -> F32:
    """Colour of the haze at the horizon, float32 (3, 1, W)."""
    return sky_gradient(world, np.array([0.012], np.float32), world.viewport.columns() + np.float32(state.parallax(0)))


class Stars(Layer):
    """Twinkling points above the horizon. `strength`: brightness."""

    order = STARS

    def __init__(self, world: World, strength: float, rows: int) -> None:
        self._world, self._strength, self._rows = world, strength, rows
        viewport, rng = world.viewport, world.rng("stars")
        count = int(420 * viewport.width * rows / viewport.unit**2)
        self._x = rng.uniform(-1.15, 1.15, count).astype(np.float32) * np.float32(viewport.half_width + 0.2)
        self._y = rng.uniform(0, rows, count).astype(np.float32)
        self._light = (0.05 + rng.random(count) ** 7 * 1.5).astype(np.float32)
        self._phase = rng.uniform(0, 2 * np.pi, count).astype(np.float32)
        self._rate = np.array([world.rate(rate) for rate in rng.uniform(0.2, 0.7, count)], np.float32)
        fade = smoothstep(0.0, 0.16, (rows - self._y) / np.float32(viewport.unit))
        self._light *= fade * np.float32(strength)

    def prepare(self, state: FrameState, canvas: F32) -> Any:
        """The light of the stars, float32 (rows, W)."""
        viewport = self._world.viewport
        plane = np.zeros((self._rows, viewport.width), np.float32)
        x = (self._x - np.float32(state.parallax(0))) * np.float32(viewport.unit) + viewport.width / 2
        twinkle = 0.85 + 0.15 * np.sin(self._phase + self._rate * np.float32(2 * np.pi * state.t))
        add_dots(plane, x, self._y, max(0.72, viewport.unit / 520), (self._light * twinkle).astype(np.float32))
        return plane

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        first, last = intersect(span, (0, self._rows))
        if first < last:
            canvas[:, first:last] += prepared[first:last] * as_planes((0.88, 0.93, 1.0))
