"""Rain, snow and fog over any subject."""

import numpy as np

from videogen.engines.procedural.bands import Bands, Span
from videogen.engines.procedural.camera import TEMPO
from videogen.engines.procedural.frame import Frame
from videogen.engines.procedural.noise import F32, smooth, spectral, tap, tile
from videogen.engines.procedural.spec import SceneSpec
from videogen.engines.procedural.splat import splat, streaks

_FALLS = ((1.3, 0.55, 420), (1.9, 0.8, 230), (2.7, 1.0, 100))  # rain: picture heights a second, light, drops
_FLAKES = ((0.9, 0.055, 300), (1.6, 0.085, 150), (2.8, 0.135, 60), (5.0, 0.21, 16))  # snow: radius, speed, flakes


class Weather:
    """What falls through the picture. Drops come back at the top at another place, so nothing repeats in sight."""

    def __init__(self, spec: SceneSpec, frame: Frame, rng: np.random.Generator) -> None:
        self._spec, self._frame = spec, frame
        self._pace = 0.7 + 0.3 * TEMPO[spec.tempo]
        self._wind = float(rng.uniform(-0.16, 0.16))
        self._rain = [rng.random((4, int(count * spec.rain * 1.6))).astype(np.float32) for _, _, count in _FALLS]
        self._snow = [rng.random((4, int(count * spec.snow * 1.7))).astype(np.float32) for _, _, count in _FLAKES]
        self._mist = tile(spectral(128, 3.4, rng, (1, 12))) if spec.fog else None

    def paint(self, canvas: F32, t: float, bands: Bands) -> None:
        """Add the weather at time t (seconds) to the canvas, float32 (3, H, W) of linear light."""
        veil = np.zeros(canvas.shape[1:], np.float32)
        if self._mist is not None:
            # Taken before any band is changed: the bands run at the same time.
            tone = canvas[:, ::16, ::16].mean(axis=(1, 2))
            bands.rows((0, self._frame.height), self._frame.width, lambda span: self._paint_fog(canvas, tone, span, t))
        if self._spec.rain:
            self._fall_rain(veil, t)
        if self._spec.snow:
            self._fall_snow(veil, t)
        if not (self._spec.rain or self._spec.snow):
            return
        light = canvas[:, ::16, ::16].mean(axis=(1, 2))
        light = 0.10 + 0.9 * light + 0.25 * light.mean()
        gain = light * np.float32(0.6 if self._spec.rain else 1.5)

        def work(span: Span) -> None:
            for channel in range(3):
                canvas[channel, span[0] : span[1]] += veil[span[0] : span[1]] * gain[channel]

        bands.rows((0, self._frame.height), self._frame.width, work)

    def _fall_rain(self, veil: F32, t: float) -> None:
        frame = self._frame
        for (speed, light, _), drops in zip(_FALLS, self._rain, strict=True):
            cycle = drops[1] * 7 + np.float32(t * speed * self._pace) * (0.9 + 0.2 * drops[2])
            turn = np.floor(cycle)
            place = np.mod(drops[0] + turn * np.float32(0.618034), 1) * np.float32(1.3) - np.float32(0.15)
            length = frame.unit * 0.028 * speed
            samples = int(length) + 2
            y = (cycle - turn) * np.float32(frame.height + 2 * length) - np.float32(length)
            x = place * np.float32(frame.width) + y * np.float32(self._wind)
            shine = (np.float32(0.35) + np.float32(0.65) * drops[3]) * np.float32(light)
            streaks(veil, x, y, (self._wind * length / samples, length / samples), samples, shine)

    def _fall_snow(self, veil: F32, t: float) -> None:
        frame = self._frame
        for layer, ((radius, speed, _), flakes) in enumerate(zip(_FLAKES, self._snow, strict=True)):
            cycle = flakes[1] * 7 + np.float32(t * speed * self._pace) * (0.8 + 0.4 * flakes[2])
            turn = np.floor(cycle)
            size = max(0.8, radius * frame.unit / 400)
            y = (cycle - turn) * np.float32(frame.height + 6 * size) - np.float32(3 * size)
            sway = np.sin(flakes[3] * 6.2832 + np.float32(t * 0.9) * (0.6 + flakes[2])) * np.float32(
                0.010 * (layer + 1)
            )
            place = np.mod(flakes[0] + turn * np.float32(0.618034), 1) * np.float32(1.4) - np.float32(0.2)
            x = place * np.float32(frame.width) + (sway + self._wind * (y / frame.height)) * np.float32(frame.unit)
            shine = (np.float32(0.3) + np.float32(0.5) * flakes[3]) * np.float32(1.0 - 0.18 * layer)
            splat(veil, x, y, size, shine)

    def _paint_fog(self, canvas: F32, tone: F32, span: Span, t: float) -> None:
        """Drifting banks of the picture's own mean light, thickest about the horizon."""
        frame = self._frame
        assert self._mist is not None
        height = frame.rows(*span)[:, None]
        bank = np.exp(-((height - 0.02) ** 2) / np.where(height > 0, np.float32(0.09), np.float32(0.05)))
        x = np.broadcast_to(frame.columns() * 22 + np.float32(t * 1.1), (len(height), frame.width))
        y = np.broadcast_to(height * 60, x.shape)
        swirl = smooth(-2.2, 1.8, tap(self._mist, x, y))
        amount = bank * (0.35 + 0.65 * swirl) * np.float32(0.85 * self._spec.fog)
        for channel in range(3):
            area = canvas[channel, span[0] : span[1]]
            area += (tone[channel] * np.float32(1.1) - area) * amount
