"""Under water: light from above, sand with caustics, bubbles and particles."""

from __future__ import annotations

from typing import Any

import numpy as np

from videogen.engines.procedural.camera import FrameState
from videogen.engines.procedural.layer import FALLING, GROUND, SKY, Layer, World
from videogen.engines.procedural.noise import F32, Texture, make_texture, sample_rows, smoothstep, spectral_noise
from videogen.engines.procedural.palette import Rgb, as_planes, mix, scale
from videogen.engines.procedural.particles import add_dots
from videogen.engines.procedural.resample import upsample
from videogen.engines.procedural.row_bands import Span, intersect

_BED_TOP = 0.80  # fraction of the picture's height above the far edge of the sand


def caustic_textures(rng: np.random.Generator) -> tuple[Texture, Texture]:
    """Two periodic noise fields. Caustic lines are where their sum is 0."""
    return make_texture(spectral_noise(256, 2.8, rng, (4, 22))), make_texture(spectral_noise(256, 2.8, rng, (4, 22)))


def caustic_lines(fields: tuple[Texture, Texture], x: F32, y: F32, t: float) -> F32:
    """Caustic lines, 0..1, at texel coordinates x (rows, columns) and y (rows,)."""
    drift = np.float32(7 * t)
    (a,) = sample_rows(fields[:1], x + drift, y + drift * np.float32(0.4))
    (b,) = sample_rows(fields[1:], x - drift * np.float32(0.8), y + drift * np.float32(0.6))
    lines = np.abs(a + b)
    lines *= np.float32(-0.72)
    lines += 1
    np.maximum(lines, 0, out=lines)
    lines *= lines
    lines *= lines
    return np.asarray(lines, np.float32)


