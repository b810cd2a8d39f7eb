"""Rain, snow and fog in front of any subject."""

from __future__ import annotations

from typing import Any

import numpy as np

from videogen.engines.procedural.camera import FrameState
from videogen.engines.procedural.layer import FALLING, VEIL, Layer, World
from videogen.engines.procedural.noise import F32, make_texture, sample, smoothstep, spectral_noise
from videogen.engines.procedural.particles import add_dots, add_streaks
from videogen.engines.procedural.resample import upsample
from videogen.engines.procedural.row_bands import Span, split_rows

# Picture heights per second, brightness, number of drops.
_RAIN_LAYERS = ((1.3, 0.55, 420), (1.9, 0.8, 230), (2.7, 1.0, 100))
# Radius (pixels at 400 per picture unit), picture heights per second, number of flakes.
_SNOW_LAYERS = ((0.9, 0.055, 300), (1.6, 0.085, 150), (2.8, 0.135, 60), (5.0, 0.21, 16))
_GOLDEN = np.float32(0.618034)


class Falling(Layer):
    """Falling particles. A particle starts again at the top at another x, so that no repetition is visible. In a loop
    it starts at the same x."""

    order = FALLING
    reads_canvas = True
    _brightness: float

    def __init__(self, world: World, kind: str, amount: float, layers: tuple[tuple[float, float, int], ...]) -> None:
        self._world, self._layers = world, layers
        rng = world.rng(kind)
        self._wind = float(rng.uniform(-0.16, 0.16))
        crowd = amount * 1.7 * max(1.0, world.viewport.half_width)
        self._drops = [rng.random((4, int(count * crowd))).astype(np.float32) for _, _, count in layers]

    def _cycle(self, drops: F32, rate: float, spread: float, t: float) -> tuple[F32, F32]:
        """How far each particle has fallen, and its x, both 0..1."""
        rates = rate * (1 - spread / 2 + spread * drops[2])
        if self._world.camera.loop:
            rates = np.maximum(1, np.round(rates * self._world.camera.scene_seconds)) / self._world.camera.scene_seconds
        cycle = drops[1] * 7 + np.asarray(rates, np.float32) * np.float32(t)
        turn = np.floor(cycle)
        hop = 0 if self._world.camera.loop else turn * _GOLDEN
        return cycle - turn, np.mod(drops[0] + hop, 1).astype(np.float32)

    def _opacity(self, t: float) -> F32:
        raise NotImplementedError

    def prepare(self, state: FrameState, canvas: F32) -> Any:
        """Opacity of the particles, float32 (H, W), and the mean light of the picture per channel, (3,)."""
        tone = canvas[:, ::16, ::16].mean(axis=(1, 2))
        return self._opacity(state.t), tone

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        opacity, tone = prepared
        rows = opacity[slice(*span)]
        gain = np.asarray((0.10 + 0.9 * tone + 0.25 * tone.mean()) * self._brightness, np.float32)
        for channel in range(3):
            canvas[channel, slice(*span)] += rows * gain[channel]


class Rain(Falling):
    """Rain as motion-blurred streaks."""

    _brightness = 0.6

    def __init__(self, world: World, amount: float) -> None:
        super().__init__(world, "rain", amount, _RAIN_LAYERS)

    def _opacity(self, t: float) -> F32:
        viewport = self._world.viewport
        opacity = np.zeros((viewport.height, viewport.width), np.float32)
        for (speed, light, _), drops in zip(self._layers, self._drops, strict=True):
            fallen, position = self._cycle(drops, speed, 0.2, t)
            length = viewport.unit * 0.028 * speed
            samples = int(length) + 2
            y = fallen * np.float32(viewport.height + 2 * length) - np.float32(length)
            x = (position * np.float32(1.3) - np.float32(0.15)) * np.float32(viewport.width) + y * np.float32(
                self._wind
            )
            shine = (np.float32(0.35) + np.float32(0.65) * drops[3]) * np.float32(light)
            add_streaks(opacity, x, y, (self._wind * length / samples, length / samples), samples, shine)
        return opacity


class Snow(Falling):
    """Flakes that sway. Near flakes are large and out of focus."""

    _brightness = 1.5

    def __init__(self, world: World, amount: float) -> None:
        super().__init__(world, "snow", amount, _SNOW_LAYERS)
        self._sway = world.rate(0.16)

    def _opacity(self, t: float) -> F32:
        viewport = self._world.viewport
        opacity = np.zeros((viewport.height, viewport.width), np.float32)
        for layer, ((radius, speed, _), flakes) in enumerate(zip(self._layers, self._drops, strict=True)):
            fallen, position = self._cycle(flakes, speed, 0.4, t)
            size = max(0.8, radius * viewport.unit / 400)
            y = fallen * np.float32(viewport.height + 6 * size) - np.float32(3 * size)
            sway = np.sin(flakes[3] * 6.2832 + np.float32(2 * np.pi * self._sway * t)) * np.float32(0.010 * (layer + 1))
            x = (position * np.float32(1.4) - np.float32(0.2)) * np.float32(viewport.width)
            x += (sway + self._wind * (y / viewport.height)) * np.float32(viewport.unit)
            shine = (np.float32(0.3) + np.float32(0.5) * flakes[3]) * np.float32(1.0 - 0.18 * layer)
            add_dots(opacity, x.astype(np.float32), y, size, shine.astype(np.float32))
        return opacity


class Fog(Layer):
    """Drifting banks of fog in the mean colour of the picture, densest near the horizon."""

    order = VEIL - 15
    reads_canvas = True

    def __init__(self, world: World, amount: float) -> None:
        self._world, self._amount = world, amount
        self._mist = make_texture(spectral_noise(128, 3.4, world.rng("fog"), (1, 12)))

    def prepare(self, state: FrameState, canvas: F32) -> Any:
        """Opacity of the fog at half size, float32 (1, H / 2, W / 2), and its colour, (3,)."""
        viewport = self._world.viewport
        tone = canvas[:, ::16, ::16].mean(axis=(1, 2))
        amount = np.empty((1, viewport.height // 2, viewport.width // 2), np.float32)
        across = viewport.columns(2) * 22 + np.float32(state.t * 1.1 + state.parallax(0.5) * 22)
        for first, last in split_rows(0, viewport.height // 2, viewport.width // 2):
            height = viewport.rows(first, last, 2)[:, None]
            bank = np.exp(-((height - 0.02) ** 2) / np.where(height > 0, np.float32(0.09), np.float32(0.05)))
            x = np.broadcast_to(across, (last - first, viewport.width // 2))
            swirl = smoothstep(-2.2, 1.8, sample(self._mist, x, np.broadcast_to(height * 60, x.shape)))
            amount[0, first:last] = bank * (0.35 + 0.65 * swirl) * np.float32(0.85 * self._amount)
        return amount, tone * np.float32(1.1)

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        amount = upsample(prepared[0], span, self._world.viewport.width)[0]
        for channel in range(3):
            area = canvas[channel, slice(*span)]
            area += (prepared[1][channel] - area) * amount
