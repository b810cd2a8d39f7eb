"""The camera of a drawn shot: parallax offsets for the layers, and a crop window for zoom, tilt and shake."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from videogen.engines.procedural.language import ShotSpec

TEMPO = {"calm": 0.6, "steady": 1.0, "lively": 1.6}

_SPEED = 0.03  # picture units per second
_LONGEST = 0.36  # longest pan of a shot, in picture units
_ORBIT = 0.30
_ZOOM = 0.14
_TILT = 0.09
_SHAKE = 0.016
_STRIDE = 0.9  # speed of a dolly, in metres per second
_CLOSEST = 0.6  # smallest part of the picture that a zoom beyond the end of its shot comes near to


@dataclass(frozen=True, slots=True)
class FrameState:
    """Time and camera position of one frame. `t`: scene seconds; the tempo makes them faster or slower than clip
    seconds.

    `pan`, `orbit`: picture units. `travel`: metres forward."""

    t: float
    pan: float = 0.0
    orbit: float = 0.0
    travel: float = 0.0

    def parallax(self, depth: float) -> float:
        """Offset of a layer to the left, in picture units. `depth`: 0 at the horizon, 1 at the camera."""
        return self.pan * (0.72 + 0.28 * depth) + self.orbit * (depth - 0.3)


class Camera:
    """Camera motion of one shot over `duration` seconds. In a loop it is periodic.

    It stands still before that. After that it goes on, for a video that is extended: a zoom towards the scene gets ever
    slower; sideways it turns smoothly and goes back, as nothing is drawn beyond; what has come to its end stands still.
    """

    def __init__(
        self, shot: ShotSpec, duration: float, loop: bool, rng: np.random.Generator, room: float = 0.001
    ) -> None:
        """`room`: picture units that it may go beyond its longest pan, for the turn."""
        self._duration = max(duration, 1e-3)
        self.loop = loop
        self._pace = TEMPO[shot.tempo]
        self.scene_seconds = self._duration * self._pace
        side = "right" if rng.random() < 0.5 else "left"
        self.motion: str = shot.camera or f"pan {side}"
        travel = min(_SPEED * self._pace * self._duration * (1.0 if shot.camera else 0.6), _LONGEST)
        self._pan_distance = travel if self.motion.startswith("pan") else 0.0
        self._direction = -1.0 if self.motion == "pan left" else 1.0
        self._extent = min(1.0, 0.25 * self._pace * self._duration)
        self._orbit = _ORBIT * self._extent if self.motion == "orbit" else 0.0
        self._phases = rng.uniform(0, 2 * np.pi, 6)
        self.max_offset = self._pan_distance / 2 + self._orbit
        self._turn = min(0.25, 2 * room / max(self._pan_distance, 2 * self._orbit, 1e-6))

    def _progress(self, t: float) -> float:
        if self.loop:
            return 0.5 - 0.5 * float(np.cos(2 * np.pi * t / self._duration))
        fraction = max(t / self._duration, 0.0)
        return fraction if fraction <= 1 else self._beyond(fraction)

    def _beyond(self, fraction: float) -> float:
        """The progress at a multiple of the duration above 1. Its speed there is that of the end."""
        if self.motion in ("zoom in", "dolly in"):
            left = (1 - _CLOSEST) / (_ZOOM * max(self._extent, 1e-3)) - 1
            return 1 + left * (1 - float(np.exp((1 - fraction) / left)))
        if self.max_offset == 0:
            return 1.0
        # There and back: straight lines between turns, which are parabolas `2 * turn` long and `turn / 2` high.
        turn = self._turn
        leg, rest = divmod(fraction - 1, 1 + 2 * turn)
        way = 1 + rest - rest * rest / (2 * turn) if rest < 2 * turn else 1 - (rest - 2 * turn)
        return way if leg % 2 == 0 else 1 - way

    def state_at(self, t: float) -> FrameState:
        """The state at time t, in seconds of the shot."""
        offset = self._progress(t) - 0.5
        stride = _STRIDE * t * self._pace if not self.loop else _STRIDE * self.scene_seconds * (offset + 0.5)
        dolly = {"dolly in": 1.0, "dolly out": -1.0}.get(self.motion, 0.0)
        return FrameState(
            t * self._pace, self._direction * self._pan_distance * offset, 2 * self._orbit * offset, dolly * stride
        )

    def crop(self, picture: NDArray[np.uint8], t: float) -> NDArray[np.uint8]:
        """The part of the picture, uint8 (H, W, 3), that is visible at time t (seconds), scaled to the full size."""
        keep, left, top = self._crop_window(t)
        if keep == 1.0:
            return picture
        height, width = picture.shape[:2]
        area = (left * width, top * height, (left + keep) * width, (top + keep) * height)
        image = Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC, box=area)
        return np.asarray(image)

    def _crop_window(self, t: float) -> tuple[float, float, float]:
        """The visible window as (size, left, top), in fractions of width and height."""
        p = self._progress(t) * self._extent
        if self.motion in ("zoom in", "zoom out", "dolly in", "dolly out"):
            keep = 1 - _ZOOM * (p if self.motion.endswith(" in") else self._extent - p)
            return keep, (1 - keep) / 2, (1 - keep) * 0.52
        if self.motion in ("tilt up", "tilt down"):
            return 1 - _TILT, _TILT / 2, _TILT * (self._extent - p if self.motion == "tilt up" else p)
        if self.motion == "handheld":
            x, y = (self._shake(t, axis) for axis in (0, 1))
            return 1 - 2 * _SHAKE, _SHAKE * (1 + x), _SHAKE * (1 + y)
        return 1.0, 0.0, 0.0

    def _shake(self, t: float, axis: int) -> float:
        waves: tuple[tuple[float, float], ...] = ((0.35, 0.55), (0.8, 0.3), (1.7, 0.15))
        if self.loop:
            waves = tuple((max(1, round(hertz * self._duration)) / self._duration, size) for hertz, size in waves)
        return shake(t, waves, self._phases[3 * axis :])


def shake(t: float, waves: Iterable[tuple[float, float]], phases: NDArray[np.float64]) -> float:
    """Camera shake on one axis at time t (seconds), -1..1: a sum of slow sine waves. `waves`: (hertz, amplitude)."""
    pairs = zip(waves, phases, strict=False)
    return sum(amplitude * float(np.sin(2 * np.pi * hertz * t + phase)) for (hertz, amplitude), phase in pairs)
