"""Camera motion through a picture: the visible part, and the parallax of near and far parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from videogen.engines.procedural.camera import TEMPO, shake
from videogen.engines.procedural.language import ShotSpec
from videogen.engines.procedural.photo.prompt import DEFAULT_MOTION

# Amplitudes as fractions of the picture's width (or height, for vertical motion) in a shot of four seconds.
_PUSH: Final = 0.13
_SLIDE: Final = 0.085
_ORBIT: Final = 0.030
_SHAKE: Final = 0.010
_SHAKE_WAVES: Final = ((0.3, 0.6), (0.7, 0.28), (1.5, 0.12))
_DRIFT: Final = 0.035
_FULL_SECONDS: Final = 4.0


@dataclass(frozen=True, slots=True)
class CameraView:
    """What the camera sees. Lengths are fractions of the picture's width and height.

    `zoom`: scale. `deep`: additional scale of the nearest parts. `x`, `y`: offset of the view to the right and down.
    `near_x`, `near_y`: additional offset for the nearest parts; the farthest parts get the opposite."""

    zoom: float = 1.0
    deep: float = 0.0
    x: float = 0.0
    y: float = 0.0
    near_x: float = 0.0
    near_y: float = 0.0


class CameraPath:
    """Camera motion over `seconds`. It stands still before and after."""

    def __init__(self, shot: ShotSpec, seconds: float, rng: np.random.Generator) -> None:
        self.motion = shot.camera or DEFAULT_MOTION
        self._seconds = max(seconds, 1e-3)
        pace = TEMPO[shot.tempo]
        # A short clip has a smaller motion, so that it is not too fast. A long clip has a slow one.
        self._extent = min(1.25, pace * self._seconds / _FULL_SECONDS)
        self._phases = rng.uniform(0, 2 * np.pi, 6)
        self._orbit_direction = float(rng.choice((-1.0, 1.0)))
        # Without a requested motion, each seed drifts in its own direction.
        self._drift = rng.uniform(-1, 1, 2) * (0 if shot.camera else _DRIFT)

    def view_at(self, t: float) -> CameraView:
        """The view at time t, in seconds."""
        extent = self._extent
        progress = self._progress(t)  # 0 at the start, 1 at the end
        offset = (progress - 0.5) * extent
        match self.motion:
            case "still":
                return CameraView()
            case "zoom in" | "dolly in":
                deep = 0.5 if self.motion == "zoom in" else 1.2
                x, y = (float(value) * extent * progress for value in self._drift)
                return CameraView(
                    1 + _PUSH * extent * progress, deep * _PUSH * extent * progress, x, y, 0.3 * x, 0.3 * y
                )
            case "zoom out" | "dolly out":
                deep = 0.5 if self.motion == "zoom out" else 1.2
                return CameraView(1 + _PUSH * extent * (1 - progress), deep * _PUSH * extent * (1 - progress))
            case "pan left" | "pan right":
                x = offset * _SLIDE * 2 * (1 if self.motion == "pan right" else -1)
                return CameraView(x=x, near_x=0.28 * x)
            case "tilt up" | "tilt down":
                y = offset * _SLIDE * 2 * (1 if self.motion == "tilt down" else -1)
                return CameraView(y=y, near_y=0.28 * y)
            case "orbit":
                # Near and far parts move in opposite directions. A small arc and zoom make it look like a walk.
                angle = offset * 2 * self._orbit_direction
                return CameraView(
                    1 + 0.02 * extent * progress, 0.0, near_x=_ORBIT * angle, near_y=0.2 * _ORBIT * angle * angle
                )
        return self._handheld_view(t)

    def _handheld_view(self, t: float) -> CameraView:
        x, y = (_SHAKE * shake(t, _SHAKE_WAVES, self._phases[3 * axis :]) for axis in (0, 1))
        return CameraView(1.0 + 0.02 * self._progress(t), 0.0, x, y, 0.4 * x, 0.4 * y)

    def _progress(self, t: float) -> float:
        fraction = min(max(t / self._seconds, 0.0), 1.0)
        # Constant speed with a soft start and end.
        soft = fraction * fraction * (3 - 2 * fraction)
        return 0.6 * fraction + 0.4 * soft
