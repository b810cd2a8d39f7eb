"""Sprites that cross the picture, with an animation cycle: they walk, fly, swim or drift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from videogen.engines.procedural.camera import FrameState
from videogen.engines.procedural.layer import Layer, World
from videogen.engines.procedural.row_bands import Span
from videogen.engines.procedural.sprite import Sprite, blit

# Sprites per second from which on no interpolation is needed.
_SMOOTH_FRAME_RATE = 18.0


@dataclass(frozen=True)
class MovingSprite:
    """One animated sprite. `frames`: its animation cycle. `hertz`: cycles per second. `phase`: start of the cycle,
    0..1.

    `x`, `height`: start position of its bottom (of its centre, if `centred`), in picture units from the middle and over
    the horizon. `speed`: picture units per second, negative to the left. `bob`: amplitude of the vertical motion, in
    picture units. `depth`: 0 (far) .. 1 (near)."""

    frames: Sequence[Sprite]
    x: float
    height: float
    speed: float
    hertz: float
    phase: float
    depth: float
    bob: float = 0.0
    centred: bool = False


def _current_sprite(moving: MovingSprite, t: float) -> Sprite:
    """The sprite at time t (seconds). A slow cycle is interpolated."""
    count = len(moving.frames)
    if count == 1:
        return moving.frames[0]
    position = (moving.hertz * t + moving.phase) % 1.0 * count
    if moving.hertz * count > _SMOOTH_FRAME_RATE:
        return moving.frames[int(position + 0.5) % count]
    return moving.frames[int(position) % count].toward(
        moving.frames[(int(position) + 1) % count], position - int(position)
    )


class MovingSprites(Layer):
    """Sprites that leave the picture on one side and come back on the other."""

    def __init__(self, world: World, sprites: Sequence[MovingSprite], order: float) -> None:
        self.order = order
        self._world, self._sprites = world, sprites
        self._slow = world.rate(0.11)

    def prepare(self, state: FrameState, canvas: Any) -> Any:
        """What to draw: (sprite, left, top), in pixels."""
        viewport = self._world.viewport
        items = []
        for moving in self._sprites:
            sprite = _current_sprite(moving, state.t)
            rows, columns = sprite.size
            half_range = viewport.half_width + columns / viewport.unit
            x = (moving.x + moving.speed * state.t + half_range) % (2 * half_range) - half_range
            bob = moving.bob * float(np.sin(2 * np.pi * (self._slow * state.t + moving.phase * 3)))
            y = viewport.horizon - (moving.height + bob) * viewport.unit
            left = (x - state.parallax(moving.depth)) * viewport.unit + viewport.width / 2 - columns / 2
            items.append((sprite, left, y - rows / 2 if moving.centred else y - rows))
        return items

    def paint(self, canvas: Any, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        for sprite, left, top in prepared:
            if top < span[1] and top + sprite.size[0] + 1 > span[0]:
                blit(canvas, span, sprite, (left, top))
