"""Beams of light through mist or water, and banks of mist, as soft layers at a quarter of the size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from videogen.engines.procedural.bands import Span, clip
from videogen.engines.procedural.camera import Moment
from videogen.engines.procedural.layer import Layer, World
from videogen.engines.procedural.noise import F32, profile, smooth, spectral, tap, tap_line, tile
from videogen.engines.procedural.palette import Rgb, column
from videogen.engines.procedural.resample import double


class Shafts(Layer):
    """Beams that fan out from a point over the picture. `origin`: where, (x, height) in picture units; `reach`: how far
    they go; `pace`: how fast they change."""

    def __init__(self, world: World, origin: tuple[float, float], color: Rgb, reach: float, pace: float) -> None:
        self._world, self._pace = world, pace
        self._color = column(color)
        rng = world.rng("shafts")
        self._lines = [profile(1024, 2.0, rng, (10, 60)) for _ in range(2)]
        frame = world.frame
        x = frame.columns(4) - np.float32(origin[0])
        y = np.float32(origin[1]) - frame.rows(0, -(-frame.height // 4), 4)[:, None]
        self._angle = np.arctan2(x, y) * np.float32(330)
        distance = np.sqrt(x * x + y * y)
        self._fade = np.exp(-distance / np.float32(reach)) * smooth(0.1, 0.6, distance)

    def prepare(self, moment: Moment, canvas: F32) -> Any:
        """The beams' strength at half size, float32 (1, H / 2, W / 2)."""
        t = np.float32(moment.t * self._pace)
        beams = tap_line(self._lines[0], self._angle + 9 * t) + tap_line(self._lines[1], self._angle * 0.6 - 7 * t)
        beams = smooth(-0.25, 1.3, beams) * self._fade
        half = self._world.frame
        return double(beams[None], (0, half.height // 2), half.width // 2)

    def paint(self, canvas: F32, span: Span, moment: Moment, ready: Any) -> None:
        """See `Layer.paint`."""
        canvas[:, slice(*span)] += double(ready, span, self._world.frame.width) * self._color


@dataclass(frozen=True)
class Bank:
    """Where mist lies: `middle` height over the horizon and `half` its thickness, in picture units."""

    middle: float
    half: float
    thickness: float
    color: Rgb
    speed: float = 0.05  # picture units a second


class Mist(Layer):
    """One drifting bank."""

    def __init__(self, world: World, bank: Bank, name: str, order: float) -> None:
        self.order = order
        self._world, self._bank = world, bank
        rng = world.rng(name)
        self._noise = tile(spectral(128, 3.0, rng, (1, 24), 1.6))
        self._way = 1.0 if rng.random() < 0.5 else -1.0
        frame, reach = world.frame, 2.6 * bank.half
        top = frame.horizon - int((bank.middle + reach) * frame.unit)
        bottom = frame.horizon - int((bank.middle - reach) * frame.unit)
        self._rows = clip((0, frame.height), (top // 8 * 8, bottom // 8 * 8 + 8))
        height = frame.rows(self._rows[0] // 4, -(-self._rows[1] // 4), 4)[:, None]
        self._shape = np.exp(-(((height - np.float32(bank.middle)) / np.float32(bank.half)) ** 2))
        self._height = height
        self._color = column(bank.color)

    def prepare(self, moment: Moment, canvas: F32) -> Any:
        """Thickness at half size, float32 (1, rows, W / 2)."""
        frame = self._world.frame
        if self._rows[0] >= self._rows[1]:
            return None
        x = frame.columns(4) + np.float32(moment.shift(0.5) + self._way * self._bank.speed * moment.t)
        u = np.broadcast_to(x * np.float32(36), (len(self._height), len(x)))
        v = np.broadcast_to(self._height * np.float32(70), u.shape)
        swirl = tap(self._noise, u, v + np.float32(0.8 * moment.t))
        swirl += tap(self._noise, u * np.float32(2.3) + np.float32(2 * moment.t), v * np.float32(2.1)) * np.float32(0.5)
        thick = smooth(-1.6, 1.5, swirl) * self._shape * np.float32(self._bank.thickness)
        return double(thick[None], (0, 2 * len(self._height)), frame.width // 2)

    def paint(self, canvas: F32, span: Span, moment: Moment, ready: Any) -> None:
        """See `Layer.paint`."""
        first, last = clip(span, self._rows)
        if first < last:
            thick = double(ready, (first - self._rows[0], last - self._rows[0]), self._world.frame.width)
            area = canvas[:, first:last]
            area += (self._color - area) * thick
