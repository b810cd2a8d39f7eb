"""Mountain ridges, one behind another: a skyline per layer, shaded softly and veiled by the air between."""

from dataclasses import dataclass

import numpy as np

from videogen.engines.procedural.bands import Span
from videogen.engines.procedural.frame import Frame
from videogen.engines.procedural.noise import F32, profile, smooth, spectral, tap, tile
from videogen.engines.procedural.palette import Rgb

_LINE = 4096


@dataclass(frozen=True)
class Range:
    """How a set of ridges looks. Heights are in picture units."""

    layers: int
    height: float
    color: Rgb  # of the nearest layer
    light: Rgb  # added on lit slopes
    air: float  # veil over the farthest layer, 0..1
    sharpness: float = 0.75  # 0 rolling hills, 1 jagged peaks
    relief: float = 0.42  # contrast of the slopes


@dataclass(frozen=True)
class _Layer:
    height: F32  # (columns,) pixels over the horizon
    slope: F32  # (columns,) 1 / length of the outline per pixel, for even edges
    shade: F32  # (rows, columns) 0..1, top row first
    depth: float  # 0 far, 1 near


class Ridges:
    """Painted over the sky of a canvas, from the horizon up. Wide enough for the camera's whole travel."""

    def __init__(self, frame: Frame, look: Range, travel: float, rng: np.random.Generator) -> None:
        self._frame, self._look = frame, look
        self._width = frame.width + int(travel * frame.unit) + 4
        rock = spectral(256, 2.1, rng, (3, 127))
        self._layers = [self._build(index, rock, rng) for index in range(look.layers)]

    def _build(self, index: int, rock: F32, rng: np.random.Generator) -> _Layer:
        look, unit = self._look, self._frame.unit
        depth = (index + 1) / look.layers
        x = (np.arange(self._width, dtype=np.float32) / np.float32(unit) + rng.random() * 40) * np.float32(160)
        broad = profile(_LINE, 2.2, rng, (6, 40))
        sharp = 1 - np.abs(profile(_LINE, 2.5, rng, (14, 900)))
        line = (1 - look.sharpness) * (0.5 + 0.5 * broad) + look.sharpness * sharp**2
        envelope = smooth(-0.55, 0.65, profile(_LINE, 3.0, rng, (3, 14)))
        tall = look.height * (1.12 - 0.5 * depth) * (0.16 + 0.84 * envelope) * line
        position = np.arange(_LINE, dtype=np.float32)
        height = np.interp(x % _LINE, position, tall * np.float32(unit), period=_LINE).astype(np.float32)
        slope = 1 / np.sqrt(1 + np.gradient(height) ** 2)
        rows = min(int(height.max()) + 3, self._frame.horizon)
        return _Layer(height, slope.astype(np.float32), self._shade(height, rows, rock, index), depth)

    def _shade(self, height: F32, rows: int, rock: F32, index: int) -> F32:
        """Light on the slopes: broad facets that run down from the outline, weak, weaker still far away."""
        above = np.arange(rows, 0, -1, dtype=np.float32)[:, None] - 0.5
        step = np.float32(256 / (self._frame.unit * 0.9))
        x = np.arange(len(height), dtype=np.float32)[None] * step + index * 31
        down = (height[None] - above) * step
        texture = tile(rock)
        # Facets lean with the depth below the outline, like gullies.
        lean = tap(texture, x * 0.3, down * 0.25) * 2
        a = tap(texture, x + lean, down * 0.5 + x * 0.2)
        b = tap(texture, x + lean + 1.6, down * 0.5 + x * 0.2 - 0.9)
        return np.asarray(np.clip(0.5 + self._look.relief * (a - b), 0, 1), np.float32)

    def paint(self, canvas: F32, haze: F32, span: Span, pan: float) -> None:
        """Cover rows [first, last), over the horizon, of the canvas; `haze` (3, 1, W) is the colour of the air."""
        for layer in self._layers:
            self._paint_layer(layer, canvas, haze, span, pan)

    def _paint_layer(self, layer: _Layer, canvas: F32, haze: F32, span: Span, pan: float) -> None:
        frame, look = self._frame, self._look
        top = frame.horizon - len(layer.shade)
        first, last = max(span[0], top), min(span[1], frame.horizon)
        if first >= last:
            return
        # Far layers follow the sky; near ones move a little faster.
        shift = pan * frame.unit * (0.72 + 0.28 * layer.depth) + (self._width - frame.width - 4) / 2 + 1
        start = int(np.floor(shift))
        part = np.float32(shift - start)
        here, there = slice(start, start + frame.width), slice(start + 1, start + 1 + frame.width)
        height = layer.height[here] * (1 - part) + layer.height[there] * part
        above = frame.rows(first, last)[:, None] * np.float32(frame.unit)
        below = height - above
        cover = np.clip(below * layer.slope[here] + np.float32(0.5), 0, 1)
        shade = layer.shade[first - top : last - top, here] * (1 - part)
        shade += layer.shade[first - top : last - top, there] * part
        tall = np.float32(look.height * frame.unit)
        lit = shade * np.exp(np.maximum(below, 0) * np.float32(-1 / (tall * 0.35)))
        depth = np.exp(-above / (tall * np.float32(0.28)))
        veil = (
            np.float32(look.air * (1.08 - layer.depth) + 0.04)
            + np.float32((0.55 - 0.3 * layer.depth) * look.air) * depth
        )
        veil = np.minimum(veil, np.float32(0.95))
        shade *= 0.5
        shade += 0.75
        for channel in range(3):
            area = canvas[channel, first:last]
            color = shade * np.float32(look.color[channel])
            color += lit * np.float32(look.light[channel])
            color += (haze[channel] - color) * veil
            color -= area
            color *= cover
            area += color
