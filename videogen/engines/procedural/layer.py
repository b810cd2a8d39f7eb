"""The interface between a scene and its contents: the layers, their common world, the state of a frame.

How to add a subject:

1. Write its layers in a module of `layers/`: subclasses of `Layer`. A layer draws random numbers and textures in
   `__init__`. After that it is a pure function of the frame state: `prepare` does the small work of a frame (fields
   at half size, positions of particles), `paint` adds rows [first, last) to the canvas. Nothing is kept between
   frames, because frames are painted in any order, several at the same time.
2. Write its builder in a module of `subjects/`: a function (World, Subject) -> list of layers.
3. Add it to `DEFINITIONS` there, with its role, and its default hour and horizon.

Colours are linear light: about 0..1 for lit surfaces, more for light sources. Take them from `world.lighting`, so that
all subjects have the same light. Lengths are picture units (see `Viewport.unit`), so that sizes agree. Speeds are
metres, picture units or cycles per second; get cycles from `world.rate`, so that loops are periodic."""

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
WATER_GROUNDS: Final = ("ocean", "lake", "pool", "river")


class Layer:
    """One part of a picture. Layers are painted in ascending `order`, from far to near."""

    order: float = STANDING
    reads_canvas: bool = False
    """Whether `prepare` reads the canvas. All layers with a lower `order` are complete then."""

    def prepare(self, state: FrameState, canvas: F32) -> Any:
        """Called once per frame, before its rows. Returns the `prepared` of `paint`. The canvas is read-only, and valid
        only if `reads_canvas` is set."""

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """Paint rows [first, last) of the canvas, float32 (3, H, W), linear light. `first` is even."""
        raise NotImplementedError


@dataclass(frozen=True)
class World:
    """The common data of all layers of one shot."""

    shot: ShotSpec
    viewport: Viewport
    lighting: Lighting
    camera: Camera
    seed: tuple[int, ...]
    ground: str = ""
    """The kind below the horizon; "" if there is none."""

    def rng(self, name: str) -> np.random.Generator:
        """A random generator for each name, so that the layers do not influence each other."""
        return np.random.default_rng([*self.seed, zlib.crc32(name.encode())])

    def rate(self, hertz: float) -> float:
        """Cycles per second: `hertz`, or, in a loop, the nearest rate with a whole number of cycles (never 0)."""
        if not self.camera.loop:
            return hertz
        return (
            max(1, round(abs(hertz) * self.camera.scene_seconds))
            / self.camera.scene_seconds
            * (1 if hertz >= 0 else -1)
        )

    @property
    def is_snowy(self) -> bool:
        """Whether the ground and the trees are covered with snow."""
        return self.lighting.season == "winter" or self.shot.amount("snow") > 0

    @property
    def layer_width(self) -> int:
        """Columns of a drawn layer: the picture and its margins."""
        return self.viewport.width + 2 * self.margin

    @property
    def layer_columns(self) -> F32:
        """x of the column centres of a drawn layer, float32 (layer_width,), in picture units from the middle."""
        x = np.arange(self.layer_width, dtype=np.float32) - self.margin + 0.5 - self.viewport.width / 2
        return np.asarray(x / np.float32(self.viewport.unit), np.float32)

    @property
    def margin(self) -> int:
        """Columns that a drawn layer needs beyond each side of the picture, for the largest camera offset."""
        return int(self.camera.max_offset * self.viewport.unit) + 3
