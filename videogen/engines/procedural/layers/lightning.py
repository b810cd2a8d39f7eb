"""Flashes of lightning: branched bolts, and clouds that they light."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from videogen.engines.procedural.camera import FrameState
from videogen.engines.procedural.layer import CLOUDS, Layer, World
from videogen.engines.procedural.noise import F32
from videogen.engines.procedural.palette import Rgb, as_planes
from videogen.engines.procedural.row_bands import Span, intersect

_MAX_FLASHES = 12


@dataclass(frozen=True)
class _Flash:
    start: float  # scene seconds
    x: float  # picture units
    pulses: tuple[tuple[float, float], ...]  # seconds after the start, strength
    bolt: NDArray[np.uint8]  # (rows, columns), for all rows above the horizon
    left: int  # first column in the picture


class Lightning(Layer):
    """Flashes in `seconds` of the scene, the first one soon after the start. `per_second`: their number per second."""

    order = CLOUDS + 5

    def __init__(self, world: World, seconds: float, per_second: float, color: Rgb) -> None:
        self._world, self._seconds = world, seconds
        self._color = as_planes(color)
        rng = world.rng("lightning")
        count = min(_MAX_FLASHES, max(1, round(seconds * per_second)))
        starts = (np.arange(count) + rng.uniform(0.15, 0.7, count)) * seconds / count
        starts[0] = min(starts[0], 0.35)
        self._flashes = [self._flash(float(start), rng) for start in starts]

    def _flash(self, start: float, rng: np.random.Generator) -> _Flash:
        viewport = self._world.viewport
        x = float(rng.uniform(-0.8, 0.8)) * viewport.half_width
        pulses = [(0.0, 1.0)]
        # At most three pulses: more flashes per second can be harmful to people.
        for _ in range(int(rng.integers(1, 3))):
            pulses.append((pulses[-1][0] + float(rng.uniform(0.07, 0.16)), float(rng.uniform(0.4, 0.9))))
        bolt, left = self._draw(x, rng)
        return _Flash(start, x, tuple(pulses), bolt, left)

    def _draw(self, x: float, rng: np.random.Generator) -> tuple[NDArray[np.uint8], int]:
        """Draw a bolt with its glow. Returns it with its first column in the picture."""
        viewport = self._world.viewport
        width = int(0.7 * viewport.unit)
        image = Image.new("L", (width * 2, viewport.horizon * 2), 0)
        pen = ImageDraw.Draw(image)
        top = (width * (1 + float(rng.uniform(-0.25, 0.25))), -4.0)
        foot = (width * (1 + float(rng.uniform(-0.4, 0.4))), viewport.horizon * 2.0)
        thickness = max(2.5, viewport.unit * 0.0095)
        main = _jagged_path(top, foot, 0.16, rng)
        _stroke(pen, main, thickness)
        for index in rng.integers(len(main) // 6, len(main) * 4 // 5, 5):
            start = main[index]
            reach = (viewport.horizon * 2 - start[1]) * float(rng.uniform(0.25, 0.6))
            end = (start[0] + reach * float(rng.uniform(0.5, 1.1)) * float(rng.choice((-1, 1))), start[1] + reach)
            _stroke(pen, _jagged_path(start, end, 0.2, rng), thickness * 0.45)
        core = image.reduce(2)
        glow = core.filter(ImageFilter.GaussianBlur(viewport.unit * 0.010))
        light = np.asarray(core, np.float32) + 2.2 * np.asarray(glow, np.float32)
        return np.clip(light * 0.5, 0, 255).astype(np.uint8), int(viewport.width / 2 + x * viewport.unit - width / 2)

    def _strength(self, flash: _Flash, t: float) -> float:
        """Brightness of a flash at time t."""
        since = t - flash.start
        if self._world.camera.loop:
            since %= self._seconds
        total = 0.0
        for delay, strength in flash.pulses:
            late = since - delay
            if late > -0.02:
                total += strength * float(np.exp(-max(late, 0.0) / 0.10)) * min(1.0, (late + 0.02) / 0.02)
        return min(total, 1.3)

    def prepare(self, state: FrameState, canvas: F32) -> Any:
        """The visible flashes with their strength."""
        flashes = [(flash, self._strength(flash, state.t)) for flash in self._flashes]
        return [(flash, strength) for flash, strength in flashes if strength > 0.01]

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        viewport = self._world.viewport
        first, last = intersect(span, (0, viewport.horizon))
        if first >= last:
            return
        shift = state.parallax(0.1)
        area = canvas[:, first:last]
        x, height = viewport.columns() + np.float32(shift), viewport.rows(first, last)
        for flash, strength in prepared:
            near = np.exp(-((x - np.float32(flash.x)) ** 2) * np.float32(2.2))
            near = near * (np.float32(0.35) + height[:, None]) * np.float32(strength)
            # Clouds are lit from inside: multiply what is there, and add a little light.
            area *= 1 + near * np.float32(6.5)
            area += near * np.float32(0.14) * self._color
            self._paint_bolt(area, flash, (first, last), strength)

    def _paint_bolt(self, area: F32, flash: _Flash, rows: Span, strength: float) -> None:
        left, right = intersect((0, area.shape[2]), (flash.left, flash.left + flash.bolt.shape[1]))
        if left >= right:
            return
        bolt = flash.bolt[rows[0] : rows[1], left - flash.left : right - flash.left]
        light = np.square(bolt, dtype=np.float32)
        light *= np.float32(34.0 * strength / 255**2)
        area[:, :, left:right] += light * self._color


def _jagged_path(
    start: tuple[float, float], end: tuple[float, float], rough: float, rng: np.random.Generator
) -> list[tuple[float, float]]:
    """A random path: a line that is split again and again at its midpoints."""
    points = [start, end]
    for _ in range(7):
        broken = [points[0]]
        for (ax, ay), (bx, by) in pairwise(points):
            length = float(np.hypot(bx - ax, by - ay))
            aside = float(rng.normal(0, rough)) * length
            middle = ((ax + bx) / 2 + aside, (ay + by) / 2 + aside * 0.25)
            broken += [middle, (bx, by)]
        points = broken
    return points


def _stroke(pen: ImageDraw.ImageDraw, points: list[tuple[float, float]], thickness: float) -> None:
    """Draw a path that becomes thinner towards its end."""
    count = len(points) - 1
    for index in range(count):
        width = max(1, round(thickness * (1 - 0.7 * index / count)))
        pen.line((*points[index], *points[index + 1]), fill=255, width=width)
