"""Moons, planets and nebulae. A planet rotates and is lit from one side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from videogen.engines.procedural.camera import FrameState
from videogen.engines.procedural.layer import CELESTIAL, Layer, World
from videogen.engines.procedural.noise import F32, make_texture, sample, smoothstep, spectral_noise
from videogen.engines.procedural.palette import Rgb, as_planes, mix, scale
from videogen.engines.procedural.resample import upsample
from videogen.engines.procedural.row_bands import Span, intersect
from videogen.engines.procedural.sprite import Sprite, blit, premultiplied_sprite, soft_disc, straight_sprite


class Moons(Layer):
    """One moon or several. `positions`: (x, height) in picture units; `radii`: in picture units."""

    order = CELESTIAL

    def __init__(self, world: World, positions: list[tuple[float, float]], radii: list[float], color: Rgb) -> None:
        self._world, self._positions = world, positions
        rng = world.rng("moon")
        face = make_texture(spectral_noise(256, 3.0, rng, (2, 60)))
        light = 3.2 if world.lighting.is_night else 0.9
        self._sprites = [
            _moon(world, radius, scale(color, light), face, index * 71) for index, radius in enumerate(radii)
        ]

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        viewport = self._world.viewport
        for sprite, (x, height) in zip(self._sprites, self._positions, strict=True):
            left = (x - state.parallax(0)) * viewport.unit + viewport.width / 2 - sprite.size[1] / 2
            blit(canvas, span, sprite, (left, viewport.horizon - height * viewport.unit - sprite.size[0] / 2))


def _moon(world: World, radius: float, color: Rgb, face: Any, start: float) -> Sprite:
    reach = radius * world.viewport.unit
    size = 2 * int(np.ceil(reach)) + 4
    axis = (np.arange(size, dtype=np.float32) - np.float32((size - 1) / 2)) / np.float32(reach)
    x, y = np.broadcast_arrays(axis[None], axis[:, None])
    seas = sample(face, x * 26 + np.float32(start), y * 26) + sample(
        face, x * 90 + np.float32(start), y * 90
    ) * np.float32(0.3)
    shade = np.float32(0.92) - np.float32(0.30) * smoothstep(-0.2, 1.1, seas)
    shade *= np.sqrt(np.clip(1 - 0.35 * (x * x + y * y), 0.3, 1))
    return straight_sprite(shade * as_planes(color), soft_disc(size, reach))


@dataclass(frozen=True)
class PlanetSurface:
    """How a planet looks. `colors`: by height of the noise, from low to high. `banding`: stretches the noise along the
    latitude, 0..1. `cloud_cover`: 0..1."""

    colors: tuple[Rgb, ...]
    banding: float
    cloud_cover: float
    rim_color: Rgb
    has_rings: bool


class Planet(Layer):
    """A rotating sphere. `position`: (x, height over the horizon) and `radius`, in picture units."""

    order = CELESTIAL + 1

    def __init__(
        self, world: World, position: tuple[float, float], radius: float, face: PlanetSurface, name: str = "planet"
    ) -> None:
        self._world, self._position, self._surface = world, position, face
        rng = world.rng(name)
        self._surface_texture = make_texture(spectral_noise(512, 2.9, rng, (2, 200), max(0.12, 1 - face.banding)))
        self._cloud_texture = make_texture(spectral_noise(512, 2.6, rng, (3, 200), 0.6))
        self._radius = radius * world.viewport.unit
        self._size = 2 * int(np.ceil(self._radius * 1.25)) + 2
        self._sphere(float(rng.uniform(-0.5, 0.5)), rng)
        self._turn = (1 if rng.random() < 0.5 else -1) * 512 * world.rate(0.022 if not world.camera.loop else 0.001)
        self._ring = self._rings() if face.has_rings else None

    def _sphere(self, tilt: float, rng: np.random.Generator) -> None:
        """Compute what does not change: texture coordinates, light and alpha of each pixel."""
        axis = (np.arange(self._size, dtype=np.float32) - np.float32((self._size - 1) / 2)) / np.float32(self._radius)
        x, y = np.broadcast_arrays(axis[None], -axis[:, None])
        square = x * x + y * y
        z = np.sqrt(np.clip(1 - square, 0, 1))
        c, s = np.float32(np.cos(tilt)), np.float32(np.sin(tilt))
        px, py = x * c - y * s, x * s + y * c
        self._u = (np.arctan2(px, z) * np.float32(512 / (2 * np.pi))).astype(np.float32)
        self._v = (np.arcsin(np.clip(py, -1, 1)) * np.float32(512 / (2 * np.pi))).astype(np.float32)
        side = 0.72 if self._position[0] < 0 else -0.72
        sun = np.array([side, 0.36, 0.50], np.float32)
        facing = (x * sun[0] + y * sun[1] + z * sun[2]) / np.float32(np.linalg.norm(sun))
        self._day = smoothstep(-0.06, 0.75, facing) * np.float32(1.25)
        self._cover = np.clip((1 - np.sqrt(square)) * np.float32(self._radius) + 0.5, 0, 1).astype(np.float32)
        away = np.abs(np.sqrt(square) - 1)
        rim = np.exp(-away * np.float32(15)) * smoothstep(0.235, 0.10, away) * smoothstep(-0.35, 0.6, facing)
        self._rim = as_planes(self._surface.rim_color) * rim

    def _rings(self) -> Sprite:
        """The rings in perspective. Their far half is painted before the planet, and hidden by it."""
        width, height = int(self._radius * 4.8), int(self._radius * 1.5)
        x = (np.arange(width, dtype=np.float32) - width / 2) / np.float32(self._radius)
        y = (np.arange(height, dtype=np.float32)[:, None] - height / 2) / np.float32(self._radius * 0.26)
        lean = y + x * np.float32(0.18 / 0.26)
        distance = np.sqrt(x * x + lean * lean)
        grain = np.interp(distance, np.linspace(1.3, 2.3, 64), self._world.rng("rings").uniform(0.25, 1.0, 64))
        cover = smoothstep(1.32, 1.38, distance) * smoothstep(2.25, 2.1, distance) * grain.astype(np.float32)
        self._front = (lean > 0).astype(np.float32)
        return straight_sprite(
            as_planes(scale(self._surface.colors[-1], 0.75)) * np.ones_like(cover), cover * np.float32(0.75)
        )

    def prepare(self, state: FrameState, canvas: F32) -> Any:
        """The planet as a sprite."""
        u = self._u + np.float32(self._turn * state.t)
        height = sample(self._surface_texture, u, self._v * np.float32(1 + 2 * self._surface.banding))
        height += sample(self._surface_texture, u * 4, self._v * 4) * np.float32(0.22)
        stops = np.array(self._surface.colors, np.float32)
        position = np.clip((height + np.float32(1.6)) * np.float32((len(stops) - 1) / 3.2), 0, len(stops) - 1)
        index = np.minimum(position.astype(np.intp), len(stops) - 2)
        weight = position - index
        weight = weight * weight * (3 - 2 * weight)
        light = np.empty((3, self._size, self._size), np.float32)
        white = self._white(state) if self._surface.cloud_cover else None
        for channel in range(3):
            low = stops[:, channel].take(index)
            low += (stops[:, channel].take(index + 1) - low) * weight
            if white is not None:
                low += (np.float32(0.9) - low) * white
            light[channel] = low * self._day
        light *= self._cover
        light += self._rim
        return premultiplied_sprite(light, self._cover)

    def _white(self, state: FrameState) -> F32:
        u = self._u + np.float32(self._turn * 1.0 * state.t)
        clouds = sample(self._cloud_texture, u * 2, self._v * 2 + np.float32(9))
        clouds += sample(self._cloud_texture, u * 5 + 50, self._v * 5) * np.float32(0.4)
        return smoothstep(
            0.9 - 1.6 * self._surface.cloud_cover, 2.3 - 1.6 * self._surface.cloud_cover, clouds
        ) * np.float32(0.92)

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        viewport = self._world.viewport
        x = (self._position[0] - state.parallax(0.1)) * viewport.unit + viewport.width / 2
        y = viewport.horizon - self._position[1] * viewport.unit
        if self._ring is not None:
            rows, columns = self._ring.size
            blit(canvas, span, self._ring, (x - columns / 2, y - rows / 2))
        blit(canvas, span, prepared, (x - self._size / 2, y - self._size / 2))
        if self._ring is not None:
            front = premultiplied_sprite(self._ring.light * self._front, self._ring.alpha * self._front)
            blit(canvas, span, front, (x - columns / 2, y - rows / 2))


def planet_surface(color: Rgb | None, pick: float) -> PlanetSurface:
    """A surface in one colour, or one of several, selected by `pick`, 0..1."""
    if color:
        tones = (scale(color, 0.16), scale(color, 0.5), mix(color, (1.0, 1.0, 1.0), 0.25), mix(color, (1, 1, 1), 0.6))
        return PlanetSurface(tones, 0.85 if pick > 0.4 else 0.1, 0.0, mix(color, (1.0, 1.0, 1.0), 0.3), pick > 0.6)
    if pick < 0.5:
        sea, shore = (0.006, 0.030, 0.11), (0.012, 0.085, 0.20)
        land = ((0.10, 0.13, 0.035), (0.20, 0.15, 0.07), (0.55, 0.52, 0.48))
        return PlanetSurface((sea, sea, shore, *land), 0.0, 0.42, (0.20, 0.45, 1.0), False)
    if pick < 0.8:
        bands = ((0.42, 0.22, 0.11), (0.62, 0.42, 0.26), (0.78, 0.66, 0.48), (0.55, 0.30, 0.16), (0.85, 0.76, 0.62))
        return PlanetSurface(bands, 0.92, 0.0, (0.7, 0.5, 0.3), pick > 0.62)
    rock = ((0.10, 0.030, 0.018), (0.30, 0.10, 0.045), (0.48, 0.20, 0.09), (0.62, 0.38, 0.22))
    return PlanetSurface(rock, 0.0, 0.0, (0.75, 0.35, 0.2), False)


class Nebula(Layer):
    """Space with a drifting nebula. `colors`: of its thin, middle and dense parts."""

    order = 0.0

    def __init__(self, world: World, colors: tuple[Rgb, Rgb, Rgb]) -> None:
        self._world = world
        rng = world.rng("nebula")
        self._noise = make_texture(spectral_noise(512, 3.0, rng, (2, 160)))
        self._origin = rng.uniform(0, 512, 4).astype(np.float32)
        self._colors = [as_planes(color) for color in colors]
        angle = rng.uniform(-0.6, 0.6)
        self._lane = (np.float32(np.sin(angle)), np.float32(np.cos(angle)))

    def prepare(self, state: FrameState, canvas: F32) -> Any:
        """The nebula at half size, float32 (3, H / 2, W / 2), computed at a quarter of the size."""
        viewport = self._world.viewport
        t = np.float32(state.t)
        x = (viewport.columns(4) + np.float32(state.parallax(0.05)))[None] * np.float32(64)
        y = (
            viewport.rows(0, -(-viewport.height // 4), 4)[:, None] - np.float32(viewport.height / 2 / viewport.unit)
        ) * np.float32(64)
        x, y = np.broadcast_arrays(x, y)
        a, b, c, d = self._origin
        bend = sample(self._noise, x * np.float32(0.8) + a + t * np.float32(0.5), y * np.float32(0.8) + b)
        turn = sample(self._noise, x * np.float32(0.8) + c, y * np.float32(0.8) + d - t * np.float32(0.5))
        u, v = x + bend * 11, y + turn * 11
        gas = sample(self._noise, u + a, v + d) + sample(self._noise, u * 3 + b, v * 3 + c) * np.float32(0.38)
        hue = sample(self._noise, u * np.float32(0.5) + d, v * np.float32(0.5) + a)
        across = (x * self._lane[0] + y * self._lane[1]) / np.float32(64)
        density = smoothstep(-0.6, 2.2, gas + np.float32(0.45) - np.float32(2.6) * across * across)
        thin, middle, bright = self._colors
        fraction = smoothstep(-1.0, 1.2, hue)
        glow = thin + (middle - thin) * fraction
        quarter = (
            glow * (density * density) + bright * (np.float32(0.65) * density**6) + as_planes((0.0022, 0.003, 0.007))
        )
        return upsample(quarter.astype(np.float32), (0, viewport.height // 2), viewport.width // 2)

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        first, last = intersect(span, (0, self._world.viewport.height))
        canvas[:, first:last] = upsample(prepared, (first, last), self._world.viewport.width)
