"""A picture as one shot: relit, with camera motion, with weather in front of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from videogen.engines.procedural.camera import Camera, FrameState
from videogen.engines.procedural.language import ShotSpec
from videogen.engines.procedural.language.scene_spec import Kind
from videogen.engines.procedural.layer import Layer, World
from videogen.engines.procedural.lighting import build_lighting
from videogen.engines.procedural.noise import F32
from videogen.engines.procedural.photo.camera_path import CameraPath
from videogen.engines.procedural.photo.depth import guess_depth
from videogen.engines.procedural.photo.relight import relight, relighting_for
from videogen.engines.procedural.photo.warp import Warp, crop_to_fill, required_margin
from videogen.engines.procedural.row_bands import split_rows
from videogen.engines.procedural.subjects import SUBJECTS
from videogen.engines.procedural.tone_mapping import Grain
from videogen.engines.procedural.viewport import Viewport, checked_size

_WEATHER: tuple[Kind, ...] = ("fog", "rain", "snow")


class PhotoScene:
    """A built scene. Thread-safe."""

    def __init__(
        self,
        picture: NDArray[np.uint8],
        shot: ShotSpec,
        size: tuple[int, int],
        seed: int,
        duration: float,
        new_light: ShotSpec | None = None,
    ) -> None:
        """`new_light`: the shot with only the light that the picture has not yet, if that is not all of it."""
        width, height = checked_size(size)
        seeds = (seed & 0xFFFF_FFFF_FFFF_FFFF, 77)
        cropped = crop_to_fill(picture, size)
        depth = guess_depth(cropped)
        light = relighting_for(new_light or shot)
        self._path = CameraPath(shot, duration, np.random.default_rng([*seeds, 1]))
        views = [self._path.view_at(duration * step / 48) for step in range(49)]
        lit = relight(cropped, depth, light, np.random.default_rng([*seeds, 2]))
        self._warp = Warp(lit, depth, size, required_margin(views))
        self._camera = Camera(shot, duration, False, np.random.default_rng([*seeds, 3]))
        self._viewport = Viewport(width, height, height // 2)
        world = World(shot, self._viewport, build_lighting(shot, "noon", (0.0, 0.5)), self._camera, seeds)
        self._weather: list[Layer] = [
            layer
            for kind in _WEATHER
            if (subject := shot.find(kind)) is not None and kind not in shot.without
            for layer in SUBJECTS[kind].build(world, subject)
        ]
        self._vignette = _vignette(size, light.vignette)
        self._grain = Grain(width, 1.3, np.random.default_rng([*seeds, 4]), np.random.default_rng([*seeds, 5]))

    def frame(self, t: float) -> NDArray[np.uint8]:
        """The frame at t (seconds), uint8 (H, W, 3), RGB. The same t gives the same bytes, in any order of calls and on
        any number of threads."""
        shown = self._warp.show(self._path.view_at(t))
        if self._weather or self._vignette is not None:
            return self._to_bytes(self._weathered(shown, self._camera.state_at(t)), t)
        return shown

    def _weathered(self, shown: NDArray[np.uint8], state: FrameState) -> F32:
        """Linear light, float32 (3, H, W), with the weather layers."""
        canvas = np.square(shown.transpose(2, 0, 1), dtype=np.float32)
        canvas *= np.float32(1 / 255**2)
        spans = split_rows(0, self._viewport.height, self._viewport.width)
        for layer in self._weather:
            prepared = layer.prepare(state, canvas)
            for span in spans:
                layer.paint(canvas, span, state, prepared)
        return canvas

    def _to_bytes(self, canvas: F32, t: float) -> NDArray[np.uint8]:
        picture = np.empty((self._viewport.height, self._viewport.width, 3), np.uint8)
        for first, last in split_rows(0, self._viewport.height, self._viewport.width):
            light = canvas[:, first:last]
            np.sqrt(np.maximum(light, 0), out=light)
            light *= np.float32(255) if self._vignette is None else self._vignette[first:last]
            light += self._grain.rows(t, (first, last))
            np.clip(light, 0, 255, out=light)
            for channel in range(3):
                picture[first:last, :, channel] = light[channel]
        return picture


def _vignette(size: tuple[int, int], amount: float) -> F32 | None:
    if not amount:
        return None
    x = np.linspace(-1, 1, size[0], dtype=np.float32)
    y = np.linspace(-1, 1, size[1], dtype=np.float32)[:, None]
    return np.asarray(255 * (1 - amount * 0.5 * np.minimum(x * x + y * y, 2.0)), np.float32)
