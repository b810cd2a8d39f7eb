"""Northern lights: curtains over snowy mountains, a dark line of trees, and snow or a lake before them."""

from collections.abc import Mapping

import numpy as np

from videogen.engines.procedural.bands import Bands, Span
from videogen.engines.procedural.camera import TEMPO, Camera
from videogen.engines.procedural.curtains import Curtains, soft_glow
from videogen.engines.procedural.frame import Frame
from videogen.engines.procedural.light import Grade
from videogen.engines.procedural.noise import F32, smooth, spectral, tap_rows, tile
from videogen.engines.procedural.palette import TINTS, Rgb, column, mix, scale
from videogen.engines.procedural.resample import double
from videogen.engines.procedural.ridges import Range, Ridges
from videogen.engines.procedural.spec import SceneSpec
from videogen.engines.procedural.splat import splat
from videogen.engines.procedural.trees import draw_trees

_COLORS: Mapping[str, tuple[Rgb, Rgb, Rgb]] = {
    "green": ((0.20, 1.0, 0.42), (0.06, 0.72, 0.38), (0.30, 0.10, 0.62)),
    "violet": ((0.55, 0.55, 1.15), (0.58, 0.20, 1.15), (0.85, 0.12, 0.70)),
    "red": ((0.55, 0.85, 0.30), (0.80, 0.16, 0.16), (0.85, 0.06, 0.22)),
    "blue": ((0.16, 0.80, 0.90), (0.08, 0.34, 0.95), (0.32, 0.12, 0.80)),
    "teal": ((0.14, 0.95, 0.72), (0.05, 0.62, 0.66), (0.14, 0.20, 0.80)),
    "pink": ((0.70, 0.80, 0.60), (0.90, 0.20, 0.55), (0.55, 0.10, 0.75)),
}
_NIGHT_LOW: Rgb = (0.007, 0.022, 0.034)
_NIGHT_HIGH: Rgb = (0.0018, 0.0035, 0.012)


