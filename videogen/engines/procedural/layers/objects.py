"""Draws objects: boat, balloon, house, lighthouse, and the near bank of a water."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from videogen.engines.procedural.camera import FrameState
from videogen.engines.procedural.layer import ALOFT, NEAR, Layer, World
from videogen.engines.procedural.noise import F32, make_texture, noise_1d, sample, sample_1d, smoothstep, spectral_noise
from videogen.engines.procedural.palette import Rgb, as_planes, mix, scale
from videogen.engines.procedural.row_bands import Span, intersect
from videogen.engines.procedural.sprite import (
    ParallaxLayer,
    Sprite,
    encode_color,
    premultiplied_sprite,
    sprite_from_image,
    straight_sprite,
)

_SUPERSAMPLING = 3
_PEAK = 3.0


def _new_drawing(width: float, height: float) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGBA", (max(1, int(width)) * _SUPERSAMPLING, max(1, int(height)) * _SUPERSAMPLING), (0, 0, 0, 0))
    return image, ImageDraw.Draw(image)


def _surface_color(world: World, albedo: Rgb, sunlit: float) -> tuple[int, int, int, int]:
    return encode_color(world.lighting.lit(albedo, sunlit), _PEAK)


def _window_color(world: World) -> tuple[int, int, int, int]:
    """Glass: lit at night, dark by day."""
    return (
        encode_color((2.6, 1.5, 0.55), _PEAK)
        if world.lighting.is_night
        else _surface_color(world, (0.05, 0.07, 0.10), 0.3)
    )


def boat(world: World, height: float, hull: Rgb, faces_left: bool) -> Sprite:
    """A sailing boat, `height` pixels tall."""
    image, pen = _new_drawing(height * 0.95, height)
    w, h = image.size
    side = 0.75 if (world.lighting.sun[0] > 0) != faces_left else 0.35
    sail, shade = _surface_color(world, (0.86, 0.84, 0.78), side), _surface_color(world, (0.66, 0.65, 0.63), side * 0.5)
    pen.polygon([(w * 0.46, h * 0.03), (w * 0.46, h * 0.76), (w * 0.10, h * 0.76), (w * 0.30, h * 0.42)], fill=shade)
    pen.polygon([(w * 0.50, h * 0.06), (w * 0.72, h * 0.44), (w * 0.88, h * 0.78), (w * 0.50, h * 0.74)], fill=sail)
    pen.line(
        (w * 0.48, 0, w * 0.48, h * 0.86), fill=_surface_color(world, (0.16, 0.10, 0.06), 0.3), width=max(2, w // 60)
    )
    pen.polygon(
        [(w * 0.06, h * 0.83), (w * 0.97, h * 0.80), (w * 0.84, h * 0.99), (w * 0.18, h * 0.99)],
        fill=_surface_color(world, hull, 0.4),
    )
    pen.polygon(
        [(w * 0.06, h * 0.83), (w * 0.97, h * 0.80), (w * 0.95, h * 0.84), (w * 0.075, h * 0.87)],
        fill=_surface_color(world, (0.8, 0.78, 0.7), 0.4),
    )
    if faces_left:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return sprite_from_image(image, _SUPERSAMPLING, _PEAK)


def balloon(world: World, height: float, colors: tuple[Rgb, Rgb]) -> Sprite:
    """A hot-air balloon: shaded envelope, basket on ropes."""
    size = max(8, int(height))
    y, x = np.mgrid[0:size, 0 : int(size * 0.78)].astype(np.float32)
    x = (x + 0.5 - np.float32(int(size * 0.78) / 2)) / size
    y = (y + 0.5) / size
    # A half circle above, narrower towards the opening below.
    half = np.sqrt(np.clip(0.36**2 - (y - 0.37) ** 2, 0, 1))
    low = np.float32(0.36) * (1 - (np.maximum(y - np.float32(0.37), 0) / np.float32(0.43)) ** 1.7)
    half = np.where(y < 0.37, half, np.where(y < 0.76, np.maximum(low, 0), 0))
    turn = np.arcsin(np.clip(x / np.maximum(half, 1e-4), -1, 1))
    gore = np.floor((turn / np.pi + 0.5) * 9 + (y > 0.34) * 1) % 2
    direction = 1 if world.lighting.sun[0] > 0 else -1
    sunlit = np.clip(0.42 + 0.55 * np.sin(turn) * direction + 0.35 * (0.4 - y), 0.03, 1)
    sheen = 1 - 0.25 * np.abs((turn / np.pi * 9) % 1 - 0.5)
    planes = []
    for channel in range(3):
        albedo = np.where(gore > 0, colors[0][channel], colors[1][channel])
        planes.append(albedo * (world.lighting.ambient[channel] + world.lighting.key[channel] * sunlit) * sheen)
    cover = np.clip((half - np.abs(x)) * size + 0.5, 0, 1) * (half > 0)
    envelope = straight_sprite(np.stack(planes).astype(np.float32), cover.astype(np.float32))
    return _composite(envelope, _basket(world, size))


def _basket(world: World, size: int) -> Sprite:
    image, pen = _new_drawing(int(size * 0.78), size)
    w, h = image.size
    rope, wicker = _surface_color(world, (0.10, 0.08, 0.06), 0.3), _surface_color(world, (0.26, 0.15, 0.07), 0.4)
    for direction in (-1, 1):
        pen.line(
            (w / 2 + direction * w * 0.070, h * 0.75, w / 2 + direction * w * 0.045, h * 0.90),
            fill=rope,
            width=_SUPERSAMPLING,
        )
    pen.rounded_rectangle((w * 0.45, h * 0.89, w * 0.55, h * 0.985), radius=w * 0.012, fill=wicker)
    if world.lighting.is_night:
        pen.ellipse((w * 0.48, h * 0.76, w * 0.52, h * 0.80), fill=encode_color((3.0, 1.6, 0.5), _PEAK))
    return sprite_from_image(image, _SUPERSAMPLING, _PEAK)


def _composite(below: Sprite, above: Sprite) -> Sprite:
    rows, columns = (min(a, b) for a, b in zip(below.size, above.size, strict=True))
    rest = 1 - above.alpha[:rows, :columns]
    light = below.light[:, :rows, :columns] * rest + above.light[:, :rows, :columns]
    return premultiplied_sprite(light, below.alpha[:rows, :columns] * rest + above.alpha[:rows, :columns])


def house(world: World, height: float, wall: Rgb, roof: Rgb) -> Sprite:
    """A cottage with a chimney. Its windows are lit at night."""
    image, pen = _new_drawing(height * 1.35, height)
    w, h = image.size
    direction = 1 if world.lighting.sun[0] > 0 else -1
    front, side = (0.65, 0.3) if direction > 0 else (0.3, 0.65)
    pen.rectangle((w * 0.70, h * 0.08, w * 0.78, h * 0.40), fill=_surface_color(world, (0.28, 0.14, 0.10), 0.4))
    pen.rectangle((w * 0.08, h * 0.52, w * 0.38, h), fill=_surface_color(world, scale(wall, 0.85), side))
    pen.rectangle((w * 0.38, h * 0.52, w * 0.93, h), fill=_surface_color(world, wall, front))
    pen.polygon(
        [(w * 0.03, h * 0.55), (w * 0.22, h * 0.16), (w * 0.40, h * 0.55)],
        fill=_surface_color(world, scale(wall, 0.85), side),
    )
    pen.polygon(
        [(w * 0.20, h * 0.13), (w * 0.80, h * 0.13), (w * 0.98, h * 0.56), (w * 0.38, h * 0.56)],
        fill=_surface_color(world, roof, front),
    )
    pen.line(
        (w * 0.20, h * 0.13, w * 0.02, h * 0.56),
        fill=_surface_color(world, scale(roof, 0.6), side),
        width=max(2, w // 40),
    )
    for left in (0.45, 0.77):
        pen.rectangle((w * left, h * 0.65, w * (left + 0.10), h * 0.80), fill=_window_color(world))
        pen.line(
            (w * (left + 0.05), h * 0.65, w * (left + 0.05), h * 0.80),
            fill=_surface_color(world, wall, 0.2),
            width=max(1, w // 150),
        )
    pen.rectangle((w * 0.19, h * 0.66, w * 0.27, h * 0.80), fill=_window_color(world))
    pen.rectangle((w * 0.61, h * 0.66, w * 0.71, h), fill=_surface_color(world, (0.16, 0.08, 0.04), front))
    return sprite_from_image(image, _SUPERSAMPLING, _PEAK)


def lighthouse(world: World, height: float, stripe: Rgb) -> Sprite:
    """A striped tower on rocks. Its lamp is at `LAMP_POSITION` of the height from the top."""
    image, pen = _new_drawing(height * 0.75, height)
    w, h = image.size
    stones = np.random.default_rng(5)
    for _ in range(60):
        x, r = float(stones.normal(0.5, 0.20)) * w, float(stones.uniform(0.05, 0.13)) * w
        y = h * (1.02 - 0.10 * float(np.exp(-(((x / w - 0.5) / 0.22) ** 2))) * float(stones.uniform(0.3, 1.2)))
        pen.ellipse(
            (x - r, y - r * 0.6, x + r, y + r),
            fill=_surface_color(world, scale((0.10, 0.095, 0.09), float(stones.uniform(0.5, 1.3))), 0.25),
        )
    direction = 1 if world.lighting.sun[0] > 0 else -1
    for band in range(6):
        top, bottom = 0.20 + band * 0.12, 0.20 + (band + 1) * 0.12
        albedo = stripe if band % 2 else (0.82, 0.81, 0.78)
        for slice_ in range(10):
            a, b = slice_ / 10 - 0.5, (slice_ + 1) / 10 - 0.5
            sunlit = 0.45 + 0.5 * np.sin(np.pi * (a + 0.05)) * direction
            widths = (0.050 + 0.030 * top, 0.050 + 0.030 * bottom)
            pen.polygon(
                [
                    (w / 2 + 2 * a * widths[0] * h, h * top),
                    (w / 2 + 2 * b * widths[0] * h, h * top),
                    (w / 2 + 2 * b * widths[1] * h, h * bottom),
                    (w / 2 + 2 * a * widths[1] * h, h * bottom),
                ],
                fill=_surface_color(world, albedo, max(0.05, float(sunlit))),
            )
    dark = _surface_color(world, (0.06, 0.05, 0.05), 0.3)
    pen.rectangle((w / 2 - h * 0.075, h * 0.185, w / 2 + h * 0.075, h * 0.205), fill=dark)
    pen.rectangle((w / 2 - h * 0.038, h * 0.115, w / 2 + h * 0.038, h * 0.185), fill=_window_color(world))
    pen.polygon(
        [(w / 2 - h * 0.05, h * 0.115), (w / 2, h * 0.05), (w / 2 + h * 0.05, h * 0.115)],
        fill=_surface_color(world, stripe, 0.4),
    )
    return sprite_from_image(image, _SUPERSAMPLING, _PEAK)


LAMP_POSITION = 0.15


class Beam(Layer):
    """The rotating light of a lighthouse. `lamp`: its position (x, height), picture units."""

    order = ALOFT + 1

    def __init__(self, world: World, lamp: tuple[float, float], depth: float) -> None:
        self._world, self._lamp, self._depth = world, lamp, depth
        self._rate = world.rate(0.14)

    def prepare(self, state: FrameState, canvas: F32) -> Any:
        """Direction of the two beams: across the picture, and towards the viewer, each -1..1."""
        angle = 2 * np.pi * self._rate * state.t + 0.7
        return [(np.cos(angle + direction), np.sin(angle + direction)) for direction in (0.0, np.pi)]

    def paint(self, canvas: F32, span: Span, state: FrameState, prepared: Any) -> None:
        """See `Layer.paint`."""
        viewport = self._world.viewport
        first, last = intersect(span, (0, viewport.horizon))
        if first >= last:
            return
        x = viewport.columns() - np.float32(self._lamp[0] - state.parallax(self._depth))
        y = viewport.rows(first, last)[:, None] - np.float32(self._lamp[1])
        light = np.exp(-(x * x + y * y) * np.float32(220)) * np.float32(1.2)
        for across, toward in prepared:
            # A beam towards or away from the viewer looks short and wide; towards the viewer it is bright.
            along = x * np.float32(np.sign(across) or 1.0)
            spread = np.float32(0.012) + np.maximum(along, 0) * np.float32(0.085 + 0.25 * max(0.0, toward) ** 2)
            beam = np.exp(-((y - x * np.float32(0.02)) ** 2) / (spread * spread)) * smoothstep(0.0, 0.03, along)
            light += (
                beam
                * np.exp(-np.abs(x) / np.float32(0.12 + 0.75 * abs(across)))
                * np.float32(abs(across) ** 0.5 * 0.65)
            )
        canvas[:, first:last] += (
            light * as_planes((1.0, 0.92, 0.70)) * np.float32(0.8 if self._world.lighting.is_night else 0.15)
        )


def shore(world: World, albedo: Rgb, height: float) -> ParallaxLayer:
    """The near bank of a water, `height` picture units above the bottom of the picture."""
    viewport, rng = world.viewport, world.rng("shore")
    columns = world.layer_width
    x = (np.arange(columns, dtype=np.float32) - world.margin - viewport.width / 2) / np.float32(viewport.unit)
    outline = noise_1d(1024, 2.6, rng, (2, 60))
    edge = np.float32(height) * (1 + np.float32(0.16) * sample_1d(outline, x * 60 + 99))
    rows = int(float(edge.max()) * viewport.unit) + 3
    level = (np.arange(rows, 0, -1, dtype=np.float32)[:, None] - np.float32(0.5)) / np.float32(viewport.unit)
    cover = np.clip((edge - level) * np.float32(viewport.unit) + np.float32(0.5), 0, 1)
    grain = make_texture(spectral_noise(256, 2.2, rng, (4, 120), 0.4))
    u, v = np.broadcast_arrays(x[None] * 200, level * 420)
    shade = np.clip(0.5 + 0.16 * sample(grain, u, v), 0, 1) * (0.62 + 0.38 * smoothstep(0.0, height, level))
    wet = smoothstep(0.03, 0.0, edge - level) * np.float32(0.45)
    dark, bright = (
        as_planes(world.lighting.lit(scale(albedo, 0.4), 0.12)),
        as_planes(world.lighting.lit(mix(albedo, (1, 1, 1), 0.05), 0.45)),
    )
    light = (dark + (bright - dark) * shade) * (1 - wet)
    return ParallaxLayer(world, straight_sprite(light.astype(np.float32), cover), viewport.height, 1.0, NEAR - 1)
