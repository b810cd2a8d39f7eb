"""The ocean: sky, ridges and sea under one light."""

import numpy as np

from videogen.engines.procedural.bands import Bands
from videogen.engines.procedural.camera import TEMPO, Camera
from videogen.engines.procedural.frame import Frame
from videogen.engines.procedural.light import Grade
from videogen.engines.procedural.noise import F32
from videogen.engines.procedural.palette import HOURS, Hour, mix, scale, tint
from videogen.engines.procedural.ridges import Range, Ridges
from videogen.engines.procedural.sea import Sea, Water
from videogen.engines.procedural.sky import Sky
from videogen.engines.procedural.spec import SceneSpec


class Ocean:
    """One composition of the sea: where the sun stands, how the land lies."""

    def __init__(self, spec: SceneSpec, size: tuple[int, int], camera: Camera, rng: np.random.Generator) -> None:
        width, height = size
        horizon = int(height * rng.uniform(0.50, 0.57))
        self._frame = frame = Frame(width, height, horizon)
        self._camera = camera
        self._pace = TEMPO[spec.tempo]
        hour = _weathered(HOURS[spec.mood], spec)
        self.grade = Grade(exposure=hour.exposure, bloom=0.55, threshold=1.0, vignette=0.55)
        self._sky = Sky(frame, hour, spec.clouds, spec.stars, rng)
        look = Range(
            layers=int(rng.integers(2, 4)),
            height=float(rng.uniform(0.16, 0.30)) * min(1.0, 0.55 + 0.75 * spec.ridges),
            color=hour.ridge,
            light=scale(hour.sun, 0.10 * hour.halo),
            air=0.78,
            sharpness=float(rng.uniform(0.45, 0.85)),
        )
        self._ridges = Ridges(frame, look, camera.travel, rng) if spec.ridges > 0 else None
        water = Water(
            color=hour.water,
            sun_color=hour.sun,
            sun=self._sky.sun,
            slope=0.045 + 0.17 * spec.energy + 0.10 * max(0.0, spec.energy - 0.6),
            glitter=hour.glitter * (1 - 0.75 * max(0.0, spec.clouds - 0.5)),
            pace=self._pace * (0.8 + 0.4 * spec.energy),
        )
        self._sea = Sea(frame, water, rng)

    def paint(self, canvas: F32, t: float, bands: Bands) -> None:
        """Fill the canvas, float32 (3, H, W) of linear light, with the moment t (seconds)."""
        pan = self._camera.pan(t)
        frame, ridges = self._frame, self._ridges
        self._sky.paint(canvas, t, pan, self._pace, bands)
        haze = self._sky.haze(pan)
        if ridges:
            bands.rows((0, frame.horizon), frame.width, lambda span: ridges.paint(canvas, haze, span, pan))
        self._sea.paint(canvas, haze, t, pan, bands)


def _weathered(hour: Hour, spec: SceneSpec) -> Hour:
    """The hour's light under cloud and colour words: a covered sky is greyer, and its sun weaker."""
    values = dict(vars(hour))
    gloom = max(0.0, spec.clouds - 0.55) * 1.6
    for name in ("near", "away", "middle", "zenith", "cloud_lit", "cloud_dark", "water", "ridge"):
        color = tint(values[name], spec.accents, 0.5)
        grey = sum(color) / 3
        slate = (grey * 0.80, grey * 0.98, grey * 1.20)
        values[name] = scale(mix(color, slate, min(1.0, gloom * 1.5)), 1 - 0.75 * gloom)
    values["sun"] = tint(hour.sun, spec.accents, 0.35)
    values["disc"] = hour.disc * (1 - gloom) if gloom < 0.5 else 0.0
    values["halo"] = hour.halo * (1 - 0.8 * gloom)
    return Hour(**values)
