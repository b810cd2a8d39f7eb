"""A waterfall in front of a rock wall."""

from __future__ import annotations

from typing import Any

import numpy as np

from videogen.engines.procedural.camera import FrameState
from videogen.engines.procedural.layer import ALOFT, SKYLINE, Layer, World
from videogen.engines.procedural.noise import F32, make_texture, noise_1d, sample, sample_1d, smoothstep, spectral_noise
from videogen.engines.procedural.palette import as_planes, mix
from videogen.engines.procedural.row_bands import Span, intersect
from videogen.engines.procedural.sprite import ParallaxLayer, straight_sprite


def cliff(world: World, rise: float, gap: tuple[float, float]) -> ParallaxLayer:
    """A rock wall, `rise` picture units high. `gap`: centre and half width of the waterfall at its top."""
    viewport, lighting, rng = world.viewport, world.lighting, world.rng("cliff")
    x = world.layer_columns
    outline = noise_1d(2048, 1.9, rng, (4, 300))
    away = np.abs(x - np.float32(gap[0])) - np.float32(gap[1])
    edge = np.float32(rise) * (0.90 + np.float32(0.16) * sample_1d(outline, x * 160 + 700))
    edge += smoothstep(-0.02, 0.30, away) * np.float32(0.10) * (1 + sample_1d(outline, x * 90))
    rows = min(int(float(edge.max()) * viewport.unit) + 3, viewport.horizon)
    height = (np.arange(rows, 0, -1, dtype=np.float32)[:, None] - np.float32(0.5)) / np.float32(viewport.unit)
    cover = np.clip((edge - height) * np.float32(viewport.unit) + np.float32(0.5), 0, 1)
    shade = _rock_shading(x, height, rng)
    wet = np.exp(-np.maximum(away, 0) / np.float32(0.10))
    dark, bright = (
        as_planes(lighting.lit((0.085, 0.072, 0.062), 0.12)),
        as_planes(lighting.lit((0.27, 0.235, 0.20), 0.55)),
    )
    light = dark + (bright - dark) * shade
    light *= 1 - np.float32(0.55) * wet
    moss = smoothstep(0.45, 0.85, shade) * smoothstep(rise * 0.25, rise, height) * (1 - wet) * np.float32(0.55)
    light += (as_planes(lighting.lit((0.085, 0.15, 0.035), 0.45)) - light) * moss
    veil = np.float32(0.10 + 0.3 * lighting.fog) + np.float32(0.35) * np.exp(-height / np.float32(0.10))
    light += (as_planes(mix(lighting.haze, lighting.hour.near, 0.3)) - light) * np.minimum(veil, 0.9)
    return ParallaxLayer(world, straight_sprite(light.astype(np.float32), cover), viewport.horizon, 0.4, SKYLINE)


def _rock_shading(x: F32, height: F32, rng: np.random.Generator) -> F32:
    """Light on the rock wall, 0..1, float32 (rows, columns).

    Vertical buttresses, inclined ledges, rough surface; light from the upper left."""
    across, up = np.broadcast_arrays(x[None], height)
    broad, fine = (
        make_texture(spectral_noise(256, 2.6, rng, (3, 60))),
        make_texture(spectral_noise(256, 1.7, rng, (6, 127))),
    )
    bend = sample(broad, across * 40, up * 40)

    def relief_at(u: F32, v: F32) -> F32:
        buttress = np.abs(sample(broad, u * 130 + bend * 4, v * 26))
        ledge = sample(broad, u * 22 + 91, v * 150 + u * 24 + bend * 4)
        rough = sample(fine, u * 300, v * 210) * np.float32(0.2)
        return np.asarray(rough + np.float32(0.30) * ledge - buttress, np.float32)

    step = np.float32(0.007)
    relief = relief_at(across, up)
    light = np.tanh((relief - relief_at(across - step, up + step)) * np.float32(0.9))
    hollow = smoothstep(-0.2, -2.2, relief)
    return np.asarray(
        np.clip(np.float32(0.52) + np.float32(0.50) * light - np.float32(0.36) * hollow, 0, 1), np.float32
    )


class Waterfall(Layer):
    """Falling water: streaks that become longer as they gain speed."""

    order = ALOFT - 2

    def __init__(self, world: World, rise: float, gap: tuple[float, float], strength: float) -> None:
        self._world, self._gap, self._rise = world, gap, rise
        rng = world.rng("cascade")
        self._threads = make_texture(spectral_noise(256, 1.9, rng, (3, 90), 0.22))
        self._edge = noise_1d(1024, 2.0, rng, (6, 200))
        self._top = max(0, world.viewport.horizon - int(rise * 0.93 * world.viewport.unit))
        self._white = as_planes(world.lighting.lit((0.92, 0.95, 0.98), 0.75))
        self._dim = as_planes(world.lighting.lit((0.42, 0.52, 0.58), 0.25))
        self._strength = strength

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        viewport = self._world.viewport
        first, last = intersect(span, (self._top, viewport.horizon))
        if first >= last:
            return
        fallen = (np.arange(first, last, dtype=np.float32)[:, None] + np.float32(0.5 - self._top)) / np.float32(
            viewport.unit
        )
        reach = (self._gap[1] * 1.5 + 0.05) * viewport.unit
        middle = viewport.width / 2 + (self._gap[0] - state.parallax(0.45)) * viewport.unit
        left, right = intersect((0, viewport.width), (int(middle - reach), int(middle + reach)))
        if left >= right:
            return
        x = (np.arange(left, right, dtype=np.float32)[None] + np.float32(0.5 - middle)) / np.float32(viewport.unit)
        # The texture coordinate is the time since the top: the distance of a free fall is its square.
        since = np.sqrt(fallen + np.float32(0.02))
        u, v = np.broadcast_arrays(x / (1 + fallen * np.float32(0.22)) * np.float32(420), since * np.float32(150))
        run = np.float32(96 * state.t)
        thread = sample(self._threads, u, v - run)
        thread += sample(
            self._threads, u * np.float32(2.1) + 77, v * np.float32(1.6) - run * np.float32(1.5)
        ) * np.float32(0.6)
        ragged = sample_1d(self._edge, np.sign(x) * 200 + since * np.float32(120) - np.float32(80 * state.t))
        half = np.float32(self._gap[1]) * (1 + np.float32(0.25) * fallen) * (1 + np.float32(0.10) * ragged)
        inside = smoothstep(0.0, 0.10, (half - np.abs(x)) / np.float32(self._gap[1]))
        cover = inside * np.clip(np.float32(0.74 + 0.2 * self._strength) + thread * np.float32(0.17), 0, 1)
        bright = np.clip(
            np.float32(0.58)
            + thread * np.float32(0.22)
            + smoothstep(0.35, 0.0, fallen / np.float32(self._rise)) * np.float32(-0.12),
            0,
            1,
        )
        area = canvas[:, first:last, left:right]
        area += (self._dim + (self._white - self._dim) * bright - area) * cover
