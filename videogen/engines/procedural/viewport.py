"""The viewport: size, horizon, and a unit of length that suits landscape and portrait formats."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from videogen.engines.procedural.noise import F32


@dataclass(frozen=True)
class Viewport:
    """Width and height in pixels (even), and the row of the horizon."""

    width: int
    height: int
    horizon: int

    @property
    def unit(self) -> float:
        """Pixels per picture unit: the height of a 16:9 picture of the same area."""
        return 0.75 * float(np.sqrt(self.width * self.height))

    @cached_property
    def half_width(self) -> float:
        """Half the width, in picture units."""
        return self.width / 2 / self.unit

    def columns(self, scale: int = 1) -> F32:
        """x of the column centres, in picture units from the middle. `scale`: use a grid that is `scale` times
        coarser."""
        count = -(-self.width // scale)
        return ((np.arange(count, dtype=np.float32) + 0.5) * scale - self.width / 2) / np.float32(self.unit)

    def rows(self, first: int, last: int, scale: int = 1) -> F32:
        """Height over the horizon of rows first..last, in picture units. `scale`: as in `columns`."""
        middle = (np.arange(first, last, dtype=np.float32) + 0.5) * scale
        return (self.horizon - middle) / np.float32(self.unit)


def checked_size(size: tuple[int, int]) -> tuple[int, int]:
    """`size` (width, height) in pixels, unchanged.

    Raises:
        ValueError: a side is odd or less than 16.
    """
    width, height = size
    if width < 16 or height < 16 or width % 2 or height % 2:
        raise ValueError(f"size: expected even numbers of at least 16, got {width}x{height}")
    return size
