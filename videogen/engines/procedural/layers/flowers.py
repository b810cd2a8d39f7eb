"""A field of flowers: rows of grass and flowers that bend in the wind. The nearest rows are out of focus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from videogen.engines.procedural.camera import FrameState
from videogen.engines.procedural.layer import STANDING, Layer, World
from videogen.engines.procedural.noise import F32
from videogen.engines.procedural.palette import Rgb, scale
from videogen.engines.procedural.row_bands import Span, intersect
from videogen.engines.procedural.sprite import Sprite, encode_color, sprite_from_image

_SUPERSAMPLING = 2
_PEAK = 1.6
_ROWS = 9


@dataclass(frozen=True)
class Flower:
    """One kind of flower. `shape`: daisy, cup, spike or bell. `petals`, `heart`: colours."""

    shape: str
    petals: Rgb
    heart: Rgb


def flower_field(world: World, choose_flowers: tuple[Flower, ...], density: float) -> list[Layer]:
    """Rows from the horizon to the camera."""
    viewport = world.viewport
    below = viewport.height - viewport.horizon
    layers: list[Layer] = []
    for index in range(_ROWS):
        nearness = (index + 0.6) / _ROWS
        foot = viewport.horizon + int(below * (0.05 + 1.12 * nearness**1.7))
        height = (0.022 + 0.30 * nearness**1.9) * viewport.unit
        sprite = _draw_row(world, choose_flowers, (height, nearness, density), world.rng(f"row {index}"))
        layers.append(SwayingRow(world, sprite, foot, nearness, index))
    return layers


class SwayingRow(Layer):
    """A row that bends in the wind, from nothing at the bottom to most at the top, in waves over the field."""

    def __init__(self, world: World, sprite: Sprite, foot: int, depth: float, index: int) -> None:
        self.order = STANDING - 5 + depth
        self._world, self._sprite, self._foot, self._depth, self._index = world, sprite, foot, depth, index
        rows = sprite.size[0]
        rise = (np.arange(rows, 0, -1, dtype=np.float32) - np.float32(0.5)) / rows
        self._bend = (rise**1.6 * np.float32(0.16 * rows))[:, None]
        self._rates = (world.rate(0.42), world.rate(0.75))

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        viewport, sprite = self._world.viewport, self._sprite
        top = self._foot - sprite.size[0]
        first, last = intersect(span, (max(top, 0), min(self._foot, viewport.height)))
        if first >= last:
            return
        rows = slice(first - top, last - top)
        x = np.arange(viewport.width, dtype=np.float32)
        phase = x * np.float32(4.5 / viewport.unit) + np.float32(self._index * 1.3)
        slow, fast = (np.float32(2 * np.pi * rate * state.t) for rate in self._rates)
        wind = np.float32(0.35) + np.float32(0.5) * np.sin(phase - slow) + np.float32(0.18) * np.sin(phase * 2.7 - fast)
        position = (
            x + np.float32(state.parallax(self._depth) * viewport.unit + self._world.margin) - self._bend[rows] * wind
        )
        whole = np.floor(position)
        weight = position - whole
        index = whole.astype(np.intp)
        np.clip(index, 0, sprite.size[1] - 2, out=index)
        index += np.arange(first - top, last - top)[:, None] * sprite.size[1]
        cover = _lerp(sprite.alpha, index, weight)
        target = canvas[:, first:last]
        target *= 1 - cover
        for channel in range(3):
            target[channel] += _lerp(sprite.light[channel], index, weight)


def _lerp(plane: F32, index: np.ndarray[tuple[int, ...], np.dtype[np.intp]], weight: F32) -> F32:
    flat = plane.reshape(-1)
    left = flat.take(index)
    right = flat[1:].take(index)
    right -= left
    right *= weight
    left += right
    return left


def _draw_row(
    world: World, choose_flowers: tuple[Flower, ...], shape: tuple[float, float, float], rng: np.random.Generator
) -> Sprite:
    """Draw one row. `shape`: height in pixels, nearness (0..1), density of the flowers (0..1)."""
    row_height, nearness, density = shape
    lighting = world.lighting
    columns = world.layer_width * _SUPERSAMPLING
    rows = (int(row_height * 1.25) + 6) * _SUPERSAMPLING
    image = Image.new("RGBA", (columns, rows), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    height, veil = row_height * _SUPERSAMPLING, 0.55 * (1 - nearness) ** 2.2
    grass: Rgb = (0.30, 0.26, 0.09) if lighting.season == "autumn" else (0.12, 0.22, 0.045)
    _draw_grass(pen, world, grass, ((columns, rows), height, veil), rng)
    count = int(columns / height * (1.5 + 5.0 * density))
    for x in np.sort(rng.uniform(-0.1 * height, columns + 0.1 * height, count))[rng.permutation(count)]:
        bloom = choose_flowers[int(rng.integers(len(choose_flowers)))]
        length = height * rng.uniform(0.55, 1.0)
        head = (x + rng.normal(0, 0.06) * length, rows - length)
        stem = _surface_color(world, scale(grass, 0.8), veil, 0.35)
        pen.line(
            (x, rows, (x + head[0]) / 2 + rng.normal(0, 0.02) * length, rows - length * 0.5, *head),
            fill=stem,
            width=max(1, int(height * 0.012)),
            joint="curve",
        )
        _draw_blossom(pen, world, bloom, (head, height * rng.uniform(0.085, 0.125), veil), rng)
    if nearness > 0.8:
        image = image.convert("RGBa").filter(ImageFilter.GaussianBlur(height * 0.016)).convert("RGBA")
    planes = sprite_from_image(image, _SUPERSAMPLING, _PEAK).planes
    # The bottom of a row fades into the next row, so that it has no visible edge.
    planes *= np.clip(np.arange(planes.shape[1], 0, -1, dtype=np.float32) / max(1.0, 0.16 * planes.shape[1]), 0, 1)[
        :, None
    ]
    return Sprite(planes)


def _draw_grass(
    pen: ImageDraw.ImageDraw,
    world: World,
    color: Rgb,
    row: tuple[tuple[int, int], float, float],
    rng: np.random.Generator,
) -> None:
    """Draw the grass of a row. `row`: size (columns, rows), height, opacity of the haze."""
    (columns, rows), height, veil = row
    step = max(height * 0.045, 1.6 * _SUPERSAMPLING)
    for x in np.arange(-height * 0.2, columns + height * 0.2, step):
        tone = _surface_color(world, scale(color, rng.uniform(0.55, 1.25)), veil, rng.uniform(0.1, 0.8))
        _draw_blade(pen, (x + rng.normal(0, step), rows), height * rng.uniform(0.35, 0.85), rng, tone)


def _surface_color(world: World, albedo: Rgb, veil: float, sunlit: float) -> tuple[int, int, int, int]:
    return encode_color(world.lighting.hazed(world.lighting.lit(albedo, sunlit), veil), _PEAK)


def _draw_blade(
    pen: ImageDraw.ImageDraw,
    foot: tuple[float, float],
    height: float,
    rng: np.random.Generator,
    tone: tuple[int, int, int, int],
) -> None:
    lean, width = float(rng.normal(0, 0.16)) * height, max(1.0, height * 0.022)
    x, y = foot
    middle = (x + lean * 0.35, y - height * 0.55)
    pen.polygon(
        [
            (x - width, y),
            (middle[0] - width * 0.8, middle[1]),
            (x + lean, y - height),
            (middle[0] + width * 0.8, middle[1]),
            (x + width, y),
        ],
        fill=tone,
    )


def _draw_blossom(
    pen: ImageDraw.ImageDraw,
    world: World,
    bloom: Flower,
    position: tuple[tuple[float, float], float, float],
    rng: np.random.Generator,
) -> None:
    """Draw one flower head. `position`: centre, radius, opacity of the haze."""
    (x, y), size, veil = position
    tone = [_surface_color(world, scale(bloom.petals, f), veil, s) for f, s in ((0.55, 0.25), (0.85, 0.6), (1.1, 0.95))]
    heart = _surface_color(world, bloom.heart, veil, 0.6)
    if bloom.shape == "daisy":
        turn = rng.uniform(0, 1)
        for index in range(11):
            angle = 2 * np.pi * (index + turn) / 11
            px, py = x + np.cos(angle) * size * 0.68, y + np.sin(angle) * size * 0.42
            r = size * 0.30
            pen.ellipse((px - r, py - r * 0.75, px + r, py + r * 0.75), fill=tone[1 if np.sin(angle) > 0 else 2])
        pen.ellipse((x - size * 0.33, y - size * 0.26, x + size * 0.33, y + size * 0.20), fill=heart)
    elif bloom.shape == "spike":
        for index in range(12):
            fraction = index / 11
            r = size * (0.34 - 0.20 * fraction)
            px, py = x + rng.normal(0, 0.14) * size, y + size * (2.0 - 2.9 * fraction)
            pen.ellipse((px - r, py - r * 0.8, px + r, py + r * 0.8), fill=tone[int(rng.integers(3))])
    else:
        lean = rng.uniform(-0.2, 0.2) * size
        pen.ellipse((x - size, y - size * 0.62, x + size, y + size * 0.62), fill=tone[0])
        pen.ellipse((x - size * 0.95 + lean, y - size * 0.70, x + size * 0.35 + lean, y + size * 0.52), fill=tone[1])
        pen.ellipse((x - size * 0.25 + lean, y - size * 0.66, x + size * 0.92 + lean, y + size * 0.40), fill=tone[2])
        if bloom.shape == "cup":
            pen.ellipse((x - size * 0.22, y - size * 0.30, x + size * 0.22, y + size * 0.06), fill=heart)


def choose_flowers(colors: tuple[Rgb, ...], pick: int) -> tuple[Flower, ...]:
    """Flowers in the requested colours, or one of several mixtures."""
    dark, yellow = (0.03, 0.02, 0.02), (0.85, 0.55, 0.04)
    if colors:
        return tuple(
            Flower(shape, color, yellow if shape == "daisy" else dark) for color in colors for shape in ("cup", "daisy")
        )
    poppy = Flower("cup", (0.85, 0.045, 0.02), dark)
    daisy, corn = Flower("daisy", (0.88, 0.88, 0.86), yellow), Flower("daisy", (0.10, 0.16, 0.75), (0.10, 0.05, 0.4))
    lavender, tulip = Flower("spike", (0.30, 0.14, 0.62), dark), Flower("bell", (0.85, 0.20, 0.36), yellow)
    sun = Flower("daisy", (0.95, 0.62, 0.03), (0.10, 0.045, 0.015))
    mixtures = (
        (poppy, poppy, poppy, daisy, corn),
        (lavender, lavender, lavender, daisy),
        (tulip, Flower("bell", (0.9, 0.62, 0.06), yellow), tulip),
        (sun, sun, daisy),
    )
    return mixtures[pick % len(mixtures)]
