"""Figures that cross the picture: they walk, fly or swim, each at the pace of its steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from videogen.engines.procedural.bands import Span
from videogen.engines.procedural.camera import Moment
from videogen.engines.procedural.layer import Layer, World
from videogen.engines.procedural.strip import Strip, blit

# Drawings a second that look like motion by themselves.
_FLUENT = 18.0


@dataclass(frozen=True)
class Actor:
    """One figure. `frames` are the drawings of its cycle, `hertz` cycles a second from `phase`.

    `x`, `height`: where its foot (or middle) is at the start, picture units from the centre and over the horizon;
    `speed` picture units a second, to the left if negative; `bob`: how far it rises and sinks; `depth` 0 far to 1."""

    frames: Sequence[Strip]
    x: float
    height: float
    speed: float
    hertz: float
    phase: float
    depth: float
    bob: float = 0.0
    centred: bool = False


def _drawing(actor: Actor, t: float) -> Strip:
    """The drawing of this moment; in a slow cycle between two of them, or it would go by jerks."""
    count = len(actor.frames)
    if count == 1:
        return actor.frames[0]
    at = (actor.hertz * t + actor.phase) % 1.0 * count
    if actor.hertz * count > _FLUENT:
        return actor.frames[int(at + 0.5) % count]
    return actor.frames[int(at) % count].toward(actor.frames[(int(at) + 1) % count], at - int(at))


class Actors(Layer):
    """Figures; those that leave the picture come in again on its other side after a while."""

    def __init__(self, world: World, actors: Sequence[Actor], order: float) -> None:
        self.order = order
        self._world, self._actors = world, actors
        self._slow = world.rate(0.11)

    def prepare(self, moment: Moment, canvas: Any) -> Any:
        """What is to be drawn where: drawing, left, top."""
        frame = self._world.frame
        found = []
        for actor in self._actors:
            strip = _drawing(actor, moment.t)
            rows, columns = strip.size
            room = frame.half_width + columns / frame.unit
            x = (actor.x + actor.speed * moment.t + room) % (2 * room) - room
            bob = actor.bob * float(np.sin(2 * np.pi * (self._slow * moment.t + actor.phase * 3)))
            y = frame.horizon - (actor.height + bob) * frame.unit
            left = (x - moment.shift(actor.depth)) * frame.unit + frame.width / 2 - columns / 2
            found.append((strip, left, y - rows / 2 if actor.centred else y - rows))
        return found

    def paint(self, canvas: Any, span: Span, moment: Moment, ready: Any) -> None:
        """See `Layer.paint`."""
        for strip, left, top in ready:
            if top < span[1] and top + strip.size[0] + 1 > span[0]:
                blit(canvas, span, strip, (left, top))
