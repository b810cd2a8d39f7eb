"""A waterfall: a wall of rock, water that falls from its edge, and spray at its foot."""

from __future__ import annotations

from typing import Any

import numpy as np

from videogen.engines.procedural.bands import Span, clip
from videogen.engines.procedural.camera import Moment
from videogen.engines.procedural.layer import ALOFT, SKYLINE, Layer, World
from videogen.engines.procedural.noise import F32, profile, smooth, spectral, tap, tap_line, tile
from videogen.engines.procedural.palette import column, mix
from videogen.engines.procedural.strip import Backdrop, solid


def cliff(world: World, rise: float, gap: tuple[float, float]) -> Backdrop:
    """Rock up to `rise` picture units over the horizon; `gap`: middle and half width of the edge the water leaves."""
    frame, air, rng = world.frame, world.air, world.rng("cliff")
    columns = frame.width + 2 * world.margin
    x = (np.arange(columns, dtype=np.float32) - world.margin + 0.5 - frame.width / 2) / np.float32(frame.unit)
    line = profile(2048, 1.9, rng, (4, 300))
    away = np.abs(x - np.float32(gap[0])) - np.float32(gap[1])
    edge = np.float32(rise) * (0.90 + np.float32(0.16) * tap_line(line, x * 160 + 700))
    edge += smooth(-0.02, 0.30, away) * np.float32(0.10) * (1 + tap_line(line, x * 90))
    rows = min(int(float(edge.max()) * frame.unit) + 3, frame.horizon)
    height = (np.arange(rows, 0, -1, dtype=np.float32)[:, None] - np.float32(0.5)) / np.float32(frame.unit)
    cover = np.clip((edge - height) * np.float32(frame.unit) + np.float32(0.5), 0, 1)
    shade = _rock(x, height, rng)
    wet = np.exp(-np.maximum(away, 0) / np.float32(0.10))
    dark, bright = column(air.lit((0.085, 0.072, 0.062), 0.12)), column(air.lit((0.27, 0.235, 0.20), 0.55))
    light = dark + (bright - dark) * shade
    light *= 1 - np.float32(0.55) * wet
    moss = smooth(0.45, 0.85, shade) * smooth(rise * 0.25, rise, height) * (1 - wet) * np.float32(0.55)
    light += (column(air.lit((0.085, 0.15, 0.035), 0.45)) - light) * moss
    veil = np.float32(0.10 + 0.3 * air.fog) + np.float32(0.35) * np.exp(-height / np.float32(0.10))
    light += (column(mix(air.haze, air.hour.near, 0.3)) - light) * np.minimum(veil, 0.9)
    return Backdrop(world, solid(light.astype(np.float32), cover), frame.horizon, 0.4, SKYLINE)


def _rock(x: F32, height: F32, rng: np.random.Generator) -> F32:
    """Light on a wall of rock, 0..1, float32 (rows, columns).

    Buttresses stand upright, ledges cross them a little aslant, and both are rough; light comes from the upper left.
    """
    across, up = np.broadcast_arrays(x[None], height)
    broad, fine = tile(spectral(256, 2.6, rng, (3, 60))), tile(spectral(256, 1.7, rng, (6, 127)))
    bend = tap(broad, across * 40, up * 40)

    def stands_out(u: F32, v: F32) -> F32:
        buttress = np.abs(tap(broad, u * 130 + bend * 4, v * 26))
        ledge = tap(broad, u * 22 + 91, v * 150 + u * 24 + bend * 4)
        rough = tap(fine, u * 300, v * 210) * np.float32(0.2)
        return np.asarray(rough + np.float32(0.30) * ledge - buttress, np.float32)

    step = np.float32(0.007)
    here = stands_out(across, up)
    light = np.tanh((here - stands_out(across - step, up + step)) * np.float32(0.9))
    hollow = smooth(-0.2, -2.2, here)
    return np.asarray(
        np.clip(np.float32(0.52) + np.float32(0.50) * light - np.float32(0.36) * hollow, 0, 1), np.float32
    )


class Cascade(Layer):
    """Falling water: threads that tear and stretch as they gain speed."""

    order = ALOFT - 2

    def __init__(self, world: World, rise: float, gap: tuple[float, float], strength: float) -> None:
        self._world, self._gap, self._rise = world, gap, rise
        rng = world.rng("cascade")
        self._threads = tile(spectral(256, 1.9, rng, (3, 90), 0.22))
        self._edge = profile(1024, 2.0, rng, (6, 200))
        self._top = max(0, world.frame.horizon - int(rise * 0.93 * world.frame.unit))
        self._white = column(world.air.lit((0.92, 0.95, 0.98), 0.75))
        self._dim = column(world.air.lit((0.42, 0.52, 0.58), 0.25))
        self._strength = strength

    def paint(self, canvas: F32, span: Span, moment: Moment, ready: Any) -> None:
        """See `Layer.paint`."""
        frame = self._world.frame
        first, last = clip(span, (self._top, frame.horizon))
        if first >= last:
            return
        fallen = (np.arange(first, last, dtype=np.float32)[:, None] + np.float32(0.5 - self._top)) / np.float32(
            frame.unit
        )
        reach = (self._gap[1] * 1.5 + 0.05) * frame.unit
        middle = frame.width / 2 + (self._gap[0] - moment.shift(0.45)) * frame.unit
        left, right = clip((0, frame.width), (int(middle - reach), int(middle + reach)))
        if left >= right:
            return
        x = (np.arange(left, right, dtype=np.float32)[None] + np.float32(0.5 - middle)) / np.float32(frame.unit)
        # Places on the way down by the time since the edge: what falls freely goes as its square.
        since = np.sqrt(fallen + np.float32(0.02))
        u, v = np.broadcast_arrays(x / (1 + fallen * np.float32(0.22)) * np.float32(420), since * np.float32(150))
        run = np.float32(96 * moment.t)
        thread = tap(self._threads, u, v - run)
        thread += tap(
            self._threads, u * np.float32(2.1) + 77, v * np.float32(1.6) - run * np.float32(1.5)
        ) * np.float32(0.6)
        ragged = tap_line(self._edge, np.sign(x) * 200 + since * np.float32(120) - np.float32(80 * moment.t))
        half = np.float32(self._gap[1]) * (1 + np.float32(0.25) * fallen) * (1 + np.float32(0.10) * ragged)
        inside = smooth(0.0, 0.10, (half - np.abs(x)) / np.float32(self._gap[1]))
        cover = inside * np.clip(np.float32(0.74 + 0.2 * self._strength) + thread * np.float32(0.17), 0, 1)
        bright = np.clip(
            np.float32(0.58)
            + thread * np.float32(0.22)
            + smooth(0.35, 0.0, fallen / np.float32(self._rise)) * np.float32(-0.12),
            0,
            1,
        )
        area = canvas[:, first:last, left:right]
        area += (self._dim + (self._white - self._dim) * bright - area) * cover