class OpenWater(Layer):
    """Open water, bright above and dark below, with the surface seen from below."""

    order = SKY

    def __init__(self, world: World, color: Rgb) -> None:
        self._viewport = viewport = world.viewport
        self._fields = caustic_textures(world.rng("surface"))
        self._bright = as_planes(mix(scale(color, 1.5), (0.75, 1.0, 1.0), 0.35))
        down = (np.arange(viewport.height // 2, dtype=np.float32) * 2 + 1) / np.float32(viewport.unit)
        self._down = down
        height = viewport.height / viewport.unit
        deep, middle = as_planes(scale(color, 0.085)), as_planes(scale(color, 0.62))
        fraction = smoothstep(0.0, 0.95 * height, down)[None, :, None]
        x = viewport.columns(2)[None, None] / np.float32(viewport.half_width)
        self._plate = (middle + (deep - middle) * np.sqrt(fraction)) * (1 - np.float32(0.35) * x * x)

    def prepare(self, state: FrameState, canvas: F32) -> Any:
        """The water at half size, float32 (3, H / 2, W / 2)."""
        half = np.array(self._plate)
        # The surface is like a ceiling: distant waves are smaller, and lower in the picture.
        rows = int(np.searchsorted(self._down, 0.34))
        gone = np.float32(0.42) - self._down[:rows]
        far = np.asarray(5 / gone, np.float32)
        x = (self._viewport.columns(2) + np.float32(state.parallax(0.5)))[None] * far[:, None] * np.float32(1.9)
        lines = caustic_lines(self._fields, np.asarray(x, np.float32), far * np.float32(10), state.t * 0.8)
        glow = lines * (np.float32(1.25) * smoothstep(0.33, 0.0, self._down[:rows]) ** 2)[:, None]
        half[:, :rows] += glow * self._bright
        return half

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        canvas[:, slice(*span)] = upsample(prepared, span, self._viewport.width)


class SeaBed(Layer):
    """Sand with caustics. It disappears in the water at a distance."""

    order = GROUND

    def __init__(self, world: World, color: Rgb) -> None:
        self._viewport = viewport = world.viewport
        rng = world.rng("bed")
        self._fields = caustic_textures(rng)
        self._sand = (make_texture(spectral_noise(512, 2.4, rng, (3, 160), 0.5)),)
        self._top = int(viewport.height * _BED_TOP) // 2 * 2
        self._color = as_planes(mix(scale(color, 0.55), (0.30, 0.30, 0.22), 0.45))
        self._light = as_planes(mix(color, (0.9, 1.0, 0.85), 0.6))

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        viewport = self._viewport
        first, last = intersect(span, (self._top, viewport.height))
        if first >= last:
            return
        below = (np.arange(first, last, dtype=np.float32) + np.float32(0.5 - self._top)) / np.float32(viewport.unit)
        far = np.asarray(1 / (below + np.float32(0.10)), np.float32)
        x = (viewport.columns() + np.float32(state.parallax(0.9)))[None] * far[:, None]
        (sand,) = sample_rows(self._sand, x * 16, far * np.float32(34))
        light = caustic_lines(self._fields, x * np.float32(7.5), far * np.float32(24), state.t)
        # The far edge of the sand is curved and fades out.
        edge = below[:, None] + np.float32(0.012) * np.sin(x[:1] * np.float32(0.35) + 1) - np.float32(0.012)
        near = smoothstep(0.0, 0.17, edge)
        tone = (np.float32(0.62) + sand * np.float32(0.10)) * near
        light *= near * np.float32(0.75)
        for channel in range(3):
            area = canvas[channel, first:last]
            lit = tone * self._color[channel]
            lit += light * self._light[channel] * np.float32(0.55)
            area *= 1 - near
            area += lit


class Motes(Layer):
    """Particles that drift, and bubbles that rise in columns."""

    order = FALLING

    def __init__(self, world: World) -> None:
        self._world = world
        rng = world.rng("motes")
        self._specks = rng.random((5, 240)).astype(np.float32)
        self._bubbles = rng.random((4, 46)).astype(np.float32)
        self._springs = rng.uniform(-0.85, 0.85, 5).astype(np.float32) * np.float32(world.viewport.half_width)
        self._rates = np.array([world.rate(float(0.10 + 0.10 * value)) for value in self._bubbles[1]], np.float32)
        self._slow = world.rate(0.12)

    def prepare(self, state: FrameState, canvas: F32) -> Any:
        """Their light, float32 (H, W)."""
        viewport = self._world.viewport
        plane = np.zeros((viewport.height, viewport.width), np.float32)
        specks, turn = self._specks, np.float32(2 * np.pi * self._slow * state.t)
        depth = specks[2]
        x = (specks[0] * 2 - 1) * np.float32(viewport.half_width * 1.1) - np.float32(state.parallax(1)) * (0.3 + depth)
        x = x + np.float32(0.03) * np.sin(turn + specks[3] * 6.28) * (0.4 + depth)
        y = specks[1] * viewport.height + np.float32(0.02 * viewport.unit) * np.cos(turn + specks[4] * 6.28)
        px = x * np.float32(viewport.unit) + np.float32(viewport.width / 2)
        add_dots(
            plane,
            px.astype(np.float32),
            y.astype(np.float32),
            max(0.8, viewport.unit / 450),
            (0.03 + 0.16 * depth**3).astype(np.float32),
        )
        self._rise(plane, state)
        return plane

    def _rise(self, plane: F32, state: FrameState) -> None:
        viewport, bubbles = self._world.viewport, self._bubbles
        age = np.mod(bubbles[0] + self._rates * np.float32(state.t), 1)
        spring = self._springs[(bubbles[2] * len(self._springs)).astype(np.intp) % len(self._springs)]
        sway = np.sin(age * 22 + bubbles[3] * 6.28) * np.float32(0.012) * (0.3 + age)
        x = (spring + (bubbles[3] - np.float32(0.5)) * 0.05 + sway - np.float32(state.parallax(0.7))) * np.float32(
            viewport.unit
        )
        y = viewport.height * (1.02 - 1.08 * age)
        for size, chosen in ((0.0032, bubbles[1] < 0.6), (0.0055, bubbles[1] >= 0.6)):
            bright = np.where(chosen, 0.5 * smoothstep(0.0, 0.1, age) * smoothstep(1.0, 0.85, age), 0).astype(
                np.float32
            )
            # A bubble looks like a ring: a dot with a darker centre.
            radius = max(0.9, size * viewport.unit)
            middle = (x + np.float32(viewport.width / 2)).astype(np.float32)
            add_dots(plane, middle, y.astype(np.float32), radius, bright)
            add_dots(
                plane,
                middle,
                (y + radius * 0.3).astype(np.float32),
                radius * 0.6,
                (-0.55 * bright).clip(-1, 0) * -1 * np.float32(0.2),
            )

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        canvas[:, slice(*span)] += prepared[slice(*span)] * as_planes((0.75, 0.95, 1.0))
