"""Where the camera looks: a sideways drift each subject follows by depth, and a crop that zooms or tilts."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from videogen.engines.procedural.spec import SceneSpec

TEMPO = {"calm": 0.55, "steady": 1.0, "lively": 1.7}

_SPEED = 0.03  # picture units a second
_LONGEST = 0.36  # picture units a pan may travel in all
_ZOOM = 0.14
_TILT = 0.09


class Camera:
    """Motion of one shot over `duration` seconds. Before and after that it rests."""

    def __init__(self, spec: SceneSpec, duration: float, rng: np.random.Generator) -> None:
        self._duration = max(duration, 1e-3)
        pace = TEMPO[spec.tempo]
        side = float(rng.choice((-1.0, 1.0)))
        self.move = spec.camera or ("pan right" if side > 0 else "pan left")
        travel = min(_SPEED * pace * self._duration * (1.0 if spec.camera else 0.6), _LONGEST)
        self.travel = travel if self.move.startswith("pan") else 0.0
        self._sign = 1.0 if self.move == "pan right" else -1.0
        self._reach = min(1.0, 0.25 * pace * self._duration)

    def _progress(self, t: float) -> float:
        return min(max(t / self._duration, 0.0), 1.0)

    def pan(self, t: float) -> float:
        """How far right of the middle the camera looks at time t, in picture units (see Frame.unit)."""
        return self._sign * self.travel * (self._progress(t) - 0.5)

    def crop(self, picture: NDArray[np.uint8], t: float) -> NDArray[np.uint8]:
        """The part of the picture, uint8 (H, W, 3), that a zooming or tilting camera shows at time t."""
        height, width = picture.shape[:2]
        p = self._progress(t) * self._reach
        if self.move in ("zoom in", "zoom out"):
            keep = 1 - _ZOOM * (p if self.move == "zoom in" else self._reach - p)
            left, top = (1 - keep) / 2, (1 - keep) * 0.52
        elif self.move in ("tilt up", "tilt down"):
            keep = 1 - _TILT
            left, top = _TILT / 2, _TILT * (self._reach - p if self.move == "tilt up" else p)
        else:
            return picture
        area = (left * width, top * height, (left + keep) * width, (top + keep) * height)
        image = Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC, box=area)
        return np.asarray(image)
