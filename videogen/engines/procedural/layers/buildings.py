"""Draws rows of buildings with lit windows and neon signs."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from videogen.engines.procedural.palette import Rgb, mix, scale
from videogen.engines.procedural.sprite import Sprite, straight_sprite
from videogen.engines.procedural.viewport import Viewport

_SUPERSAMPLING = 2  # drawn at this factor, then averaged, for smooth edges
_PEAK = 4.0  # linear light of the brightest value in a drawing
LAMPS: tuple[Rgb, ...] = ((1.0, 0.66, 0.30), (1.0, 0.80, 0.52), (0.62, 0.80, 1.0), (1.0, 0.52, 0.22))


@dataclass(frozen=True)
class BuildingRow:
    """One row of buildings. Lengths are in picture units. `depth`: 0 (far) .. 1 (near)."""

    depth: float
    tallest: float
    width: float
    body: Rgb
    windows: float  # fraction of lit windows, 0..1
    signs: float  # fraction of buildings with a sign, 0..1
    neon: tuple[Rgb, ...]
    centre: float  # position of the highest towers along the width, 0..1
    glass: tuple[Rgb, ...] = LAMPS


def draw_buildings(viewport: Viewport, row: BuildingRow, columns: int, rng: np.random.Generator) -> Sprite:
    """Draw one row of buildings, `columns` pixels wide, on the horizon."""
    rows = min(int(row.tallest * 1.16 * viewport.unit) + 4, viewport.horizon)
    size = (columns * _SUPERSAMPLING, rows * _SUPERSAMPLING)
    pencil = _BuildingPainter(row, viewport.unit * _SUPERSAMPLING, size, rng)
    pencil.draw()
    light = np.asarray(pencil.light.reduce(_SUPERSAMPLING), np.float32).transpose(2, 0, 1)
    light = np.ascontiguousarray(light) * np.float32(1 / 255)
    cover = np.asarray(pencil.alpha.reduce(_SUPERSAMPLING), np.float32) * np.float32(1 / 255)
    return straight_sprite(light * light * np.float32(_PEAK), cover)


def _encode_color(color: Rgb) -> tuple[int, int, int]:
    red, green, blue = (int(255 * min(1.0, (max(value, 0.0) / _PEAK) ** 0.5)) for value in color)
    return red, green, blue


class _BuildingPainter:
    """Draws one row. `unit` is in supersampled pixels."""

    def __init__(self, row: BuildingRow, unit: float, size: tuple[int, int], rng: np.random.Generator) -> None:
        self._row, self._unit, self._rng = row, unit, rng
        self._columns, self._rows = size
        self.light = Image.new("RGB", size, _encode_color(row.body))
        self.alpha = Image.new("L", size, 0)
        self._on_light, self._on_cover = ImageDraw.Draw(self.light), ImageDraw.Draw(self.alpha)

    def draw(self) -> None:
        """Draw all buildings from left to right."""
        x = -self._unit * 0.05
        while x < self._columns:
            width = self._unit * self._row.width * self._rng.uniform(0.6, 1.5)
            crowd = np.exp(-(((x / self._columns - self._row.centre) / 0.24) ** 2))
            fraction = (0.34 + 0.66 * self._rng.random() ** 1.4) * (0.55 + 0.45 * crowd)
            self._building(x, width, self._unit * self._row.tallest * fraction)
            gap = self._rng.uniform(-0.1, 0.12 + 0.5 * (self._rng.random() < 0.15))
            x += width * (1 + gap)

    def _building(self, x: float, width: float, height: float) -> None:
        rng = self._rng
        body = scale(self._row.body, rng.uniform(0.7, 1.35))
        parts = [(x, width, 0.0, height)]
        if rng.random() < 0.5 and height > 2.2 * width:
            inset = width * rng.uniform(0.12, 0.26)
            step = height * rng.uniform(0.62, 0.84)
            parts = [(x, width, 0.0, step), (x + inset, width - 2 * inset, step, height)]
        glass = self._row.glass[rng.integers(len(self._row.glass))]
        pitch = self._unit * rng.uniform(0.0085, 0.0115) * (0.85 + 0.3 * self._row.depth)
        for left, breadth, low, high in parts:
            self._block(left, breadth, low, high, body)
            self._windows((left, breadth, low, high), glass, pitch)
        left, breadth, _, high = parts[-1]
        self._roof(left, breadth, high, body)
        if rng.random() < self._row.signs:
            self._sign(x, width, parts[0][3])

    def _block(self, x: float, width: float, low: float, high: float, color: Rgb) -> None:
        area = (x, self._rows - high, x + width, self._rows - low)
        self._on_light.rectangle(area, fill=_encode_color(color))
        self._on_cover.rectangle(area, fill=255)

    def _windows(self, area: tuple[float, float, float, float], glass: Rgb, pitch: float) -> None:
        rng = self._rng
        x, wide, low, high = area
        tallness = pitch * rng.choice((1.0, 1.35, 1.8))
        width = pitch * rng.choice((0.45, 0.58, 0.8))
        across, up = int(wide / pitch) - 1, int((high - low) / tallness) - 1
        if across < 1 or up < 1:
            return
        start = x + (wide - across * pitch) / 2 + (pitch - width) / 2
        # Windows of one storey are often lit or dark together.
        storey = rng.random((up, 1)) < 0.30
        lit = rng.random((up, across)) < self._row.windows * np.where(storey, 1.9, 0.62)
        bright = rng.uniform(0.25, 1.0, (up, across)) ** 1.5
        for j, i in zip(*np.nonzero(lit), strict=True):
            left, top = start + i * pitch, self._rows - high + (j + 0.7) * tallness
            color = scale(glass, float(bright[j, i]) * (0.50 + 0.45 * self._row.depth))
            self._on_light.rectangle((left, top, left + width, top + tallness * 0.5), fill=_encode_color(color))

    def _roof(self, x: float, width: float, high: float, body: Rgb) -> None:
        rng, top = self._rng, self._rows - high
        kind = rng.random()
        if kind < 0.35:
            mast = x + width * rng.uniform(0.3, 0.7)
            height = self._unit * rng.uniform(0.03, 0.09) * min(1.0, high / (self._unit * 0.3))
            thin = max(1.0, self._unit * 0.0018)
            self._on_light.rectangle((mast - thin, top - height, mast + thin, top), fill=_encode_color(body))
            self._on_cover.rectangle((mast - thin, top - height, mast + thin, top), fill=255)
        elif kind < 0.6:
            self._block(x + width * 0.2, width * rng.uniform(0.2, 0.5), high, high + self._unit * 0.014, body)
        if rng.random() < 0.30 * self._row.depth + 0.08:
            thickness = max(1.0, self._unit * 0.0022)
            neon = self._row.neon[rng.integers(len(self._row.neon))]
            self._on_light.rectangle((x, top, x + width, top + thickness), fill=_encode_color(scale(neon, 1.5)))

    def _sign(self, x: float, width: float, high: float) -> None:
        rng, unit = self._rng, self._unit
        neon = self._row.neon[rng.integers(len(self._row.neon))]
        top = self._rows - high * rng.uniform(0.55, 0.92)
        if rng.random() < 0.62:  # a vertical sign with shapes like letters
            breadth = unit * rng.uniform(0.010, 0.018)
            height = min(high * 0.5, unit * rng.uniform(0.07, 0.19))
            left = x + (width - breadth) * rng.choice((0.08, 0.5, 0.92))
            self._on_light.rectangle((left, top, left + breadth, top + height), fill=_encode_color(scale(neon, 0.35)))
            step = breadth * 1.25
            for y in np.arange(top + step * 0.25, top + height - step * 0.6, step):
                inner = (left + breadth * 0.2, y, left + breadth * 0.8, y + step * rng.uniform(0.35, 0.6))
                self._on_light.rectangle(inner, fill=_encode_color(scale(mix(neon, (1.0, 1.0, 1.0), 0.25), 3.2)))
        else:  # a screen
            breadth, height = min(width * 0.7, unit * 0.10), unit * rng.uniform(0.03, 0.06)
            left = x + (width - breadth) / 2
            self._on_light.rectangle((left, top, left + breadth, top + height), fill=_encode_color(scale(neon, 1.1)))
            for band in range(3):
                y = top + height * (0.18 + 0.27 * band)
                end = left + breadth * rng.uniform(0.35, 0.92)
                stroke = (left + breadth * 0.08, y, end, y + height * 0.12)
                self._on_light.rectangle(stroke, fill=_encode_color(scale(mix(neon, (1.0, 1.0, 1.0), 0.4), 2.6)))
