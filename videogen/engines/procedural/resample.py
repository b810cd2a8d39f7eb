"""Resampling of planar pictures: smooth layers are computed at a small size and enlarged."""

import numpy as np

from videogen.engines.procedural.noise import F32
from videogen.engines.procedural.row_bands import Span


def downsample(planes: F32) -> F32:
    """Mean of 2x2 blocks over the last two axes; odd sizes are rounded up."""
    height, width = planes.shape[-2:]
    if height % 2 or width % 2:
        planes = np.pad(planes, ((0, 0), (0, height % 2), (0, width % 2)), mode="edge")
    small = planes[..., 0::2, 0::2] + planes[..., 1::2, 0::2]
    small += planes[..., 0::2, 1::2]
    small += planes[..., 1::2, 1::2]
    small *= 0.25
    return small


def upsample(half: F32, span: Span, width: int) -> F32:
    """Rows [first, last) of `half`, float32 (planes, rows, columns), at twice its size, bilinear, `width` columns.

    `first` must be even. Row bands match exactly, because neighbouring rows come from the whole of `half`."""
    first, last = span
    around = np.arange(first // 2 - 1, (last + 1) // 2 + 1)
    wide = _widen(half[:, np.clip(around, 0, half.shape[1] - 1)], width)
    near = wide[:, 1:-1] * np.float32(0.75)
    wide *= np.float32(0.25)
    tall = np.empty((len(half), 2 * near.shape[1], width), np.float32)
    np.add(near, wide[:, :-2], out=tall[:, 0::2])
    np.add(near, wide[:, 2:], out=tall[:, 1::2])
    return tall[:, : last - first]


def _widen(narrow: F32, width: int) -> F32:
    near, far = narrow * np.float32(0.75), narrow * np.float32(0.25)
    wide = np.empty((*narrow.shape[:2], 2 * narrow.shape[2]), np.float32)
    np.add(near[..., 1:], far[..., :-1], out=wide[..., 2::2])
    np.add(near[..., :-1], far[..., 1:], out=wide[..., 1:-1:2])
    wide[..., 0] = narrow[..., 0]
    wide[..., -1] = narrow[..., -1]
    return wide[..., :width]


def box_blur(planes: F32, radius: int, axis: int) -> F32:
    """Box filter over 2 * radius + 1 samples along `axis`. Edge values are repeated."""
    width = 2 * radius + 1
    pad = [(0, 0)] * planes.ndim
    pad[axis] = (radius + 1, radius)
    total = np.cumsum(np.pad(planes, pad, mode="edge"), axis=axis, dtype=np.float64)
    count = planes.shape[axis]
    upper = np.take(total, np.arange(width, width + count), axis)
    upper -= np.take(total, np.arange(count), axis)
    return (upper / width).astype(np.float32)
