"""Pictures baked once per shot and drawn at any place, whole pixels or not: ridges, houses, sprites."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from videogen.engines.procedural.bands import Span, clip
from videogen.engines.procedural.camera import Moment
from videogen.engines.procedural.layer import Layer, World
from videogen.engines.procedural.noise import F32, Reals


@dataclass(frozen=True)
class Strip:
    """Light, float32 (3, rows, columns), linear and multiplied by its cover; cover (rows, columns), 0..1."""

    light: F32
    cover: F32

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return int(self.cover.shape[0]), int(self.cover.shape[1])


def solid(light: F32, cover: F32) -> Strip:
    """A strip from light that is not yet multiplied by its cover."""
    return Strip(np.ascontiguousarray(light * cover, np.float32), np.ascontiguousarray(cover, np.float32))


def from_image(image: Image.Image, fine: int, peak: float = 1.0) -> Strip:
    """A strip from an RGBA drawing made `fine` times too large; its colours are square roots of light / peak."""
    small = image.convert("RGBa").reduce(fine) if fine > 1 else image.convert("RGBa")
    planes = np.asarray(small, np.float32).transpose(2, 0, 1) * np.float32(1 / 255)
    cover = np.ascontiguousarray(planes[3])
    root = planes[:3] / np.maximum(cover, np.float32(1 / 512))
    return Strip(np.ascontiguousarray(root * root * cover * np.float32(peak), np.float32), cover)


def ink(color: tuple[float, float, float], peak: float = 1.0, alpha: float = 1.0) -> tuple[int, int, int, int]:
    """A colour of light as `from_image` reads it."""
    red, green, blue = (round(255 * min(1.0, (max(value, 0.0) / peak) ** 0.5)) for value in color)
    return red, green, blue, round(255 * alpha)


def blit(canvas: F32, span: Span, strip: Strip, place: tuple[float, float], gain: float = 1.0) -> None:
    """Draw the part of a strip that falls on rows [first, last) of the canvas; `place`: its left and top, in pixels.

    `gain` fades it, cover and light alike."""
    rows, columns = strip.size
    left, top = int(np.floor(place[0])), int(np.floor(place[1]))
    fx, fy = place[0] - left, place[1] - top
    first, last = clip(span, (top, top + rows + 1))
    start, stop = clip((0, canvas.shape[2]), (left, left + columns + 1))
    if first >= last or start >= stop or gain <= 0:
        return
    area = (slice(first - top, last - top), slice(start - left, stop - left))
    target = canvas[:, first:last, start:stop]
    cover = _moved(strip.cover, area, (fx, fy))
    target *= 1 - cover * np.float32(gain)
    for channel in range(3):
        target[channel] += _moved(strip.light[channel], area, (fx, fy)) * np.float32(gain)


def _moved(plane: F32, area: tuple[slice, slice], part: tuple[float, float]) -> F32:
    """Pixels `area` of the plane moved right and down by a part of a pixel, with nothing around it."""
    rows, columns = area
    padded = _window(plane, rows, columns)
    fx, fy = np.float32(part[0]), np.float32(part[1])
    if fx:
        padded = padded[:, 1:] * (1 - fx) + padded[:, :-1] * fx
    else:
        padded = padded[:, 1:]
    return np.asarray(padded[1:] * (1 - fy) + padded[:-1] * fy if fy else padded[1:], np.float32)


def _window(plane: F32, rows: slice, columns: slice) -> F32:
    """The plane's rows and columns, one more before each, zero outside."""
    top, left = rows.start - 1, columns.start - 1
    inside = plane[max(top, 0) : rows.stop, max(left, 0) : columns.stop]
    above, before = max(-top, 0), max(-left, 0)
    below = rows.stop - top - above - inside.shape[0]
    after = columns.stop - left - before - inside.shape[1]
    if above or before or below or after:
        return np.pad(inside, ((above, below), (before, after)))
    return inside


class Backdrop(Layer):
    """A strip that runs through the whole picture and follows the camera at its depth. It must be as wide as the
    picture with the world's margin on either side."""

    def __init__(self, world: World, strip: Strip, bottom: int, depth: float, order: float) -> None:
        self.order = order
        self._world, self._strip, self._bottom, self._depth = world, strip, bottom, depth
        expected = world.frame.width + 2 * world.margin
        if strip.size[1] != expected:
            raise ValueError(f"expected a strip of {expected} columns, got {strip.size[1]}")

    def paint(self, canvas: F32, span: Span, moment: Moment, ready: Any) -> None:
        """See `Layer.paint`."""
        top = self._bottom - self._strip.size[0]
        first, last = clip(span, (max(top, 0), self._bottom))
        if first >= last:
            return
        width = self._world.frame.width
        start, part = split(moment.shift(self._depth) * self._world.frame.unit + self._world.margin)
        rows = slice(first - top, last - top)
        target = canvas[:, first:last]
        target *= 1 - slide(self._strip.cover[rows], start, part, width)
        target += slide(self._strip.light[:, rows], start, part, width)


def split(x: float) -> tuple[int, float]:
    """Whole part and rest of a coordinate."""
    whole = int(np.floor(x))
    return whole, x - whole


def slide(planes: F32, start: int, part: float, width: int) -> F32:
    """Columns [start + part, start + part + width) of the last axis, linear between neighbours."""
    here = planes[..., start : start + width]
    if part < 1e-4:
        return here
    moved = here * np.float32(1 - part)
    moved += planes[..., start + 1 : start + 1 + width] * np.float32(part)
    return moved


def soft_disc(size: int, radius: float, edge: Reals | float = 1.0) -> F32:
    """Cover of a disc in the middle of a square of `size` pixels, float32 (size, size), with an edge `edge` wide."""
    at = np.arange(size, dtype=np.float32) - np.float32((size - 1) / 2)
    distance = np.sqrt(at * at + (at * at)[:, None])
    return np.asarray(np.clip((np.float32(radius) - distance) / edge + 0.5, 0, 1), np.float32)
