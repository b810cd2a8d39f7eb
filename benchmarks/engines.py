"""An engine that makes its frames at a known rate."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from videogen import engine
from videogen.engines.base import Recipe


@engine("paced", title="Paced")
def paced(recipe: Recipe) -> Iterator[Any]:
    """One small grey frame every 150 ms. That is slower than the throttle of progress events: each step is an event."""
    for index in range(recipe.num_frames):
        time.sleep(0.15)
        yield np.full((recipe.height, recipe.width, 3), index % 256, np.uint8)
