"""Mountain ranges: several ridges with shaded slopes and haze."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from videogen.engines.procedural.layer import FAR, World
from videogen.engines.procedural.layers.sky import sky_gradient
from videogen.engines.procedural.noise import F32, Texture, make_texture, noise_1d, sample, smoothstep, spectral_noise
from videogen.engines.procedural.palette import Rgb, as_planes, mix
from videogen.engines.procedural.sprite import ParallaxLayer, Sprite, straight_sprite

_SAMPLES = 4096


@dataclass(frozen=True)
class MountainRange:
    """A mountain range. `layers`: number of ridges. `height`: picture units. `haze`: in front of the farthest ridge,
    0..1. `relief`: contrast of the slopes. `snow`: covered part, 0..1 from the top. `peaks`: number of summits, 0 for
    random."""

    layers: int
    height: float
    rock: Rgb
    haze: float
    relief: float = 0.5
    sharpness: float = 0.55
    snow: float = 0.0
    peaks: int = 0


def ridges(world: World, look: MountainRange, name: str = "ridges") -> list[ParallaxLayer]:
    """The ridges of a range, on the horizon."""
    rng = world.rng(name)
    rock = make_texture(spectral_noise(256, 2.1, rng, (3, 127)))
    viewport = world.viewport
    layers = []
    for index in range(look.layers):
        depth = (index + 1) / look.layers
        height = _outline(world, look, depth, rng)
        sprite = _draw_ridge(world, look, depth, height, slope_shading(world, height, rock, index, look.relief))
        layers.append(ParallaxLayer(world, sprite, viewport.horizon, 0.1 + 0.4 * depth, FAR + depth))
    return layers


def _outline(world: World, look: MountainRange, depth: float, rng: np.random.Generator) -> F32:
    """Height of one ridge over the horizon, in pixels, float32 (columns,)."""
    viewport = world.viewport
    columns = world.layer_width
    x = (np.arange(columns, dtype=np.float32) / np.float32(viewport.unit) + rng.random() * 40) * np.float32(160)
    broad = noise_1d(_SAMPLES, 2.2, rng, (6, 40))
    sharp = 1 - np.abs(noise_1d(_SAMPLES, 2.5, rng, (14, 900)))
    outline = (1 - look.sharpness) * (0.5 + 0.5 * broad) + look.sharpness * sharp**2
    envelope = smoothstep(-0.55, 0.65, noise_1d(_SAMPLES, 3.0, rng, (3, 14)))
    tall = look.height * (1.12 - 0.5 * depth) * (0.16 + 0.84 * envelope) * outline
    position = np.arange(_SAMPLES, dtype=np.float32)
    height = np.interp(x % _SAMPLES, position, tall * np.float32(viewport.unit), period=_SAMPLES)
    if look.peaks and depth == 1:
        height = _summits(world, look, height, rng)
    return np.asarray(height, np.float32)


def _summits(world: World, look: MountainRange, height: F32, rng: np.random.Generator) -> F32:
    """The outline with the requested number of summits, evenly distributed with some randomness."""
    viewport = world.viewport
    position = (np.arange(len(height)) - world.margin) / viewport.width
    rough = height / max(float(height.max()), 1.0)
    total = height * 0.30
    for index in range(look.peaks):
        middle = (index + 0.5 + rng.uniform(-0.16, 0.16)) / look.peaks
        width = 0.34 / look.peaks**0.7 * rng.uniform(0.85, 1.15)
        tall = look.height * viewport.unit * (1.0 if look.peaks < 3 else rng.uniform(0.72, 1.0))
        slope = np.clip(1 - np.abs(position - middle) / width, 0, 1)
        total = np.maximum(total, tall * slope**1.15 * (0.84 + 0.22 * rough))
    return np.asarray(total, np.float32)


def slope_shading(world: World, height: F32, rock: Texture, index: int, strength: float) -> F32:
    """Light on the slopes, 0..1, float32 (rows, columns), top row first."""
    viewport = world.viewport
    rows = min(int(height.max()) + 3, viewport.horizon)
    above = np.arange(rows, 0, -1, dtype=np.float32)[:, None] - np.float32(0.5)
    step = np.float32(256 / (viewport.unit * 0.9))
    x = np.arange(len(height), dtype=np.float32)[None] * step + index * 31
    down = (height[None] - above) * step
    # The facets are inclined with the depth below the outline, like gullies.
    lean = sample(rock, x * 0.3, down * 0.25) * 2
    a = sample(rock, x * 0.62 + lean, down * 0.42 + x * 0.14)
    b = sample(rock, x * 0.62 + lean + 1.9, down * 0.42 + x * 0.14 - 0.9)
    return np.asarray(np.clip(0.5 + strength * (a - b), 0, 1), np.float32)


def _draw_ridge(world: World, look: MountainRange, depth: float, height: F32, shade: F32) -> Sprite:
    viewport, lighting = world.viewport, world.lighting
    rows = len(shade)
    above = np.arange(rows, 0, -1, dtype=np.float32)[:, None] - np.float32(0.5)
    below = height - above
    slope = 1 / np.sqrt(1 + np.gradient(height) ** 2)
    cover = np.clip(below * slope.astype(np.float32) + np.float32(0.5), 0, 1)
    tall = np.float32(look.height * viewport.unit)
    # With a low sun in the picture, the visible slopes are in shadow.
    sunlit = 0.16 if lighting.sun[1] < 0.2 else 0.42
    dark = as_planes(lighting.lit(look.rock, 0.03))
    bright = as_planes(lighting.lit(mix(look.rock, (1.0, 1.0, 1.0), 0.12), sunlit))
    light = dark + (bright - dark) * shade
    if look.snow > 0:
        snow = smoothstep(
            1 - look.snow, 1 - look.snow * 0.55, above / tall + (shade - np.float32(0.5)) * np.float32(0.35)
        )
        white_dark, white_lit = (
            as_planes(lighting.lit((0.52, 0.60, 0.74), 0.10)),
            as_planes(lighting.lit((0.90, 0.92, 0.96), sunlit)),
        )
        light += (white_dark + (white_lit - white_dark) * shade - light) * snow
    far = 1 - depth
    veil = look.haze * (0.10 + 0.75 * far) + (0.50 - 0.15 * depth) * look.haze * np.exp(
        -above / (tall * np.float32(0.3))
    )
    veil = np.clip(veil + 0.35 * lighting.fog, 0, 0.95)
    x = world.layer_columns
    mist = sky_gradient(world, np.array([0.02], np.float32), x)
    light += (mist - light) * veil
    return straight_sprite(light, cover)
