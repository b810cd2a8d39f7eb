"""The sky: gradient, glow and sun, with clouds that drift over it, at half size and enlarged once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from videogen.engines.procedural.bands import Span, clip, cut
from videogen.engines.procedural.camera import Moment
from videogen.engines.procedural.layer import SKY, STARS, Layer, World
from videogen.engines.procedural.noise import F32, smooth, spectral, tap, tile
from videogen.engines.procedural.palette import column
from videogen.engines.procedural.resample import double
from videogen.engines.procedural.splat import splat
from videogen.engines.procedural.strip import slide, split

_WIND = (5.0, 1.6)  # texels a second
_DRIFT = 34.0  # texels per picture unit of cloud plane


class Sky(Layer):
    """Everything behind the land, over all rows; under the horizon it is the colour of the air."""

    order = SKY

    def __init__(self, world: World, clouds: float) -> None:
        self._world, self._clouds = world, clouds
        self._side = -(-world.margin // 2) + 1
        self._plate = self._bake()
        rng = world.rng("clouds")
        self._noise = tile(spectral(512, 3.1, rng, (3, 250)))
        self._origin = rng.random(2).astype(np.float32) * 512

    def _columns(self) -> F32:
        """Middles of the plate's columns at half size, with margins, in picture units."""
        frame = self._world.frame
        at = np.arange(frame.width // 2 + 2 * self._side, dtype=np.float32) - self._side
        return ((at + 0.5) * 2 - frame.width / 2) / np.float32(frame.unit)

    def _bake(self) -> F32:
        """Clear sky with the sun's halo, float32 (4, H / 2, columns): colour, and how near the sun is."""
        frame, hour, sun = self._world.frame, self._world.air.hour, self._world.air.sun
        x, height = self._columns(), frame.rows(0, frame.height // 2, scale=2)
        light = gradient(self._world, np.maximum(height, 0), x)
        square = (x - np.float32(sun[0])) ** 2 + (height[:, None] - np.float32(sun[1])) ** 2
        halo = 0.16 / (1 + square * 9) ** 2 + 0.34 / (1 + square * 90) ** 2 + 0.5 / (1 + square * 900) ** 2
        light += halo * np.float32(hour.halo) * column(hour.sun)
        return np.concatenate([light, (1 / (1 + square * 14))[None]]).astype(np.float32)

    def prepare(self, moment: Moment, canvas: F32) -> Any:
        """The sky at half size, float32 (4, H / 2, W / 2): light, and how much of it is cloud."""
        frame = self._world.frame
        start, part = split(moment.shift(0) * frame.unit / 2 + self._side)
        half = np.array(slide(self._plate, start, part, frame.width // 2))
        near = half[3]
        if self._clouds <= 0:
            near[:] = 0
            return half
        x = frame.columns(2) + np.float32(moment.shift(0))
        for span in cut(0, -(-frame.horizon // 2), frame.width // 2):
            self._cover(half[:, slice(*span)], span, x, moment.t)
        half[3, -(-frame.horizon // 2) :] = 0
        return half

    def _cover(self, half: F32, span: Span, x: F32, t: float) -> None:
        """Lay the clouds over some rows; `half` is changed: its last plane becomes their cover."""
        hour = self._world.air.hour
        cover, lit = self._cloud(self._world.frame.rows(*span, scale=2), x, t)
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
        """Cover and light of the clouds, each (rows, columns) and 0..1."""
        far = 1 / (np.maximum(height, 0) + np.float32(0.11))
        u = x[None] * far[:, None] * np.float32(_DRIFT) + np.float32(self._origin[0] + _WIND[0] * t)
        v = np.broadcast_to((far * np.float32(_DRIFT) + np.float32(self._origin[1] + _WIND[1] * t))[:, None], u.shape)
        bend = tap(self._noise, u * np.float32(0.5) + 90, v * np.float32(0.5) - np.float32(t * 0.6))
        u = u + bend * 9
        v = v * np.float32(1.25) + bend * 6
        body = tap(self._noise, u, v)
        fine = tap(self._noise, u * 4 + np.float32(0.8 * t), v * 4)
        toward = tap(self._noise, u + np.float32(3 * math.copysign(1, self._world.air.sun[0])), v + 9)
        # Cover rises with the amount asked for; high noise is cloud.
        floor = 1.75 - 2.9 * self._clouds
        cover = smooth(floor, floor + 1.7, body + fine * np.float32(0.28))
        lit = np.clip(np.float32(0.42) + (body - toward) * np.float32(0.42) + fine * np.float32(0.10), 0, 1)
        lit *= 1 - np.float32(0.45) * cover * np.float32(self._clouds)
        cover *= (smooth(0.0, 0.09, height) * np.float32(0.94))[:, None]
        return cover, lit

    def paint(self, canvas: F32, span: Span, moment: Moment, ready: Any) -> None:
        """See `Layer.paint`."""
        frame, hour, sun = self._world.frame, self._world.air.hour, self._world.air.sun
        canvas[:, slice(*span)] = double(ready[:3], span, frame.width)
        middle = frame.horizon - sun[1] * frame.unit
        reach = int(hour.radius * 1.2 * frame.unit) + 2
        first, last = clip(span, (int(middle) - reach, int(middle) + reach))
        if not hour.disc or first >= last:
            return
        x = frame.columns() + np.float32(moment.shift(0) - sun[0])
        near = slice(*np.searchsorted(x, (-hour.radius * 1.2, hour.radius * 1.2)))
        square = x[near] ** 2 + (frame.rows(first, last)[:, None] - np.float32(sun[1])) ** 2
        disc = np.clip((np.float32(hour.radius) - np.sqrt(square)) * np.float32(frame.unit) + 0.5, 0, 1)
        rows, columns = np.arange(first, last) >> 1, np.arange(near.start, near.stop) >> 1
        disc *= (1 - ready[3][np.ix_(rows, np.minimum(columns, ready.shape[2] - 1))]) ** 2 * np.float32(hour.disc)
        canvas[:, first:last, near] += disc * column(hour.sun)


def gradient(world: World, height: F32, x: F32) -> F32:
    """Clear sky, float32 (3, len(height), len(x)), at heights over the horizon and places across, picture units."""
    hour = world.air.hour
    low = smooth(0.0, 0.26, height)[None, :, None]
    high = smooth(0.10, 0.75, height)[None, :, None]
    middle, zenith = column(hour.middle), column(hour.zenith)
    warmth = np.exp(-((x - np.float32(world.air.sun[0])) ** 2) * np.float32(1.6))

    def climb(horizon: F32) -> F32:
        color = horizon + (middle - horizon) * low
        return np.asarray(color + (zenith - color) * high, np.float32)

    near, away = climb(column(hour.near)), climb(column(hour.away))
    return np.asarray(away + (near - away) * warmth, np.float32)


def haze(world: World, moment: Moment) -> F32:
    """Colour of the air at the horizon, float32 (3, 1, W)."""
    return gradient(world, np.array([0.012], np.float32), world.frame.columns() + np.float32(moment.shift(0)))


class Stars(Layer):
    """Points that twinkle over the horizon, `strength` bright."""

    order = STARS

    def __init__(self, world: World, strength: float, rows: int) -> None:
        self._world, self._strength, self._rows = world, strength, rows
        frame, rng = world.frame, world.rng("stars")
        count = int(420 * frame.width * rows / frame.unit**2)
        self._x = rng.uniform(-1.15, 1.15, count).astype(np.float32) * np.float32(frame.half_width + 0.2)
        self._y = rng.uniform(0, rows, count).astype(np.float32)
        self._light = (0.05 + rng.random(count) ** 7 * 1.5).astype(np.float32)
        self._phase = rng.uniform(0, 2 * np.pi, count).astype(np.float32)
        self._rate = np.array([world.rate(rate) for rate in rng.uniform(0.2, 0.7, count)], np.float32)
        fade = smooth(0.0, 0.16, (rows - self._y) / np.float32(frame.unit))
        self._light *= fade * np.float32(strength)

    def prepare(self, moment: Moment, canvas: F32) -> Any:
        """The stars' light, float32 (rows, W)."""
        frame = self._world.frame
        plane = np.zeros((self._rows, frame.width), np.float32)
        x = (self._x - np.float32(moment.shift(0))) * np.float32(frame.unit) + frame.width / 2
        twinkle = 0.85 + 0.15 * np.sin(self._phase + self._rate * np.float32(2 * np.pi * moment.t))
        splat(plane, x, self._y, max(0.72, frame.unit / 520), (self._light * twinkle).astype(np.float32))
        return plane

    def paint(self, canvas: F32, span: Span, moment: Moment, ready: Any) -> None:
        """See `Layer.paint`."""
        first, last = clip(span, (0, self._rows))
        if first < last:
            canvas[:, first:last] += ready[first:last] * column((0.88, 0.93, 1.0))
