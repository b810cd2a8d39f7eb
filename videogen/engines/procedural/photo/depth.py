"""Estimates the depth of a picture: low, dark, sharp and central parts are near."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from videogen.engines.procedural.noise import F32
from videogen.engines.procedural.resample import box_blur

GRID: Final = 144
"""Size of the longer side of the depth map, in cells."""
_MAX_STEP: Final = 0.055
"""Largest difference between neighbouring cells. A larger one would fold the warped picture."""


def guess_depth(picture: NDArray[np.uint8]) -> F32:
    """Estimate the depth of a picture, uint8 (H, W, 3), RGB.

    Cues: height in the picture (the ground is farther away higher up), luminance and blueness (air is bright and blue),
    local contrast (far things are hazy), distance from the centre (the main subject is there). A guided filter (He et
    al., 2010) smooths the result along the edges of the picture, so that objects move as a whole.

    Returns:
        float32 (h, w), `GRID` along the longer side, 0 (far) .. 1 (near); neighbours differ by about `_MAX_STEP` at
        most."""
    small = _downscaled(picture)
    red, green, blue = small[..., 0], small[..., 1], small[..., 2]
    light = 0.3 * red + 0.59 * green + 0.11 * blue
    rows, columns = light.shape
    down = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    across = np.linspace(-1, 1, columns, dtype=np.float32)[None]
    blurred: F32 = _blur(light, max(2, GRID // 24))
    detail = _blur(np.abs(light - _blur(light, 2)), max(2, GRID // 20))
    detail /= max(float(detail.max()), 1e-3)
    airy = np.clip(blue - red, 0, 1)
    middle = np.exp(-((across / 0.6) ** 2) - ((down - 0.62) / 0.5) ** 2)
    guess = 0.62 * down**1.2 + 0.30 * np.sqrt(detail) + 0.22 * middle - 0.22 * blurred - 0.25 * airy
    # A clear sky is always far.
    sky = np.clip(1 - 4 * np.sqrt(detail), 0, 1) * np.clip((blurred - 0.35) * 3, 0, 1) * np.clip(1.3 - 2 * down, 0, 1)
    guess = (guess - guess.min()) * (1 - 0.85 * sky)
    return _normalized(_guided_filter(light, np.asarray(guess, np.float32), max(3, GRID // 18)))


def _downscaled(picture: NDArray[np.uint8]) -> F32:
    """The picture at the size of the depth map, float32 (h, w, 3), 0..1."""
    height, width = picture.shape[:2]
    scale = GRID / max(height, width)
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX), np.float32) / np.float32(255)


def _blur(plane: F32, radius: int) -> F32:
    return box_blur(box_blur(plane, radius, 0), radius, 1)


def _guided_filter(guide: F32, plane: F32, radius: int, softness: float = 2e-3) -> F32:
    """The plane smoothed along the edges of the guide. All are float32 (h, w)."""
    mean, mean_of_plane = _blur(guide, radius), _blur(plane, radius)
    spread = _blur(guide * guide, radius) - mean * mean
    together = _blur(guide * plane, radius) - mean * mean_of_plane
    slope = np.asarray(together / (spread + softness), np.float32)
    offset = np.asarray(mean_of_plane - slope * mean, np.float32)
    return np.asarray(_blur(slope, radius) * guide + _blur(offset, radius), np.float32)


def _normalized(depth: F32) -> F32:
    """Scaled to 0..1, with limited steps between neighbours."""
    low, high = (float(value) for value in np.quantile(depth, (0.02, 0.98)))
    if high - low < 1e-3:
        return np.full(depth.shape, 0.5, np.float32)
    depth = _blur(np.asarray(np.clip((depth - low) / (high - low), 0, 1), np.float32), 2)
    for _ in range(24):
        steepest = max(float(np.abs(np.diff(depth, axis=axis)).max()) for axis in (0, 1))
        if steepest <= _MAX_STEP:
            break
        depth = _blur(depth, 2)
    return depth
