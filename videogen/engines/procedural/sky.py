"""The ocean's sky: gradient, glow, drifting clouds and sun, painted at half size and enlarged."""

import math

import numpy as np

from videogen.engines.procedural.bands import Bands, Span
from videogen.engines.procedural.frame import Frame
from videogen.engines.procedural.noise import F32, smooth, spectral, tap, tile
from videogen.engines.procedural.palette import Hour, column
from videogen.engines.procedural.resample import double
from videogen.engines.procedural.splat import splat

_WIND = (5.0, 1.6)  # texels a second
_DRIFT = 34.0  # texels per picture unit of cloud plane


class Sky:
    """Everything over the horizon but the land. `sun` is its place (x, height) in picture units."""

    def __init__(self, frame: Frame, hour: Hour, clouds: float, stars: bool, rng: np.random.Generator) -> None:
        self._frame, self._hour, self._clouds = frame, hour, clouds
        side = frame.half_width * 0.62
        self.sun = (float(rng.uniform(-side, side)), float(rng.uniform(hour.low, hour.high)))
        self._noise = tile(spectral(512, 3.1, rng, (3, 250)))
        self._origin = rng.random(2).astype(np.float32) * 512
        count = int(260 * hour.stars) if stars else 0
        self._star_x = rng.uniform(-1.3, 1.3, count).astype(np.float32) * np.float32(max(1.0, frame.half_width))
        self._star_y = rng.uniform(0.02, frame.horizon / frame.unit, count).astype(np.float32)
        self._star_light = (0.15 + rng.random(count).astype(np.float32) ** 4 * 1.6).astype(np.float32)

    def paint(self, canvas: F32, t: float, pan: float, pace: float, bands: Bands) -> None:
        """Fill rows 0..horizon of the canvas, float32 (3, H, W), as seen at time t with the camera at `pan`."""
        frame = self._frame
        rows = -(-frame.horizon // 2)
        half = np.empty((4, rows, frame.width // 2), np.float32)
        bands.rows((0, rows), frame.width // 2, lambda span: self._paint_half(half, span, t * pace, pan))
        bands.rows((0, frame.horizon), frame.width, lambda span: self._enlarge(half, canvas, span, pan))
        if len(self._star_x):
            self._paint_stars(half[3:], canvas, t, pan)

    def haze(self, pan: float) -> F32:
        """Colour of the air at the horizon, float32 (3, 1, W)."""
        return self._gradient(np.array([0.012], np.float32), self._frame.columns() + np.float32(pan))

    def _gradient(self, height: F32, x: F32) -> F32:
        """Clear sky, float32 (3, len(height), len(x))."""
        hour = self._hour
        low = smooth(0.0, 0.26, height)[None, :, None]
        high = smooth(0.10, 0.75, height)[None, :, None]
        middle, zenith = column(hour.middle), column(hour.zenith)
        warmth = np.exp(-((x - np.float32(self.sun[0])) ** 2) * np.float32(1.6))

        def climb(horizon: F32) -> F32:
            color = horizon + (middle - horizon) * low
            return np.asarray(color + (zenith - color) * high, np.float32)

        near, away = climb(column(hour.near)), climb(column(hour.away))
        return np.asarray(away + (near - away) * warmth, np.float32)

    def _paint_half(self, half: F32, span: Span, t: float, pan: float) -> None:
        frame, hour = self._frame, self._hour
        height = frame.rows(*span, scale=2)
        x = frame.columns(2) + np.float32(pan)
        light = self._gradient(np.maximum(height, 0), x)
        square = (x - np.float32(self.sun[0])) ** 2 + (height[:, None] - np.float32(self.sun[1])) ** 2
        halo = hour.halo * (
            0.16 / (1 + square * 9) ** 2 + 0.34 / (1 + square * 90) ** 2 + 0.5 / (1 + square * 900) ** 2
        )
        cover, lit = self._cloud(height, x, t)
        edge = (1 - cover) / (1 + square * 14)
        for channel in range(3):
            light[channel] += halo * np.float32(hour.sun[channel])
            dark, bright = hour.cloud_dark[channel], hour.cloud_lit[channel]
            cloud = lit * np.float32(bright - dark)
            cloud += np.float32(dark)
            cloud += edge * np.float32(hour.sun[channel] * hour.halo * 0.5)
            cloud -= light[channel]
            cloud *= cover
            light[channel] += cloud
        half[:3, span[0] : span[1]] = light
        half[3, span[0] : span[1]] = cover

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
        toward = tap(self._noise, u + np.float32(3 * math.copysign(1, self.sun[0])), v + 9)
        # Cover rises with the amount asked for; high noise is cloud.
        floor = 1.75 - 2.9 * self._clouds
        cover = smooth(floor, floor + 1.7, body + fine * np.float32(0.28))
        lit = np.clip(np.float32(0.42) + (body - toward) * np.float32(0.42) + fine * np.float32(0.10), 0, 1)
        lit *= 1 - np.float32(0.45) * cover * np.float32(self._clouds)
        cover *= (smooth(0.0, 0.09, height) * np.float32(0.94))[:, None]
        return cover, lit

    def _enlarge(self, half: F32, canvas: F32, span: Span, pan: float) -> None:
        frame, hour = self._frame, self._hour
        full = double(half, span, frame.width)
        canvas[:, span[0] : span[1]] = full[:3]
        height = frame.rows(*span)
        if (
            hour.disc
            and height.min() < self.sun[1] + hour.radius * 1.2
            and height.max() > self.sun[1] - hour.radius * 1.2
        ):
            x = frame.columns() + np.float32(pan - self.sun[0])
            distance = np.sqrt(x**2 + (height[:, None] - np.float32(self.sun[1])) ** 2)
            disc = np.clip((np.float32(hour.radius) - distance) * np.float32(frame.unit) + 0.5, 0, 1)
            disc *= (1 - full[3]) ** 2 * np.float32(hour.disc)
            canvas[:, span[0] : span[1]] += disc * column(hour.sun)

    def _paint_stars(self, cover: F32, canvas: F32, t: float, pan: float) -> None:
        frame = self._frame
        plane = np.zeros((frame.horizon, frame.width), np.float32)
        x = (self._star_x - np.float32(pan)) * np.float32(frame.unit) + frame.width / 2
        y = frame.horizon - self._star_y * np.float32(frame.unit)
        twinkle = 0.85 + 0.15 * np.sin(self._star_x * 91 + np.float32(2.1 * t))
        fade = smooth(0.03, 0.25, self._star_y)
        splat(plane, x, y, max(0.75, frame.unit / 420), self._star_light * twinkle * fade)
        clear = 1 - double(cover, (0, frame.horizon), frame.width)[0]
        plane *= clear * clear
        canvas[:, : frame.horizon] += plane
