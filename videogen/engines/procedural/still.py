"""Renders a still: the best frame of a scene, with supersampling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SAMPLE_POSITIONS: Final = (0.2, 0.45, 0.7, 0.95)
"""Positions in the clip, as fractions of its length, that are compared."""
CLIP_SECONDS: Final = 4.0
_MAX_DRAWN_PIXELS: Final = 4_200_000
"""Largest drawing for a still, in pixels. Up to 1280 x 720 this is four samples per pixel."""


class _Scene(Protocol):
    def frame(self, t: float) -> NDArray[np.uint8]: ...


def best_still(build: Callable[[tuple[int, int]], _Scene], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The best of a few frames, uint8 (height, width, 3), RGB.

    Small stills are drawn at twice their size and scaled down, which removes aliasing and most of the grain.

    Args:
        build: builds the scene of a clip of `CLIP_SECONDS` for (width, height) in pixels.
        size: width and height of the still."""
    factor = 2 if 4 * size[0] * size[1] <= _MAX_DRAWN_PIXELS else 1
    scene = build((size[0] * factor, size[1] * factor))
    picture = max((scene.frame(CLIP_SECONDS * fraction) for fraction in SAMPLE_POSITIONS), key=_score)
    if factor == 1:
        return picture
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))


def _score(picture: NDArray[np.uint8]) -> float:
    """Contrast and colour, reduced by the area that is black or overexposed."""
    small = picture[::4, ::4].astype(np.float32)
    light = small.mean(axis=2)
    colour = (small.max(axis=2) - small.min(axis=2)).mean()
    lost = ((light < 8) | (light > 250)).mean()
    return float((light.std() + 0.5 * colour) * (1 - lost))
