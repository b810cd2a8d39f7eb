"""Animals and people as silhouettes of tapered limbs, as animation cycles of sprites."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from math import atan2, cos, hypot, pi, sin
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from videogen.engines.procedural.body_plans import BODIES, Body, Chain, Leg
from videogen.engines.procedural.palette import Rgb, mix, scale
from videogen.engines.procedural.sprite import Sprite, encode_color, sprite_from_image

CYCLE_FRAMES: Final = 24
"""Sprites in one animation cycle."""
_SUPERSAMPLING = 3


def _walker(body: Body, phase: float, amplitude: float) -> Iterator[tuple[Chain, bool]]:
    """Chains of a walking animal at `phase` (0..1) of its cycle, and whether each is on the far side."""
    rise = body.bob * sin(4 * pi * phase) * amplitude
    for leg in body.legs:
        yield _leg(leg, phase, body.swing * amplitude, rise), leg.far
    tail = []
    for index, (x, y, radius) in enumerate(body.tail):
        tail.append((x, y + rise + body.wag * 0.35 * index * sin(2 * pi * (phase - 0.1 * index)), radius))
    if tail:
        yield tail, False
    for chain in body.chains:
        yield [(x, y + rise, radius) for x, y, radius in chain], False


def _leg(leg: Leg, phase: float, swing: float, rise: float) -> Chain:
    angle = 2 * pi * (phase + leg.phase)
    upper = swing * sin(angle)
    # The knee bends while the foot moves forward.
    fold = leg.bend * max(0.0, cos(angle)) * (swing * 1.9) - leg.bend * 0.06
    hip = (leg.hip[0], leg.hip[1] + rise)
    knee = (hip[0] + leg.upper * sin(upper), hip[1] - leg.upper * cos(upper))
    lower = upper - fold
    foot = (knee[0] + leg.lower * sin(lower), max(0.0, knee[1] - leg.lower * cos(lower)))
    r0, r1, r2 = leg.radii
    toe = (foot[0] + r2 * 1.6, foot[1] + r2 * 0.3)
    return [(*hip, r0), (*knee, r1), (*foot, r2), (*toe, r2 * 0.8)]


def _bird(phase: float, amplitude: float) -> Iterator[tuple[Chain, bool]]:
    """A gull, from the side and a little below, with moving wings."""
    beat = sin(2 * pi * phase) * amplitude
    late = sin(2 * pi * phase - 0.9) * amplitude
    for direction, far in ((-0.75, True), (1.0, False)):
        shoulder = (0.02, 0.50)
        elbow = (shoulder[0] - 0.05 + 0.16 * direction, shoulder[1] + 0.20 + 0.20 * beat)
        tip = (elbow[0] - 0.16 + 0.30 * direction, elbow[1] + 0.02 + 0.30 * late)
        yield [(*shoulder, 0.055), (*elbow, 0.040), (*tip, 0.006)], far
    yield (
        [(-0.26, 0.46, 0.022), (-0.05, 0.49, 0.055), (0.12, 0.51, 0.050), (0.21, 0.53, 0.036), (0.29, 0.515, 0.008)],
        False,
    )


def _fish(phase: float, amplitude: float) -> Iterator[tuple[Chain, bool]]:
    """A fish from the side, with a moving tail."""
    sweep = 0.5 + 0.5 * abs(cos(2 * pi * phase))
    nod = 0.012 * sin(2 * pi * phase) * amplitude
    tail = -0.34 * (0.9 + 0.1 * sweep)
    yield (
        [
            (0.42, 0.50, 0.02),
            (0.24, 0.50 + nod, 0.12),
            (0.02, 0.50, 0.155),
            (-0.20, 0.50 - nod, 0.085),
            (-0.32, 0.5, 0.035),
        ],
        False,
    )
    for direction in (-1, 1):
        yield [(tail + 0.03, 0.5, 0.035), (tail - 0.14 * sweep, 0.5 + direction * 0.15, 0.012)], False
    yield [(0.12, 0.60, 0.05), (-0.02, 0.645 + nod, 0.045), (-0.15, 0.60, 0.02)], False
    yield [(0.06, 0.42, 0.03), (-0.06, 0.32 - nod, 0.010)], False


def _whale(phase: float, amplitude: float) -> Iterator[tuple[Chain, bool]]:
    """A whale from the side, with a moving tail and a wave along its back."""

    def lift(x: float) -> float:
        return 0.5 + 0.09 * amplitude * max(0.0, 0.15 - x) * sin(2 * pi * phase + 3.0 * x)

    spine = (
        (0.46, 0.045),
        (0.34, 0.105),
        (0.14, 0.135),
        (-0.08, 0.115),
        (-0.26, 0.062),
        (-0.40, 0.026),
        (-0.46, 0.018),
    )
    yield [(x, lift(x) - 0.1 * max(0.0, radius - 0.1), radius) for x, radius in spine], False
    rise = 0.10 * sin(2 * pi * phase - 1.2) * amplitude
    foot = lift(-0.46)
    yield [(-0.45, foot, 0.022), (-0.55, foot + rise + 0.015, 0.020), (-0.62, foot + rise + 0.03, 0.004)], False
    yield [(-0.45, foot, 0.022), (-0.52, foot + rise * 0.7 - 0.02, 0.016), (-0.57, foot + rise - 0.05, 0.004)], True
    sweep = 0.05 * sin(2 * pi * phase + 0.6) * amplitude
    yield [(0.18, 0.42, 0.035), (0.08, 0.33 + sweep, 0.022), (0.01, 0.29 + sweep, 0.004)], False


_SWIMMERS_AND_FLYERS: Final[
    Mapping[str, tuple[Callable[[float, float], Iterator[tuple[Chain, bool]]], tuple[float, float, float]]]
] = {
    "bird": (_bird, (-0.62, 0.62, 1.28)),
    "fish": (_fish, (-0.60, 0.50, 0.80)),
    "whale": (_whale, (-0.70, 0.66, 0.80)),
}


def draw_cycle(kind: str, height: float, color: Rgb, amplitude: float = 1.0, faces_left: bool = False) -> list[Sprite]:
    """The sprites of one animation cycle, `height` pixels tall. `color`: linear light. `amplitude` 0 gives one sprite,
    which stands still.

    Raises:
        KeyError: an unknown figure.
    """
    frames = []
    for index in range(CYCLE_FRAMES if amplitude > 0 else 1):
        phase = index / CYCLE_FRAMES
        if kind in _SWIMMERS_AND_FLYERS:
            draw, box = _SWIMMERS_AND_FLYERS[kind]
            chains = list(draw(phase, amplitude))
        else:
            box = BODIES[kind].box
            chains = list(_walker(BODIES[kind], phase, amplitude))
        frames.append(_draw(chains, box, height, color, faces_left))
    return [_countershaded(sprite) for sprite in frames] if kind in ("fish", "whale") else frames


def _countershaded(sprite: Sprite) -> Sprite:
    """Darker above and lighter below, like animals that swim."""
    planes = sprite.planes.copy()
    down = np.linspace(0, 1, sprite.size[0], dtype=np.float32)
    planes[:3] *= (np.float32(0.45) + np.float32(1.35) * down * down)[:, None]
    return Sprite(planes)


def _draw(
    chains: list[tuple[Chain, bool]], box: tuple[float, float, float], height: float, color: Rgb, left: bool
) -> Sprite:
    start, stop, top = box
    unit = height * _SUPERSAMPLING / top
    size = (
        max(_SUPERSAMPLING, int((stop - start) * unit) // _SUPERSAMPLING * _SUPERSAMPLING),
        max(_SUPERSAMPLING, int(top * unit) // _SUPERSAMPLING * _SUPERSAMPLING),
    )
    image = Image.new("RGBA", size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    # Limbs on the far side are a little lighter.
    for chain, far in sorted(chains, key=lambda limb: not limb[1]):
        tone = encode_color(mix(color, scale((0.5, 0.5, 0.55), color[1] + 0.02), 0.35) if far else color)
        points = [
            ((x - start) * unit, size[1] - y * unit, max(radius * unit, 0.5)) for x, y, radius in _smooth_chain(chain)
        ]
        _draw_chain(pen, points, tone)
    if left:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return sprite_from_image(image, _SUPERSAMPLING)


def _smooth_chain(chain: Chain) -> Chain:
    """The chain with rounded corners: a Catmull-Rom spline through its circles."""
    if len(chain) < 3:
        return chain
    points = np.array([chain[0], *chain, chain[-1]], float)
    smoothed: Chain = []
    for index in range(1, len(points) - 2):
        a, b, c, d = points[index - 1 : index + 3]
        for u in np.linspace(0, 1, 5, endpoint=False):
            value = b + 0.5 * u * (c - a + u * (2 * a - 5 * b + 4 * c - d + u * (3 * (b - c) + d - a)))
            smoothed.append((float(value[0]), float(value[1]), float(max(value[2], 0.002))))
    return [*smoothed, chain[-1]]


def _draw_chain(pen: ImageDraw.ImageDraw, points: Chain, tone: tuple[int, int, int, int]) -> None:
    """Draw circles that are joined by tapered segments."""
    for x, y, radius in points:
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=tone)
    for (ax, ay, ar), (bx, by, br) in pairwise(points):
        if hypot(bx - ax, by - ay) < 0.3:
            continue
        angle = atan2(by - ay, bx - ax) + pi / 2
        cx, sy = cos(angle), sin(angle)
        pen.polygon(
            [
                (ax + cx * ar, ay + sy * ar),
                (bx + cx * br, by + sy * br),
                (bx - cx * br, by - sy * br),
                (ax - cx * ar, ay - sy * ar),
            ],
            fill=tone,
        )
