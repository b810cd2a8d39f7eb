"""Figures that cross the picture: they walk, fly or swim, each at the pace of its steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from videogen.engines.procedural.camera import FrameState
from videogen.engines.procedural.layer import Layer, World
from videogen.engines.procedural.row_bands import Span
from videogen.engines.procedural.sprite import Sprite, blit

# Drawings a second that look like motion by themselves.
_SMOOTH_FRAME_RATE = 18.0


@dataclass(frozen=True)
class MovingSprite:
    """One figure. `frames` are the drawings of its cycle, `hertz` cycles a second from `phase`.

    `x`, `height`: where its foot (or middle) is at the start, picture units from the centre and over the horizon;
    `speed` picture units a second, to the left if negative; `bob`: how far it rises and sinks; `depth` 0 far to 1."""

    frames: Sequence[Sprite]
    x: float
    height: float
    speed: float
    hertz: float
    phase: float
    depth: float
    bob: float = 0.0
    centred: bool = False


def _current_sprite(actor: MovingSprite, t: float) -> Sprite:
    """The drawing of this moment; in a slow cycle between two of them, or it would go by jerks."""
    count = len(actor.frames)
    if count == 1:
        return actor.frames[0]
    at = (actor.hertz * t + actor.phase) % 1.0 * count
    if actor.hertz * count > _SMOOTH_FRAME_RATE:
        return actor.frames[int(at + 0.5) % count]
    return actor.frames[int(at) % count].toward(actor.frames[(int(at) + 1) % count], at - int(at))


class MovingSprites(Layer):
    """Figures; those that leave the picture come in again on its other side after a while."""

    def __init__(self, world: World, actors: Sequence[MovingSprite], order: float) -> None:
        self.order = order
        self._world, self._actors = world, actors
        self._slow = world.rate(0.11)

    def prepare(self, state: FrameState, canvas: Any) -> Any:
        """What is to be drawn where: drawing, left, top."""
        viewport = self._world.viewport
        found = []
        for actor in self._actors:
            sprite = _current_sprite(actor, state.t)
            rows, columns = sprite.size
            room = viewport.half_width + columns / viewport.unit
            x = (actor.x + actor.speed * state.t + room) % (2 * room) - room
            bob = actor.bob * float(np.sin(2 * np.pi * (self._slow * state.t + actor.phase * 3)))
            y = viewport.horizon - (actor.height + bob) * viewport.unit
            left = (x - state.parallax(actor.depth)) * viewport.unit + viewport.width / 2 - columns / 2
            found.append((sprite, left, y - rows / 2 if actor.centred else y - rows))
        return found

    def paint(self, canvas: Any, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        for sprite, left, top in prepared:
            if top < span[1] and top + sprite.size[0] + 1 > span[0]:
                blit(canvas, span, sprite, (left, top))
