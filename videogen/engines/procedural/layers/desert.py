"""Dunes with a flat windward side and a steep lee side, and blowing sand."""

from __future__ import annotations

from typing import Any

import numpy as np

from videogen.engines.procedural.camera import FrameState
from videogen.engines.procedural.layer import GROUND, NEAR, Layer, World
from videogen.engines.procedural.noise import F32, make_texture, sample, smoothstep, spectral_noise
from videogen.engines.procedural.palette import Rgb, as_planes, scale
from videogen.engines.procedural.resample import upsample
from videogen.engines.procedural.row_bands import Span, intersect
from videogen.engines.procedural.sprite import ParallaxLayer
from videogen.engines.procedural.terrain import Terrain, bake_terrain


def dunes(world: World, sand: Rgb) -> list[Layer]:
    """Dunes of one colour up to the horizon."""
    rng = world.rng("dunes")
    broad, ripple = (
        make_texture(spectral_noise(512, 3.6, rng, (2, 40), 0.8)),
        make_texture(spectral_noise(512, 2.0, rng, (40, 150), 0.30)),
    )
    origin = rng.uniform(0, 512, 4).astype(np.float32)
    # The lee sides face away from the sun, which makes the crests visible.
    swing = float(rng.uniform(0.7, 1.1)) * (-1 if world.lighting.sun[0] > 0 else 1)

    def height(x: F32, z: F32) -> F32:
        bend = sample(broad, x * np.float32(0.75) + origin[0], z * np.float32(0.75) + origin[1])
        along = (z * np.float32(0.8) + x * np.float32(swing)) * np.float32(1 / 58.0) + bend * np.float32(0.30)
        # A crest is asymmetric: a slow rise and a steep fall.
        phase = along - np.floor(along)
        crest = np.where(phase < 0.72, phase / np.float32(0.72), (1 - phase) / np.float32(0.28))
        crest = crest * crest * (np.float32(2.2) - np.float32(1.2) * crest)
        swell = sample(broad, x * np.float32(0.35) + origin[2], z * np.float32(0.35) + origin[3])
        size = np.float32(6.0) + np.float32(3.0) * np.clip(swell, -1.2, 2)
        return np.asarray(crest * size * smoothstep(8.0, 50.0, z) + swell * np.float32(0.8), np.float32)

    dark, bright = as_planes(world.lighting.lit(scale(sand, 0.62), 0.02)), as_planes(world.lighting.lit(sand, 0.95))

    def paint(x: F32, z: F32, light: F32) -> F32:
        grain = sample(ripple, x * np.float32(20), z * np.float32(20) + x * np.float32(7))
        near = np.exp(-z * np.float32(1 / 30))
        lit = np.clip(smoothstep(0.30, 0.95, light) + grain * near * np.float32(0.10), 0, 1.05)
        return np.asarray(dark + (bright - dark) * lit, np.float32)

    sprite, bottom = bake_terrain(world, Terrain(height, paint, 17.0, 14.0, 1400.0, 700.0))
    return [ParallaxLayer(world, sprite, bottom, 0.6, GROUND), BlowingSand(world, sand)]


class BlowingSand(Layer):
    """Sand that the wind blows low over the ground."""

    order = NEAR

    def __init__(self, world: World, sand: Rgb) -> None:
        self._world = world
        rng = world.rng("drift")
        self._noise = make_texture(spectral_noise(256, 2.8, rng, (3, 60), 3.5))
        self._color = as_planes(world.lighting.lit(scale(sand, 0.9), 0.7))
        self._direction = 1.0 if rng.random() < 0.5 else -1.0

    def prepare(self, state: FrameState, canvas: F32) -> Any:
        """Opacity of the sand at half size, float32 (1, rows, W / 2), below the horizon."""
        viewport = self._world.viewport
        rows = (viewport.height - viewport.horizon) // 2
        below = -viewport.rows(viewport.horizon // 2, viewport.horizon // 2 + rows, 2)
        far = 1 / (below + np.float32(0.16))
        x = viewport.columns(2) + np.float32(state.parallax(0.8))
        u = x * far[:, None] * np.float32(16) - np.float32(self._direction * 46 * state.t)
        v = np.broadcast_to((far * np.float32(60))[:, None], u.shape)
        stream = (
            sample(self._noise, u, v) + sample(self._noise, u * np.float32(1.9) - np.float32(30 * state.t), v) * 0.5
        )
        opacity = (
            smoothstep(0.5, 2.6, stream) * (smoothstep(0.0, 0.05, below) * (1 - smoothstep(0.12, 0.42, below)))[:, None]
        )
        return np.ascontiguousarray(opacity[None] * np.float32(0.42), np.float32)

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        viewport = self._world.viewport
        first, last = intersect(span, (viewport.horizon, viewport.horizon + 2 * prepared.shape[1]))
        if first < last:
            opacity = upsample(prepared, (first - viewport.horizon, last - viewport.horizon), viewport.width)
            area = canvas[:, first:last]
            area += (self._color - area) * opacity
