"""The images that a generation starts from and ends with: the size that goes with them, what another would cut off."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from videogen.ui.form import EngineForm

NOTICEABLE: Final = 0.01
"""A part of the image; less than this is not worth a word."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What is cut off to fill another shape."""

    where: Literal["sides", "ends"]
    """Left and right, or top and bottom."""
    share: float
    """Of the image, 0..1."""


def like_image(image: tuple[int, int], short: int, engine: EngineForm) -> tuple[int, int]:
    """Width and height in pixels of a result in the image's shape.

    Args:
        image: width and height of the image.
        short: about how long the shorter side should be, in pixels.
        engine: its limits and multiples hold, and come before the exact shape.
    """
    bounds = [engine.basics[name] for name in ("width", "height")]
    scale = short / min(image)
    scale = min(scale, math.sqrt(engine.max_pixels / math.prod(image)))
    scale = min(scale, *(one.maximum / side for one, side in zip(bounds, image, strict=True) if one.maximum))
    sizes = []
    for one, side in zip(bounds, image, strict=True):
        pixels = int(side * scale + 0.5) // engine.multiple * engine.multiple
        least = math.ceil((one.minimum or 1) / engine.multiple) * engine.multiple
        sizes.append(max(least, pixels))
    return sizes[0], sizes[1]


def takes_last(engine: EngineForm | None, kind: object, first: object) -> bool:
    """Whether what the form asks for can end with an image: `first` is the image to start from, or nothing."""
    return engine is not None and kind == "video" and engine.last_frame and bool(first or engine.last_frame_alone)


def cut_of(image: tuple[int, int], size: tuple[int, int]) -> Cut | None:
    """What of the image is cut off where a result of this size is filled with it; None for nothing worth a word."""
    if min(size) < 1:  # as it was typed
        return None
    wanted = (size[0] / size[1]) / (image[0] / image[1])
    share = 1 - min(wanted, 1 / wanted)
    if share < NOTICEABLE:
        return None
    return Cut("sides" if wanted < 1 else "ends", share)
