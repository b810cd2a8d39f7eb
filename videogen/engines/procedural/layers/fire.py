"""A fire: flames, sparks, and its light on the environment."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from videogen.engines.procedural.camera import FrameState
from videogen.engines.procedural.layer import NEAR, Layer, World
from videogen.engines.procedural.noise import F32, make_texture, sample, smoothstep, spectral_noise
from videogen.engines.procedural.palette import Rgb, as_planes, mix, scale
from videogen.engines.procedural.particles import add_dots
from videogen.engines.procedural.resample import upsample
from videogen.engines.procedural.row_bands import Span, intersect
from videogen.engines.procedural.sprite import Sprite, blit, encode_color, sprite_from_image

_LEVELS = 512


class Fire(Layer):
    """A fire. `position` of its bottom (x, height), `size` (height): picture units. `color`: edge of the flames."""

    order = NEAR

    def __init__(self, world: World, position: tuple[float, float], size: float, color: Rgb) -> None:
        self._world, self._size = world, size
        viewport, rng = world.viewport, world.rng(f"fire {position[0]:.3f}")
        self._noise = make_texture(spectral_noise(256, 2.5, rng, (3, 100), 1.7))
        self._ramp = _ramp(color)
        self._glow = as_planes(scale(color, 0.32))
        self._x = position[0] * viewport.unit + viewport.width / 2
        self._foot = int(viewport.horizon - position[1] * viewport.unit)
        reach = int(size * viewport.unit * 0.62) // 2 * 2
        top = (self._foot - int(size * viewport.unit * 1.30)) // 2 * 2
        self._rows = intersect((0, viewport.height), (top, self._foot // 2 * 2 + 2))
        self._columns = intersect((0, viewport.width), (int(self._x) // 2 * 2 - reach, int(self._x) // 2 * 2 + reach))
        self._sparks = rng.random((4, int(26 + 60 * size))).astype(np.float32)
        self._phases = rng.uniform(0, 6.28, 4)
        self._logs = _draw_logs(size * viewport.unit, rng)

    def _flicker(self, t: float) -> float:
        rates = [self._world.rate(hertz) for hertz in (1.3, 2.9, 4.7, 7.1)]
        waves = sum(float(np.sin(6.2832 * rate * t + p)) for rate, p in zip(rates, self._phases, strict=True))
        return 1 + 0.035 * waves

    def prepare(self, state: FrameState, canvas: F32) -> Any:
        """The flames at half size, float32 (3, rows, columns), the light of the sparks, float32 (rows, columns), and
        the brightness."""
        viewport = self._world.viewport
        t = state.t
        y = (self._foot - (np.arange(*self._rows, 2, dtype=np.float32) + 1)) / np.float32(self._size * viewport.unit)
        x = np.arange(*self._columns, 2, dtype=np.float32) + np.float32(
            1 - self._x + state.parallax(0.7) * viewport.unit
        )
        x /= np.float32(self._size * viewport.unit)
        x, y = np.broadcast_arrays(x[None], y[:, None])
        scroll = np.float32(120 * t)
        bend = sample(self._noise, x * 55 + 20, y * 38 - scroll * np.float32(0.55))
        lick = sample(self._noise, x * 110 + bend * 7, y * 60 - scroll)
        lick += sample(self._noise, x * 230 + 90, y * 120 - scroll * np.float32(1.7)) * np.float32(0.42)
        rise = np.clip(y, 0, 1.4)
        width = np.float32(0.235) * np.sqrt(np.clip(rise * 9 + np.float32(0.25), 0, 1)) * (1 - np.float32(0.55) * rise)
        across = (x + bend * rise * np.float32(0.085)) / np.maximum(width, 0.02)
        heat = np.float32(1.25) - across * across * (1 + rise) - rise * np.float32(1.22)
        heat += lick * (np.float32(0.10) + np.float32(0.40) * rise)
        heat *= smoothstep(-0.03, 0.03, y) * smoothstep(1.28, 0.95, y)
        index = (np.clip(heat * np.float32(0.72), 0, 1) * (_LEVELS - 1)).astype(np.intp)
        flames = self._ramp.take(index, axis=1) * np.float32(self._flicker(t))
        return flames, self._spark_light(t, state), self._flicker(t)

    def _spark_light(self, t: float, state: FrameState) -> F32:
        viewport, sparks = self._world.viewport, self._sparks
        plane = np.zeros((self._rows[1] - self._rows[0], self._columns[1] - self._columns[0]), np.float32)
        rates = np.array([self._world.rate(float(0.35 + 0.5 * value)) for value in sparks[2]], np.float32)
        age = np.mod(sparks[0] + rates * np.float32(t), 1)
        reach = self._size * viewport.unit
        sway = np.sin(age * (5 + 6 * sparks[3]) + sparks[1] * 40) * np.float32(0.10) * age
        x = self._x - self._columns[0] + ((sparks[1] - np.float32(0.5)) * (0.22 + 0.5 * age) + sway) * reach
        y = self._foot - self._rows[0] - age * np.float32(1.3) * reach
        bright = (1 - age) * smoothstep(0.0, 0.15, age) * (0.6 + 2.0 * sparks[3])
        add_dots(
            plane,
            (x - np.float32(state.parallax(0.7) * viewport.unit)).astype(np.float32),
            y.astype(np.float32),
            max(0.8, viewport.unit / 420),
            bright.astype(np.float32),
        )
        return plane

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        viewport = self._world.viewport
        flames, sparks, flicker = prepared
        self._light_up(canvas, span, state, flicker)
        shift = state.parallax(0.7) * viewport.unit
        rows, columns = self._logs.size
        blit(canvas, span, self._logs, (self._x - shift - columns / 2, self._foot - rows * 0.62))
        first, last = intersect(span, self._rows)
        if first >= last:
            return
        columns_here = slice(*self._columns)
        light = upsample(flames, (first - self._rows[0], last - self._rows[0]), self._columns[1] - self._columns[0])
        canvas[:, first:last, columns_here] += light
        canvas[:, first:last, columns_here] += sparks[first - self._rows[0] : last - self._rows[0]] * as_planes(
            (3.0, 1.1, 0.25)
        )

    def _light_up(self, canvas: F32, span: Span, state: FrameState, flicker: float) -> None:
        """Warm light on everything near the fire, and a glow in the air."""
        viewport = self._world.viewport
        x = (
            np.arange(viewport.width, dtype=np.float32)
            + np.float32(0.5 - self._x + state.parallax(0.7) * viewport.unit)
        ) / np.float32(viewport.unit)
        below = (np.arange(*span, dtype=np.float32)[:, None] + np.float32(0.5 - self._foot)) / np.float32(viewport.unit)
        ground = np.arange(*span)[:, None] >= viewport.horizon
        flat = np.where(ground, below * np.float32(1.7), below + np.float32(self._size * 0.35))
        square = (x * x + flat * flat) * np.float32(1 / self._size**2)
        near = np.float32(flicker) / (1 + square * np.float32(3.2)) ** 2
        area = canvas[:, slice(*span)]
        area *= 1 + near * as_planes((26.0, 11.0, 3.4)) * np.float32(0.42)
        # Mostly the ground is lit, the air only a little.
        area += near * self._glow * np.where(ground, np.float32(0.95), np.float32(0.14))


def _ramp(color: Rgb) -> F32:
    """Light of a flame by its heat, float32 (3, _LEVELS)."""
    heat = np.linspace(0, 1, _LEVELS)
    hot = mix((4.2, 2.0, 0.55), scale(color, 4.0), 0.5)
    stops = ((0.0, 0.0, 0.0), scale(color, 0.10), scale(color, 1.1), hot, (6.5, 4.6, 2.0))
    return np.array(
        [np.interp(heat, (0, 0.12, 0.34, 0.66, 1), [stop[c] for stop in stops]) for c in range(3)], np.float32
    )


def _draw_logs(size: float, rng: np.random.Generator) -> Sprite:
    """Stacked logs with embers between them."""
    fine = 2
    width, height = int(size * 0.62) * fine, int(size * 0.20) * fine
    image = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    pen.ellipse((width * 0.14, height * 0.55, width * 0.86, height * 0.98), fill=encode_color((0.9, 0.16, 0.02)))
    for _ in range(9):
        middle, length = width * rng.uniform(0.35, 0.65), width * rng.uniform(0.22, 0.36)
        lean = rng.uniform(-0.5, 0.5)
        thickness = int(height * rng.uniform(0.11, 0.16))
        y = height * rng.uniform(0.62, 0.85)
        ends = (middle - length, y + lean * length * 0.4, middle + length, y - lean * length * 0.4)
        pen.line(ends, fill=encode_color((0.030, 0.016, 0.010)), width=thickness)
        pen.line(
            (ends[0], ends[1] - thickness * 0.3, ends[2], ends[3] - thickness * 0.3),
            fill=encode_color((0.16, 0.045, 0.012)),
            width=max(1, thickness // 5),
        )
    return sprite_from_image(image, fine)
