"""Sky lanterns that glow and rise."""

from __future__ import annotations

from typing import Any

import numpy as np

from videogen.engines.procedural.camera import FrameState
from videogen.engines.procedural.layer import ALOFT, Layer, World
from videogen.engines.procedural.noise import F32, smoothstep
from videogen.engines.procedural.palette import Rgb, as_planes, mix, scale
from videogen.engines.procedural.row_bands import Span
from videogen.engines.procedural.sprite import Sprite, blit, premultiplied_sprite, straight_sprite

_SPRITE_SIZES = 7
_FEW = 5


class Lanterns(Layer):
    """`count` lanterns. The far ones are small and slow."""

    order = ALOFT

    def __init__(self, world: World, count: int, color: Rgb) -> None:
        self._world = world
        rng = world.rng("lanterns")
        viewport = world.viewport
        self._depth = np.sort(rng.random(count) ** 2.2)
        self._x = rng.uniform(-1.15, 1.15, count) * viewport.half_width
        self._start = rng.random(count)
        self._phase = rng.uniform(0, 2 * np.pi, count)
        if count <= _FEW:
            # A few are near and in view; of many, some may be small or leave the picture.
            self._depth, self._x = 0.6 + 0.4 * self._depth, 0.5 * self._x
            self._start = 0.2 + 0.35 * self._start
        heights = 0.014 + 0.082 * np.linspace(0, 1, _SPRITE_SIZES) ** 1.3
        self._sprites = [_draw_lantern(float(height * viewport.unit), color) for height in heights]
        # Nearer lanterns rise faster.
        rates = (0.020 + 0.055 * self._depth) / (viewport.horizon / viewport.unit)
        self._rates = np.array(
            [world.rate(float(rate)) if world.camera.loop and rate > 0.05 else rate for rate in rates]
        )
        self._sway = world.rate(0.09)

    def prepare(self, state: FrameState, canvas: F32) -> Any:
        """What to draw, from far to near: (sprite, left, top, brightness)."""
        viewport = self._world.viewport
        travel = viewport.horizon + 0.2 * viewport.unit
        items = []
        for index, depth in enumerate(self._depth):
            risen = (self._start[index] + self._rates[index] * state.t) % 1.0
            sprite = self._sprites[min(_SPRITE_SIZES - 1, int(depth * _SPRITE_SIZES))]
            sway = 0.012 * np.sin(2 * np.pi * self._sway * state.t + self._phase[index]) * (0.5 + depth)
            x = (self._x[index] + sway - state.parallax(0.1 + 0.7 * depth)) * viewport.unit + viewport.width / 2
            y = viewport.horizon * 0.985 - risen * travel
            fade = float(smoothstep(0.0, 0.10, np.array([risen], np.float32))[0])
            glow = fade * (0.55 + 0.45 * depth) * (1 + 0.06 * np.sin(state.t * 5 + self._phase[index] * 7))
            items.append((sprite, x - sprite.size[1] / 2, y - sprite.size[0] / 2, glow))
        return items

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        for sprite, left, top, glow in prepared:
            if top < span[1] and top + sprite.size[0] + 1 > span[0]:
                blit(canvas, span, sprite, (left, top), glow)


def _draw_lantern(height: float, color: Rgb) -> Sprite:
    """One lantern, `height` pixels tall, with its halo."""
    size = int(height * 1.7) + 4
    axis = (np.arange(size, dtype=np.float32) - np.float32((size - 1) / 2)) / np.float32(max(height, 1.0))
    x, y = np.broadcast_arrays(axis[None], axis[:, None])
    # A barrel that is narrower at its opening.
    half_width = (
        np.float32(0.36) - np.float32(0.075) * smoothstep(-0.1, 0.5, y) - np.float32(0.22) * smoothstep(-0.30, -0.52, y)
    )
    edge = np.float32(max(height, 1.0))
    body = np.clip((half_width - np.abs(x)) * edge + 0.5, 0, 1) * np.clip(
        (np.float32(0.5) - np.abs(y)) * edge + 0.5, 0, 1
    )
    warm = np.float32(0.55) + np.float32(1.9) * np.exp(-((y - np.float32(0.42)) ** 2) * 7 - x * x * 9)
    ribs = 1 - np.float32(0.10) * (np.abs(np.sin(x * np.float32(15))) < 0.2)
    square = x * x + y * y
    halo = np.exp(-square * np.float32(5.0)) * np.float32(0.11) * smoothstep(0.84, 0.45, np.sqrt(square))
    paper = as_planes(color) * (warm * ribs) * np.float32(1.15)
    mouth = np.exp(-((y - np.float32(0.46)) ** 2) * 160 - x * x * 30)
    paper = paper + as_planes(mix(color, (1.0, 0.9, 0.6), 0.6)) * mouth * 3
    sprite = straight_sprite(paper, body)
    glow = as_planes(scale(color, 1.0)) * halo
    return premultiplied_sprite((sprite.light + glow * (1 - body)).astype(np.float32), sprite.alpha)
