"""A Julia set. Its parameter moves on a small circle."""

from __future__ import annotations

from typing import Any

import numpy as np

from videogen.engines.procedural.camera import FrameState
from videogen.engines.procedural.layer import SKY, Layer, World
from videogen.engines.procedural.noise import F32
from videogen.engines.procedural.palette import Rgb
from videogen.engines.procedural.row_bands import Span

_STEPS = 28
_LEVELS = 2048
_ESCAPE = 64.0
# Parameters with fine arms, spirals or dust.
_SHAPES = (
    -0.80 + 0.156j, -0.40 + 0.60j, -0.7018 - 0.3842j, -0.835 - 0.2321j, -0.7269 + 0.1889j, 0.355 + 0.355j,
    -0.54 + 0.54j, 0.3555 - 0.3373j, -0.12 + 0.78j, 0.285 + 0.53j,
)  # fmt: skip


class JuliaSet(Layer):
    """z -> z^2 + c at full size. `stops`: colours from far outside to the edge of the set."""

    order = SKY

    def __init__(self, world: World, stops: tuple[Rgb, ...]) -> None:
        self._world = world
        rng = world.rng("julia")
        self._middle = _SHAPES[int(rng.integers(len(_SHAPES)))]
        self._start = float(rng.uniform(0, 2 * np.pi))
        self._angle = float(rng.uniform(0, np.pi))
        self._rate = world.rate(0.05)
        levels = np.linspace(0, 1, _LEVELS)
        positions = np.linspace(0, 1, len(stops)) ** 1.1
        self._ramp = np.array(
            [np.interp(levels, positions, [stop[c] ** 0.5 for stop in stops]) ** 2 for c in range(3)], np.float32
        )

    def _parameter(self, t: float) -> complex:
        """c on a small circle around one of the shapes."""
        angle = self._start + 2 * np.pi * self._rate * t
        return self._middle + 0.012 * complex(np.cos(angle), np.sin(angle))

    def prepare(self, state: FrameState, canvas: F32) -> Any:
        """The parameter c, and the rotation and scale of the view, both complex."""
        angle = self._angle + 0.05 * state.t * (0 if self._world.camera.loop else 1)
        return self._parameter(state.t), 1.75 * np.exp(1j * angle)

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        viewport = self._world.viewport
        c, scale = prepared
        x = (viewport.columns() + np.float32(state.parallax(0.5)))[None]
        y = (
            (np.float32(viewport.height / 2) - np.arange(*span, dtype=np.float32) - np.float32(0.5))
            / np.float32(viewport.unit)
        )[:, None]
        real = x * np.float32(scale.real) - y * np.float32(scale.imag)
        imag = x * np.float32(scale.imag) + y * np.float32(scale.real)
        light = _iterate(real, imag, c)
        # The colours alternate, faster near the set.
        light *= light * np.float32(1.5) + np.float32(1.6)
        light %= np.float32(2)
        np.abs(light - np.float32(1), out=light)
        index = np.clip((1 - light) * np.float32(_LEVELS - 1), 0, _LEVELS - 1).astype(np.intp)
        for channel in range(3):
            canvas[channel, slice(*span)] = self._ramp[channel].take(index)


def _iterate(real: F32, imag: F32, c: complex) -> F32:
    """How near each point comes to the set, 0..1: a weighted mean along its orbit.

    Exponential smoothing (the sum of exp(-
    z
    )) has no visible steps. The decreasing weights avoid noise near the set."""
    total = np.zeros_like(real)
    square = np.empty_like(real)
    other = np.empty_like(real)
    cr, ci = np.float32(c.real), np.float32(c.imag)
    for step in range(_STEPS):
        np.multiply(real, real, out=square)
        np.multiply(imag, imag, out=other)
        imag *= real
        imag *= 2
        imag += ci
        np.subtract(square, other, out=real)
        real += cr
        square += other
        np.minimum(square, _ESCAPE, out=square)
        np.clip(real, -_ESCAPE, _ESCAPE, out=real)
        np.clip(imag, -_ESCAPE, _ESCAPE, out=imag)
        square *= np.float32(0.55)
        square += 1
        np.reciprocal(square, out=square)
        square *= np.float32(0.955**step)
        total += square
    total *= np.float32(1.30 * (1 - 0.955) / (1 - 0.955**_STEPS))
    return total
