"""Terrain seen from a little above it, drawn once: a height field, rendered column by column from near to far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from videogen.engines.procedural.layer import World
from videogen.engines.procedural.layers.sky import sky_gradient
from videogen.engines.procedural.noise import F32
from videogen.engines.procedural.sprite import Sprite, premultiplied_sprite

_FOCAL_LENGTH = 1.25
_SUPERSAMPLING = 2
_SLICES = 260

HeightFunction = Callable[[F32, F32], F32]


@dataclass(frozen=True)
class Terrain:
    """A landscape. `height(x, z)`: metres. `paint(x, z, light)`: colour, float32 (3, *x.shape); `light` is how directly
    the sun meets the surface, 0..1. `eye`: height of the camera in metres. `near`, `far`: distances from it in
    metres."""

    height: HeightFunction
    paint: Callable[[F32, F32, F32], F32]
    eye: float
    near: float
    far: float
    haze: float  # metres after which haze replaces two thirds of the colour
    shadow: float = 1.0


def bake_terrain(world: World, ground: Terrain) -> tuple[Sprite, int]:
    """The terrain as a sprite with the world's margins, and the picture row below its bottom."""
    viewport = world.viewport
    columns, x = world.layer_width, world.layer_columns
    depth = np.geomspace(ground.near, ground.far, _SLICES).astype(np.float32)[:, None]
    across = x[None] * depth / np.float32(_FOCAL_LENGTH)
    height = ground.height(across, np.broadcast_to(depth, across.shape))
    lift = (height - np.float32(ground.eye)) * np.float32(_FOCAL_LENGTH) / depth
    seen = np.maximum.accumulate(lift, axis=0)
    top = max(2, int(viewport.horizon - float(seen.max()) * viewport.unit) - 2)
    rows = viewport.height - top
    level = (viewport.horizon - top - (np.arange(rows * _SUPERSAMPLING) + 0.5) / _SUPERSAMPLING) / viewport.unit
    slices = _first_visible_slices(seen, level.astype(np.float32))
    colors = _colors(world, ground, (across, depth, height), x)
    light = np.zeros((3, rows, columns), np.float32)
    cover = np.zeros((rows, columns), np.float32)
    index, weight, hit = slices
    column_index = np.arange(columns)
    for step in range(_SUPERSAMPLING):
        index_rows, weights, hit_rows = (
            index[step::_SUPERSAMPLING],
            weight[step::_SUPERSAMPLING],
            hit[step::_SUPERSAMPLING],
        )
        cover += hit_rows
        for channel in range(3):
            plane = colors[channel]
            low = plane[np.maximum(index_rows - 1, 0), column_index]
            low += (plane[index_rows, column_index] - low) * weights
            light[channel] += low * hit_rows
    return premultiplied_sprite(light / np.float32(_SUPERSAMPLING), cover / np.float32(_SUPERSAMPLING)), viewport.height


def _first_visible_slices(seen: F32, level: F32) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.intp]], F32, F32]:
    """For each row and column: index of the first slice that reaches the row, position between it and the slice before
    (0..1), and whether there is one (0 or 1)."""
    count, columns = seen.shape
    index = np.empty((len(level), columns), np.intp)
    for column in range(columns):
        index[:, column] = np.searchsorted(seen[:, column], level)
    hit = index < count
    np.minimum(index, count - 1, out=index)
    column_index = np.arange(columns)
    high, low = seen[index, column_index], seen[np.maximum(index - 1, 0), column_index]
    weight = (level[:, None] - low) / np.maximum(high - low, 1e-6)
    return index, np.clip(weight, 0, 1).astype(np.float32), hit.astype(np.float32)


def _colors(world: World, ground: Terrain, coordinates: tuple[F32, F32, F32], x: F32) -> F32:
    """Colour of every slice behind its haze, float32 (3, slices, columns)."""
    across, depth, _ = coordinates
    z = np.broadcast_to(depth, across.shape)
    step = np.float32(0.012) * z + np.float32(0.02)
    slope_x = (ground.height(across + step, z) - ground.height(across - step, z)) / (2 * step)
    slope_z = (ground.height(across, z + step) - ground.height(across, z - step)) / (2 * step)
    sun = world.lighting.sun
    side = np.float32(np.clip(sun[0] * 1.2, -0.85, 0.85) or 0.3)
    up = np.float32(0.30 + 0.6 * min(1.0, sun[1] * 1.6))
    ahead = np.float32(0.35)
    facing = (up - slope_x * side - slope_z * ahead) / np.sqrt(1 + slope_x**2 + slope_z**2)
    facing /= np.float32(np.sqrt(up**2 + side**2 + ahead**2))
    light = np.clip(np.float32(1 - ground.shadow) + facing * np.float32(1.15 * ground.shadow), 0, 1)
    color = ground.paint(across, z, light.astype(np.float32))
    veil = 1 - np.exp(-depth / np.float32(ground.haze * (1 - 0.75 * world.lighting.fog)))
    mist = sky_gradient(world, np.array([0.02], np.float32), x)
    return np.asarray(color + (mist - color) * veil, np.float32)
