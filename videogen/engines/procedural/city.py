"""The neon city: rows of towers in coloured haze over a wet street."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from videogen.engines.procedural.bands import Bands, Span
from videogen.engines.procedural.camera import TEMPO, Camera
from videogen.engines.procedural.frame import Frame
from videogen.engines.procedural.light import Grade
from videogen.engines.procedural.noise import F32, smooth, spectral, tap, tile
from videogen.engines.procedural.palette import TINTS, Rgb, column, mix, scale, tint
from videogen.engines.procedural.resample import double
from videogen.engines.procedural.skyline import Row, Strip, draw_row
from videogen.engines.procedural.spec import SceneSpec
from videogen.engines.procedural.splat import splat
from videogen.engines.procedural.street import Street


@dataclass(frozen=True)
class _Mood:
    glow: Rgb
    zenith: Rgb
    body: Rgb
    neon: tuple[Rgb, ...]


_MOODS: Mapping[str, _Mood] = {
    "neon": _Mood(
        (0.30, 0.075, 0.25), (0.010, 0.018, 0.052), (0.016, 0.018, 0.036),
        ((1.0, 0.12, 0.50), (0.08, 0.75, 1.0), (0.55, 0.16, 1.0), (1.0, 0.45, 0.08)),
    ),
    "dusk": _Mood(
        (0.50, 0.17, 0.11), (0.020, 0.032, 0.11), (0.030, 0.024, 0.042),
        ((1.0, 0.40, 0.12), (1.0, 0.18, 0.40), (0.15, 0.65, 1.0), (1.0, 0.65, 0.25)),
    ),
}  # fmt: skip

_ROWS = ((0.0, 0.56, 0.052, 0.34, 0.12), (0.45, 0.47, 0.070, 0.36, 0.36), (1.0, 0.27, 0.092, 0.38, 0.62))
_CARS = 26


class City:
    """One town: where its towers crowd, what its signs are, how they stand."""

    def __init__(self, spec: SceneSpec, size: tuple[int, int], camera: Camera, rng: np.random.Generator) -> None:
        width, height = size
        self._frame = frame = Frame(width, height, int(height * rng.uniform(0.66, 0.70)) // 2 * 2)
        self._camera, self._pace = camera, TEMPO[spec.tempo]
        mood = _MOODS[spec.mood]
        neon = tuple(TINTS[name] for name in spec.accents) * 2 + (mood.neon[:1] if spec.accents else mood.neon)
        self._glow, self._zenith = tint(mood.glow, spec.accents, 0.7), tint(mood.zenith, spec.accents, 0.3)
        self.grade = Grade(exposure=1.25, bloom=0.95, threshold=0.42, vignette=0.7)
        self._columns = frame.width + int(camera.travel * frame.unit) + 4
        centre = float(rng.uniform(0.25, 0.75))
        tall = min(1.25, frame.horizon / frame.unit / 0.68)
        self._strips: list[tuple[float, Strip]] = []
        for depth, tallest, wide, windows, signs in _ROWS:
            body = mix(scale(mood.body, 1.9), mood.body, depth)
            bright = min(1.0, windows * (0.75 + 0.5 * spec.energy))
            row = Row(depth, tallest * tall * rng.uniform(0.92, 1.1), wide, body, bright, signs, neon, centre)
            self._strips.append((depth, draw_row(frame, row, self._columns, rng)))
        self._clouds = tile(spectral(256, 3.2, rng, (2, 80), 0.6))
        self._street = Street(frame, scale(mix(mood.body, self._glow, 0.06), 0.55), min(1.0, 0.45 + spec.rain), rng)
        self._cars = rng.random((4, _CARS)).astype(np.float32)

    def paint(self, canvas: F32, t: float, bands: Bands) -> None:
        """Fill the canvas, float32 (3, H, W) of linear light, with the moment t (seconds)."""
        frame, pan = self._frame, self._camera.pan(t)
        half = np.empty((3, frame.horizon // 2, frame.width // 2), np.float32)
        bands.rows((0, frame.horizon // 2), frame.width // 2, lambda span: self._paint_sky(half, span, t, pan))

        def work(span: Span) -> None:
            canvas[:, span[0] : span[1]] = double(half, span, frame.width)
            for depth, strip in self._strips:
                self._paint_strip(canvas, depth, strip, span, pan)

        bands.rows((0, frame.horizon), frame.width, work)
        self._paint_cars(canvas, t, pan)
        self._street.paint(canvas, t, pan, bands)

    def _paint_sky(self, half: F32, span: Span, t: float, pan: float) -> None:
        frame = self._frame
        height = frame.rows(*span, scale=2)
        x = frame.columns(2) + np.float32(pan * 0.6)
        far = 1 / (np.maximum(height, 0) + np.float32(0.22))
        u = x[None] * far[:, None] * 26 + np.float32(2.2 * t * self._pace)
        v = np.broadcast_to((far * 40 + np.float32(0.8 * t * self._pace))[:, None], u.shape)
        bank = tap(self._clouds, u, v)
        bank += tap(self._clouds, u * 2.7 + 31, v * 2.7) * np.float32(0.4)
        under = np.clip(1 + bank * np.float32(0.34), 0.25, 2.4)
        rise = smooth(-0.02, 0.62, height)
        glow, zenith = column(self._glow), column(self._zenith)
        base = glow + (zenith - glow) * np.sqrt(rise)[None, :, None]
        half[:, span[0] : span[1]] = base * under

    def _paint_strip(self, canvas: F32, depth: float, strip: Strip, span: Span, pan: float) -> None:
        frame = self._frame
        base = frame.horizon - strip.cover.shape[0]
        first, last = max(span[0], base), span[1]
        if first >= last:
            return
        room = self._columns - frame.width - 4
        shift = pan * frame.unit * (0.45 + 0.55 * depth) + room / 2 + 1
        light, cover = strip.at(shift, frame.width, (first - base, last - base))
        above = frame.rows(first, last)[:, None]
        # The haze between the rows takes the light of the town; it is densest at the ground.
        haze = (0.55 - 0.42 * depth) * np.exp(-above / np.float32(0.15)) + 0.12 * (1 - depth)
        glow = column(self._glow)
        area = canvas[:, first:last]
        light += (glow * np.float32(0.85) - light) * haze
        light -= area
        light *= cover
        area += light

    def _paint_cars(self, canvas: F32, t: float, pan: float) -> None:
        frame, cars = self._frame, self._cars
        width = np.float32(frame.half_width * 2 + 0.4)
        side = np.where(cars[3] < 0.5, np.float32(-1), np.float32(1))
        speed = side * (0.05 + 0.06 * cars[2]) * np.float32(self._pace)
        x = np.mod(cars[0] * width + speed * np.float32(t) - np.float32(pan), width) - width / 2
        y = frame.horizon - (0.004 + 0.008 * cars[1]) * np.float32(frame.unit)
        place = x * np.float32(frame.unit) + frame.width / 2
        for color, chosen in (((2.6, 2.2, 1.6), side > 0), ((2.4, 0.25, 0.10), side < 0)):
            plane = np.zeros((frame.horizon, frame.width), np.float32)
            bright = np.where(chosen, 0.6 + 0.6 * cars[2], 0).astype(np.float32)
            for offset in (0.0, 0.011):
                splat(plane, place + np.float32(offset * frame.unit), y, max(0.9, frame.unit * 0.0035), bright)
            low = frame.horizon - int(frame.unit * 0.04)
            canvas[:, low : frame.horizon] += plane[low:] * column(color)