class Aurora:
    """One night: where the curtains hang, how the mountains run, lake or snow."""

    def __init__(self, spec: SceneSpec, size: tuple[int, int], camera: Camera, rng: np.random.Generator) -> None:
        width, height = size
        self._frame = frame = Frame(width, height, int(height * rng.uniform(0.69, 0.75)) // 2 * 2)
        self._camera, self._pace = camera, TEMPO[spec.tempo]
        self.grade = Grade(exposure=1.55, bloom=0.5, threshold=0.55, vignette=0.6)
        self._lake = spec.ground == "lake" or (spec.ground == "" and spec.snow == 0 and rng.random() < 0.6)
        colors = _chosen(spec.accents)
        self._shine = colors[1]
        self._curtains = Curtains(frame, colors, 1.9 + 1.4 * spec.energy, int(rng.integers(2, 4)), rng)
        look = Range(2, float(rng.uniform(0.24, 0.34)), (0.010, 0.017, 0.027), (0.030, 0.048, 0.060), 0.5, 0.7, 0.34)
        self._ridges = Ridges(frame, look, camera.travel, rng)
        self._columns = width + int(camera.travel * frame.unit) + 4
        tallest = float(rng.uniform(0.12, 0.19)) if spec.trees else 0.0
        self._trees = draw_trees(frame, self._columns, tallest, rng)[-frame.horizon :] if tallest else None
        count = int(300 * (frame.width * frame.horizon) / frame.unit**2) if spec.stars else 0
        self._star = rng.random((4, count)).astype(np.float32)
        self._drifts = (tile(spectral(256, 3.0, rng, (2, 60), 0.4)),)
        self._ripples = (tile(spectral(256, 2.6, rng, (4, 70), 0.45)),)

    def paint(self, canvas: F32, t: float, bands: Bands) -> None:
        """Fill the canvas, float32 (3, H, W) of linear light, with the moment t (seconds)."""
        frame, pan = self._frame, self._camera.pan(t)
        light = self._curtains.light(t * self._pace, pan)
        light += soft_glow(light) * np.float32(0.5)
        shine = light.mean(axis=1)[:, None]
        bands.rows((0, frame.horizon), frame.width, lambda span: self._paint_sky(canvas, light, span))
        self._paint_stars(canvas, light, t, pan)
        haze = double(np.ascontiguousarray(np.repeat(shine, 2, 1)), (0, 2), frame.width)[:, :1] * np.float32(0.35)
        haze += column(scale(_NIGHT_LOW, 0.9))
        bands.rows((0, frame.horizon), frame.width, lambda span: self._ridges.paint(canvas, haze, span, pan))
        if self._trees is not None:
            self._paint_trees(canvas, self._trees, pan)
        ground = self._paint_lake if self._lake else self._paint_snow
        bands.rows((frame.horizon, frame.height), frame.width, lambda span: ground(canvas, haze, span, (t, pan)))

    def _paint_sky(self, canvas: F32, light: F32, span: Span) -> None:
        height = self._frame.rows(*span)
        rise = smooth(0.0, 0.70, height)[None, :, None]
        base = column(_NIGHT_LOW) + (column(_NIGHT_HIGH) - column(_NIGHT_LOW)) * rise
        canvas[:, span[0] : span[1]] = double(light, span, self._frame.width) + base

    def _paint_stars(self, canvas: F32, light: F32, t: float, pan: float) -> None:
        frame, star = self._frame, self._star
        if not star.shape[1]:
            return
        plane = np.zeros((frame.horizon, frame.width), np.float32)
        x = star[0] * np.float32(frame.width * 1.4) - np.float32(frame.width * 0.2 + pan * 0.6 * frame.unit)
        y = star[1] * np.float32(frame.horizon)
        bright = (0.03 + 0.75 * star[2] ** 9) * (0.88 + 0.12 * np.sin(star[3] * 40 + np.float32(t * 1.7)))
        splat(plane, x, y, max(0.72, frame.unit / 520), bright.astype(np.float32))
        canvas[:, : frame.horizon] += plane * column((0.85, 0.92, 1.0))

    def _paint_trees(self, canvas: F32, cover: F32, pan: float) -> None:
        frame = self._frame
        shift = pan * frame.unit + (self._columns - frame.width - 4) / 2 + 1
        start = int(np.floor(shift))
        part = np.float32(shift - start)
        shade = cover[:, start : start + frame.width] * (1 - part)
        shade += cover[:, start + 1 : start + 1 + frame.width] * part
        area = canvas[:, frame.horizon - len(cover) : frame.horizon]
        area += (column((0.0022, 0.0040, 0.0062)) - area) * shade

    def _paint_snow(self, canvas: F32, haze: F32, span: Span, moment: tuple[float, float]) -> None:
        frame = self._frame
        drop = -frame.rows(*span)
        far = 1 / (drop + np.float32(0.06))
        ground = (frame.columns() + np.float32(moment[1])) * far[:, None] * 9
        (drift,) = tap_rows(self._drifts, ground, far * 20)
        (fine,) = tap_rows(self._drifts, ground * 3.7, far * 61)
        fade = smooth(0.0, 0.05, drop)[:, None]
        lit = np.clip(0.62 + (drift * np.float32(0.17) + fine * np.float32(0.05)) * fade, 0.15, 1.2)
        lit *= (np.float32(0.55) + np.float32(0.45) * smooth(0.0, 0.16, drop))[:, None]
        tone = column((0.055, 0.082, 0.115)) + haze * column((0.85, 0.95, 1.0)) * np.float32(1.1)
        canvas[:, span[0] : span[1]] = tone * lit

    def _paint_lake(self, canvas: F32, haze: F32, span: Span, moment: tuple[float, float]) -> None:
        frame = self._frame
        t, pan = moment
        drop = -frame.rows(*span)
        far = 1 / (drop + np.float32(0.03))
        ground = (frame.columns() + np.float32(pan)) * far[:, None] * 9
        (wave,) = tap_rows(self._ripples, ground + np.float32(1.2 * t * self._pace), far * 26 + np.float32(2.2 * t))
        (fine,) = tap_rows(self._ripples, ground * 2.9 - np.float32(1.5 * t), far * 70 + np.float32(3.1 * t))
        wave += fine * np.float32(0.5)
        wave *= (smooth(0.0, 0.20, drop) * np.float32(0.0085))[:, None]
        rows = frame.horizon - 1 - np.abs(drop[:, None] * np.float32(1.02) + wave * 2.4) * np.float32(frame.unit)
        columns = (frame.columns() + wave) * np.float32(frame.unit) + np.float32(frame.width / 2)
        np.clip(rows, 0, frame.horizon - 1, out=rows)
        np.clip(columns, 0, frame.width - 1, out=columns)
        index = rows.astype(np.intp) * frame.width + columns.astype(np.intp)
        strong = (np.float32(0.80) - np.float32(0.35) * smooth(0.0, 0.35, drop))[:, None]
        for channel in range(3):
            light = canvas[channel, : frame.horizon].reshape(-1).take(index)
            light *= strong
            light += np.float32((0.002, 0.006, 0.010)[channel])
            canvas[channel, span[0] : span[1]] = light


def _chosen(accents: tuple[str, ...]) -> tuple[Rgb, Rgb, Rgb]:
    """Foot, body and crown for the colours named: the first rules, a second one crowns it."""
    if not accents:
        return _COLORS["green"]
    foot, body, crown = _COLORS.get(
        accents[0], (mix(TINTS[accents[0]], (0.5, 1.0, 0.6), 0.3), *[TINTS[accents[0]]] * 2)
    )
    return foot, body, TINTS[accents[1]] if len(accents) > 1 else crown
