"""Light beams through mist or water, and banks of mist, computed at a quarter of the size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from videogen.engines.procedural.camera import FrameState
from videogen.engines.procedural.layer import Layer, World
from videogen.engines.procedural.noise import F32, make_texture, noise_1d, sample, sample_1d, smoothstep, spectral_noise
from videogen.engines.procedural.palette import Rgb, as_planes
from videogen.engines.procedural.resample import upsample
from videogen.engines.procedural.row_bands import Span, intersect


class LightBeams(Layer):
    """Beams from a point above the picture. `origin`: (x, height) and `reach`: length, in picture units. `pace`: speed
    of change."""

    def __init__(self, world: World, origin: tuple[float, float], color: Rgb, reach: float, pace: float) -> None:
        self._world, self._pace = world, pace
        self._color = as_planes(color)
        rng = world.rng("shafts")
        self._lines = [noise_1d(1024, 2.0, rng, (10, 60)) for _ in range(2)]
        viewport = world.viewport
        x = viewport.columns(4) - np.float32(origin[0])
        y = np.float32(origin[1]) - viewport.rows(0, -(-viewport.height // 4), 4)[:, None]
        self._angle = np.arctan2(x, y) * np.float32(330)
        distance = np.sqrt(x * x + y * y)
        self._fade = np.exp(-distance / np.float32(reach)) * smoothstep(0.1, 0.6, distance)

    def prepare(self, state: FrameState, canvas: F32) -> Any:
        """Strength of the beams at half size, float32 (1, H / 2, W / 2)."""
        t = np.float32(state.t * self._pace)
        beams = sample_1d(self._lines[0], self._angle + 9 * t) + sample_1d(self._lines[1], self._angle * 0.6 - 7 * t)
        beams = smoothstep(-0.25, 1.3, beams) * self._fade
        half = self._world.viewport
        return upsample(beams[None], (0, half.height // 2), half.width // 2)

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        canvas[:, slice(*span)] += upsample(prepared, span, self._world.viewport.width) * self._color


@dataclass(frozen=True)
class MistBank:
    """`middle`: height over the horizon, `half`: half of the thickness, both in picture units. `thickness`: opacity,
    0..1."""

    middle: float
    half: float
    thickness: float
    color: Rgb
    speed: float = 0.05  # picture units per second


class Mist(Layer):
    """One drifting bank of mist."""

    def __init__(self, world: World, bank: MistBank, name: str, order: float) -> None:
        self.order = order
        self._world, self._bank = world, bank
        rng = world.rng(name)
        self._noise = make_texture(spectral_noise(128, 3.0, rng, (1, 24), 1.6))
        self._direction = 1.0 if rng.random() < 0.5 else -1.0
        viewport, reach = world.viewport, 2.6 * bank.half
        top = viewport.horizon - int((bank.middle + reach) * viewport.unit)
        bottom = viewport.horizon - int((bank.middle - reach) * viewport.unit)
        self._rows = intersect((0, viewport.height), (top // 8 * 8, bottom // 8 * 8 + 8))
        height = viewport.rows(self._rows[0] // 4, -(-self._rows[1] // 4), 4)[:, None]
        self._shape = np.exp(-(((height - np.float32(bank.middle)) / np.float32(bank.half)) ** 2))
        self._height = height
        self._color = as_planes(bank.color)

    def prepare(self, state: FrameState, canvas: F32) -> Any:
        """Opacity at half size, float32 (1, rows, W / 2)."""
        viewport = self._world.viewport
        if self._rows[0] >= self._rows[1]:
            return None
        x = viewport.columns(4) + np.float32(state.parallax(0.5) + self._direction * self._bank.speed * state.t)
        u = np.broadcast_to(x * np.float32(36), (len(self._height), len(x)))
        v = np.broadcast_to(self._height * np.float32(70), u.shape)
        swirl = sample(self._noise, u, v + np.float32(0.8 * state.t))
        swirl += sample(self._noise, u * np.float32(2.3) + np.float32(2 * state.t), v * np.float32(2.1)) * np.float32(
            0.5
        )
        opacity = smoothstep(-1.6, 1.5, swirl) * self._shape * np.float32(self._bank.thickness)
        return upsample(opacity[None], (0, 2 * len(self._height)), viewport.width // 2)

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        first, last = intersect(span, self._rows)
        if first < last:
            opacity = upsample(prepared, (first - self._rows[0], last - self._rows[0]), self._world.viewport.width)
            area = canvas[:, first:last]
            area += (self._color - area) * opacity
