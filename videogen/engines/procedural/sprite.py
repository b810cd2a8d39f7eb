"""Sprites: pictures that are drawn once per shot and painted at any position, with sub-pixel accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from videogen.engines.procedural.camera import FrameState
from videogen.engines.procedural.layer import Layer, World
from videogen.engines.procedural.noise import F32, FloatArray
from videogen.engines.procedural.row_bands import Span, intersect


@dataclass(frozen=True)
class Sprite:
    """A picture with premultiplied alpha. `planes`: float32 (4, rows, columns); linear light of three channels,
    multiplied by alpha, then alpha, 0..1."""

    planes: F32

    @property
    def light(self) -> F32:
        """Premultiplied linear light, (3, rows, columns)."""
        light: F32 = self.planes[:3]
        return light

    @property
    def alpha(self) -> F32:
        """Alpha, (rows, columns), 0..1."""
        alpha: F32 = self.planes[3]
        return alpha

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return int(self.planes.shape[1]), int(self.planes.shape[2])

    def toward(self, other: Sprite, fraction: float) -> Sprite:
        """Linear interpolation with another sprite of the same size: this one at `fraction` 0."""
        return Sprite(self.planes * np.float32(1 - fraction) + other.planes * np.float32(fraction))


def premultiplied_sprite(light: F32, cover: F32) -> Sprite:
    """A sprite from light that is already multiplied by alpha."""
    planes = np.empty((4, *cover.shape), np.float32)
    planes[:3], planes[3] = light, cover
    return Sprite(planes)


def straight_sprite(light: F32, cover: F32) -> Sprite:
    """A sprite from light that is not yet multiplied by alpha."""
    return premultiplied_sprite(light * cover, cover)


def sprite_from_image(image: Image.Image, supersampling: int, peak: float = 1.0) -> Sprite:
    """A sprite from an RGBA drawing that is `supersampling` times too large, with colours of `encode_color`."""
    small = image.convert("RGBa").reduce(supersampling) if supersampling > 1 else image.convert("RGBa")
    planes = np.ascontiguousarray(np.asarray(small, np.float32).transpose(2, 0, 1))
    planes *= np.float32(1 / 255)
    root = planes[:3] / np.maximum(planes[3], np.float32(1 / 512))
    np.multiply(root * root, planes[3] * np.float32(peak), out=planes[:3])
    return Sprite(planes)


def encode_color(color: tuple[float, float, float], peak: float = 1.0, alpha: float = 1.0) -> tuple[int, int, int, int]:
    """A linear colour as RGBA bytes: square root of light / peak, and alpha (0..1)."""
    red, green, blue = (round(255 * min(1.0, (max(value, 0.0) / peak) ** 0.5)) for value in color)
    return red, green, blue, round(255 * alpha)


def blit(canvas: F32, span: Span, sprite: Sprite, position: tuple[float, float], gain: float = 1.0) -> None:
    """Draw the rows [first, last) of a sprite on the canvas. `position`: left and top of the sprite, in pixels.

    `gain`: factor for light and alpha."""
    rows, columns = sprite.size
    left, top = int(np.floor(position[0])), int(np.floor(position[1]))
    fx, fy = position[0] - left, position[1] - top
    first, last = intersect(span, (top, top + rows + 1))
    start, stop = intersect((0, canvas.shape[2]), (left, left + columns + 1))
    if first >= last or start >= stop or gain <= 0:
        return
    area = (slice(first - top, last - top), slice(start - left, stop - left))
    planes = _subpixel_shift(sprite.planes, area, (fx, fy))
    if gain != 1.0:
        planes = planes * np.float32(gain)
    target = canvas[:, first:last, start:stop]
    target *= 1 - planes[3]
    target += planes[:3]


def _subpixel_shift(planes: F32, area: tuple[slice, slice], offset: tuple[float, float]) -> F32:
    """The pixels `area` of the planes, shifted right and down by `offset` (0..1 pixels). Outside pixels are 0."""
    padded = _padded_window(planes, *area)
    fx, fy = np.float32(offset[0]), np.float32(offset[1])
    across = padded[..., 1:]
    if fx > 1e-3:
        across = across * (1 - fx)
        across += padded[..., :-1] * fx
    down = across[:, 1:]
    if fy > 1e-3:
        down = down * (1 - fy)
        down += across[:, :-1] * fy
    return down


def _padded_window(planes: F32, rows: slice, columns: slice) -> F32:
    """These rows and columns of the planes, with one more before each; 0 outside."""
    top, left = rows.start - 1, columns.start - 1
    inside = planes[:, max(top, 0) : rows.stop, max(left, 0) : columns.stop]
    above, before = max(-top, 0), max(-left, 0)
    below = rows.stop - top - above - inside.shape[1]
    after = columns.stop - left - before - inside.shape[2]
    if not (above or before or below or after):
        return inside
    padded = np.zeros((4, rows.stop - top, columns.stop - left), np.float32)
    padded[:, above : above + inside.shape[1], before : before + inside.shape[2]] = inside
    return padded


class ParallaxLayer(Layer):
    """A sprite that follows the camera at its depth. It must be as wide as the picture with the world's margin on both
    sides."""

    def __init__(self, world: World, sprite: Sprite, bottom: int, depth: float, order: float) -> None:
        self.order = order
        self._world, self._sprite, self._bottom, self._depth = world, sprite, bottom, depth
        expected = world.layer_width
        if sprite.size[1] != expected:
            raise ValueError(f"expected a sprite of {expected} columns, got {sprite.size[1]}")

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        top = self._bottom - self._sprite.size[0]
        first, last = intersect(span, (max(top, 0), self._bottom))
        if first >= last:
            return
        width = self._world.viewport.width
        start, offset = split_coordinate(state.parallax(self._depth) * self._world.viewport.unit + self._world.margin)
        rows = slice(first - top, last - top)
        target = canvas[:, first:last]
        planes = shift_columns(self._sprite.planes[:, rows], start, offset, width)
        target *= 1 - planes[3]
        target += planes[:3]


def split_coordinate(x: float) -> tuple[int, float]:
    """Integer part and fraction of a coordinate."""
    integer = int(np.floor(x))
    return integer, x - integer


def shift_columns(planes: F32, start: int, offset: float, width: int) -> F32:
    """Columns [start + offset, start + offset + width) of the last axis, linearly interpolated."""
    unshifted = planes[..., start : start + width]
    if offset < 1e-4:
        return unshifted
    moved = unshifted * np.float32(1 - offset)
    moved += planes[..., start + 1 : start + 1 + width] * np.float32(offset)
    return moved


def soft_disc(size: int, radius: float, edge: FloatArray | float = 1.0) -> F32:
    """Alpha of a centred disc, float32 (size, size), with a soft edge of `edge` pixels."""
    axis = np.arange(size, dtype=np.float32) - np.float32((size - 1) / 2)
    distance = np.sqrt(axis * axis + (axis * axis)[:, None])
    return np.asarray(np.clip((np.float32(radius) - distance) / edge + 0.5, 0, 1), np.float32)
