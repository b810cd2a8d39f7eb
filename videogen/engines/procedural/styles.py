"""Style filters: the last step of rendering, applied to the finished frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from videogen.engines.procedural.noise import F32, make_texture, sample, smoothstep, spectral_noise
from videogen.engines.procedural.resample import box_blur, downsample, upsample

Picture: TypeAlias = NDArray[np.uint8]
StyleFilter: TypeAlias = Callable[[Picture, float], Picture]
"""Maps a picture, uint8 (H, W, 3), RGB, and its time in seconds to a picture of the same shape."""

_WEIGHTS: Final = np.array([0.30, 0.59, 0.11], np.float32)
_BAYER: Final = (
    np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.float32) + np.float32(0.5)
) / 16 - np.float32(0.5)


def build_style(name: str, size: tuple[int, int], rng: np.random.Generator) -> StyleFilter | None:
    """The filter with this name for pictures of `size` (width, height), or None if there is none."""
    build = _STYLES.get(name)
    return build(size, rng) if build else None


def _planes(picture: Picture) -> F32:
    """The picture as float32 (3, H, W), 0..1."""
    planes = np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32)
    planes *= np.float32(1 / 255)
    return planes


def _picture(planes: F32) -> Picture:
    planes = np.clip(planes * np.float32(255) + np.float32(0.5), 0, 255)
    return np.ascontiguousarray(planes.transpose(1, 2, 0).astype(np.uint8))


def _luma(planes: F32) -> F32:
    return np.asarray(planes[0] * _WEIGHTS[0] + planes[1] * _WEIGHTS[1] + planes[2] * _WEIGHTS[2], np.float32)


def _edges(luma: F32) -> F32:
    """Magnitude of the gradient, about 0..1."""
    across, down = np.zeros_like(luma), np.zeros_like(luma)
    across[:, 1:-1] = luma[:, 2:] - luma[:, :-2]
    down[1:-1] = luma[2:] - luma[:-2]
    return np.asarray(np.sqrt(across * across + down * down), np.float32)


def _full_size(half: F32, size: tuple[int, int]) -> F32:
    return upsample(half, (0, size[1]), size[0])


def _saturate(planes: F32, amount: float) -> F32:
    luma = _luma(planes)
    return np.asarray(luma + (planes - luma) * np.float32(amount), np.float32)


def _neon(size: tuple[int, int], rng: np.random.Generator) -> StyleFilter:
    """Dark areas, saturated colours, and a glowing tube along every edge."""
    x = np.linspace(0, 1, -(-size[0] // 2), dtype=np.float32)
    phase = np.float32(rng.uniform(0, 1))
    wave = np.float32(0.5) + np.float32(0.5) * np.sin((x + phase) * np.float32(2 * np.pi))
    tubes = np.array([(1.0, 0.10, 0.65), (0.05, 0.75, 1.0)], np.float32)
    colors = (tubes[0][:, None] * wave + tubes[1][:, None] * (1 - wave))[:, None]

    def apply(picture: Picture, t: float) -> Picture:
        half = downsample(_planes(picture))
        edge = smoothstep(0.025, 0.20, _edges(_luma(box_blur(half, 1, 1))))
        radius = max(2, size[1] // 160)
        glow = edge + np.float32(1.1) * box_blur(box_blur(edge[None], radius, 1), radius, 2)[0]
        body = _saturate(half, 1.7)
        body = np.asarray(body * (np.float32(0.88) * np.clip(body, 0.25, 1)), np.float32)
        body += glow * colors * np.float32(0.8)
        return _picture(_full_size(body.astype(np.float32), size))

    return apply


def _watercolour(size: tuple[int, int], rng: np.random.Generator) -> StyleFilter:
    """Washes with distorted borders and dark rims on rough paper. The edge of the paper stays white."""
    width, height = -(-size[0] // 2), -(-size[1] // 2)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    unit = np.float32(256 / height)
    bleed = make_texture(spectral_noise(256, 3.0, rng, (4, 60)))
    rows = np.clip(y + sample(bleed, x * unit, y * unit) * np.float32(height / 190), 0, height - 1)
    columns = np.clip(x + sample(bleed, x * unit + 99, y * unit) * np.float32(height / 190), 0, width - 1)
    index = rows.astype(np.intp) * width + columns.astype(np.intp)
    grain = sample(make_texture(spectral_noise(512, 1.2, rng, (20, 250))), x * np.float32(1.3), y * np.float32(1.3))
    paper = (1 - np.float32(0.018) * np.abs(grain)).astype(np.float32)
    pool = np.float32(0.99) + np.float32(0.028) * sample(bleed, x * unit * np.float32(0.5), y * unit * np.float32(0.5))
    border = np.minimum(np.minimum(x, width - 1 - x), np.minimum(y, height - 1 - y)) / np.float32(height)
    border += sample(bleed, x * unit * np.float32(0.8), y * unit * np.float32(0.8)) * np.float32(0.007)
    dry = smoothstep(0.040, 0.018, border)

    def apply(picture: Picture, t: float) -> Picture:
        half = downsample(_planes(picture))
        wash = half.reshape(3, -1).take(index, axis=1).reshape(half.shape)
        for axis in (1, 2):
            wash = box_blur(wash, max(1, height // 240), axis)
        # Few tones with soft steps between them. The hue does not change.
        luma = _luma(wash)
        tone = luma * np.float32(8)
        step = np.floor(tone)
        flat = (step + smoothstep(0.15, 0.85, tone - step)) / np.float32(8)
        wash = wash * ((flat + np.float32(0.02)) / (luma + np.float32(0.02)))
        rim = smoothstep(0.03, 0.25, _edges(_luma(wash)))
        wash = _saturate(1 - (1 - wash) * np.float32(0.88), 1.35)
        wash *= (1 - rim * np.float32(0.22)) * pool
        wash += (np.float32(0.97) - wash) * dry
        wash *= paper
        return _picture(_full_size(wash.astype(np.float32), size))

    return apply


def _kuwahara(half: F32, radius: int) -> F32:
    """Kuwahara filter: each pixel takes the mean of the most uniform quarter of its surroundings. Edges stay sharp."""
    luma = _luma(half)
    stack = np.concatenate([half, luma[None], (luma * luma)[None]])
    for axis in (1, 2):
        stack = box_blur(stack, radius, axis)
    spread = stack[4] - stack[3] * stack[3]
    best, result = None, stack[:3]
    for down in (-radius, radius):
        for across in (-radius, radius):
            rows = np.clip(np.arange(spread.shape[0]) + down, 0, spread.shape[0] - 1)[:, None]
            columns = np.clip(np.arange(spread.shape[1]) + across, 0, spread.shape[1] - 1)
            moved, even = stack[:3, rows, columns], spread[rows, columns]
            if best is None:
                best, result = even, moved
            else:
                better = even < best
                best = np.where(better, even, best)
                result = np.where(better, moved, result)
    return result


def _oil(size: tuple[int, int], rng: np.random.Generator) -> StyleFilter:
    """Thick brush strokes with a relief."""
    width, height = -(-size[0] // 2), -(-size[1] // 2)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    bristle = make_texture(spectral_noise(256, 1.4, rng, (8, 120), 5.0))
    turn = sample(
        make_texture(spectral_noise(128, 3.0, rng, (1, 6))), x * np.float32(64 / height), y * np.float32(64 / height)
    )
    stroke = sample(bristle, x + turn * 22, y + turn * 40 + x * np.float32(0.35))

    def apply(picture: Picture, t: float) -> Picture:
        strokes = _kuwahara(downsample(_planes(picture)), max(2, height // 110))
        luma = _luma(strokes)
        relief = np.zeros_like(luma)
        relief[1:, 1:] = (luma[1:, 1:] - luma[:-1, :-1]) * np.float32(0.5)
        relief += stroke * (np.float32(0.010) + np.float32(0.010) * luma)
        return _picture(_full_size((_saturate(strokes, 1.22) + relief).astype(np.float32), size))

    return apply


def _pixels(size: tuple[int, int], rng: np.random.Generator) -> StyleFilter:
    """Large square pixels in few colours, with ordered dithering that does not flicker."""
    width, height = size
    side = max(2, round(height / 132))
    rows, columns = -(-height // side), -(-width // side)
    pattern = np.tile(_BAYER, (-(-rows // 4), -(-columns // 4)))[:rows, :columns]
    levels = np.float32(9)
    row_starts, column_starts = np.arange(0, height, side), np.arange(0, width, side)

    def apply(picture: Picture, t: float) -> Picture:
        planes = _planes(picture)
        total = np.add.reduceat(np.add.reduceat(planes, row_starts, 1), column_starts, 2)
        count = np.diff(np.append(row_starts, height))[:, None] * np.diff(np.append(column_starts, width))
        small = _saturate(np.asarray(total / count, np.float32), 1.35)
        steps = np.asarray(np.floor(small * levels + pattern * np.float32(0.55) + np.float32(0.5)) / levels, np.float32)
        large = np.repeat(np.repeat(_picture(steps), side, 0), side, 1)
        return np.ascontiguousarray(large[:height, :width])

    return apply


def _curve(points: tuple[float, ...]) -> NDArray[np.uint8]:
    """A tone curve through evenly spaced points, 0..1, as a table of 256 bytes."""
    positions = np.linspace(0, 1, len(points))
    return np.asarray(np.interp(np.linspace(0, 1, 256), positions, points) * 255 + 0.5, np.uint8)


def _vignette(size: tuple[int, int], strength: float) -> F32:
    x = np.linspace(-1, 1, size[0], dtype=np.float32)
    y = np.linspace(-1, 1, size[1], dtype=np.float32)[:, None]
    return np.asarray(1 - np.float32(strength) * smoothstep(0.35, 1.9, x * x + y * y), np.float32)


def _noir(size: tuple[int, int], rng: np.random.Generator) -> StyleFilter:
    """Black and white, high contrast, dark corners, film grain."""
    curve = _curve((0.0, 0.045, 0.16, 0.38, 0.64, 0.85, 0.96, 1.0)).astype(np.float32)
    shade = _vignette(size, 0.75)
    noise = rng.normal(0, 5.5, (size[1] + 64, size[0] + 64)).astype(np.float32)

    def apply(picture: Picture, t: float) -> Picture:
        luma = (
            picture[..., 0] * np.float32(0.42) + picture[..., 1] * np.float32(0.46) + picture[..., 2] * np.float32(0.12)
        )
        tone = curve.take(np.minimum(luma, 255).astype(np.intp)) * shade
        frame_number = round(t * 24)
        down, across = frame_number * 23 % 64, frame_number * 41 % 64
        tone += noise[down : down + size[1], across : across + size[0]]
        grey = np.clip(tone, 0, 255).astype(np.uint8)
        return np.ascontiguousarray(np.broadcast_to(grey[..., None], picture.shape))

    return apply


def _anime(size: tuple[int, int], rng: np.random.Generator) -> StyleFilter:
    """Flat, saturated colours with dark outlines."""

    def apply(picture: Picture, t: float) -> Picture:
        flat = _kuwahara(downsample(_planes(picture)), max(1, size[1] // 360))
        luma = _luma(flat)
        tone = luma * np.float32(6)
        step = np.floor(tone)
        banded = (step + smoothstep(0.32, 0.68, tone - step)) / np.float32(6)
        flat = flat * np.asarray(
            (banded * np.float32(0.65) + luma * np.float32(0.35)) / np.maximum(luma, np.float32(0.02)), np.float32
        )
        outline = smoothstep(0.16, 0.42, _edges(luma)) * np.float32(0.55)
        flat = _saturate(flat, 1.4) * (1 - outline)
        return _picture(_full_size(np.clip(flat, 0, 1).astype(np.float32), size))

    return apply


def _vintage(size: tuple[int, int], rng: np.random.Generator) -> StyleFilter:
    """Faded, warm film with dark corners, flicker and dust."""
    curves = (
        _curve((0.10, 0.30, 0.58, 0.82, 0.95)),
        _curve((0.075, 0.26, 0.52, 0.75, 0.88)),
        _curve((0.11, 0.24, 0.43, 0.60, 0.72)),
    )
    shade = _vignette(size, 0.55)
    dust = rng.random((24, 6, 3))

    def apply(picture: Picture, t: float) -> Picture:
        frame_number = round(t * 24)
        planes = _planes(picture)
        faded = _saturate(planes, 0.62)
        index = np.clip(faded * 255, 0, 255).astype(np.intp)
        light = shade * np.float32(1 + 0.018 * np.sin(frame_number * 1.9) + 0.012 * np.sin(frame_number * 0.7))
        out = np.empty(picture.shape, np.uint8)
        for channel, curve in enumerate(curves):
            out[..., channel] = np.clip(curve.astype(np.float32).take(index[channel]) * light, 0, 255)
        for x, y, kind in dust[frame_number // 2 % len(dust)]:
            side = 1 + int(kind * size[1] / 240)
            left, top = int(x * size[0]), int(y * size[1])
            out[top : top + side, left : left + side] = 225 if kind > 0.5 else 30
        return out

    return apply


_STYLES: Final[Mapping[str, Callable[[tuple[int, int], np.random.Generator], StyleFilter]]] = {
    "neon": _neon,
    "watercolour": _watercolour,
    "oil": _oil,
    "pixel art": _pixels,
    "film noir": _noir,
    "anime": _anime,
    "vintage": _vintage,
}
