"""The seam between a scene and what is seen in it: layers, the world that they stand in, the moment they show.

How to add a subject:

1. Write its layers in a module of `layers/`: classes derived from `Layer`. A layer draws random numbers and bakes
   textures in `__init__`, and is a pure function of the moment afterwards: `prepare` does a frame's small work (half
   size fields, positions of particles), `paint` adds rows [first, last) to the canvas. Nothing is kept between frames,
   since frames are painted in any order and several at once.
2. Write its builder in a module of `subjects/`: a function (World, Subject) -> list of layers.
3. Name it in `subjects.SUBJECTS`, with its role and the hour and horizon that suit it.

Colours are linear light, about 0 to 1 for what is lit and above for what shines. Take them from `world.air`, so that
subjects agree about the hour. Lengths are picture units (see `Frame.unit`), so that they agree about size as well.
Motion is metres or picture units or cycles a second; where it is a cycle, ask `world.rate`, so that loops close."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from videogen.engines.procedural.camera import Camera, FrameState
from videogen.engines.procedural.language import ShotSpec
from videogen.engines.procedural.lighting import Lighting
from videogen.engines.procedural.noise import F32
from videogen.engines.procedural.row_bands import Span
from videogen.engines.procedural.viewport import Viewport

SKY: Final = 0.0
STARS: Final = 5.0
CELESTIAL: Final = 10.0
CURTAINS: Final = 15.0
CLOUDS: Final = 20.0
FAR: Final = 30.0
SKYLINE: Final = 36.0
WOODS: Final = 40.0
ALOFT: Final = 45.0
GROUND: Final = 50.0
STANDING: Final = 60.0
NEAR: Final = 70.0
FALLING: Final = 80.0
VEIL: Final = 90.0
TITLE: Final = 100.0


class Layer:
    """One thing in a picture. Layers are painted in the order of `order`, from far to near."""

    order: float = STANDING
    reads_canvas: bool = False
    """Whether `prepare` looks at the canvas: then all layers before this one are complete by then."""

    def prepare(self, state: FrameState, canvas: F32) -> Any:
        """Once a frame, before its rows: what `paint` is handed as `ready`. The canvas is only to be read, and only
        where the layer says that it `reads`."""

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """Paint rows [first, last), first even, of the canvas: float32 (3, H, W), linear light."""
        raise NotImplementedError


@dataclass(frozen=True)
class World:
    """What the layers of one shot share."""

    shot: ShotSpec
    viewport: Viewport
    lighting: Lighting
    camera: Camera
    seed: tuple[int, ...]
    ground: str = ""
    """Kind of what lies under the horizon; empty where there is none."""

    def rng(self, name: str) -> np.random.Generator:
        """Chance of its own for each name: what one layer draws moves no other."""
        return np.random.default_rng([*self.seed, zlib.crc32(name.encode())])

    def rate(self, hertz: float) -> float:
        """Cycles a second: `hertz`, or, in a loop, the nearest rate that comes round at its end (never 0)."""
        if not self.camera.loop:
            return hertz
        return (
            max(1, round(abs(hertz) * self.camera.scene_seconds))
            / self.camera.scene_seconds
            * (1 if hertz >= 0 else -1)
        )

    @property
    def margin(self) -> int:
        """Columns that a baked layer must have beyond each side of the picture, for any move of the camera."""
        return int(self.camera.max_offset * self.viewport.unit) + 3
