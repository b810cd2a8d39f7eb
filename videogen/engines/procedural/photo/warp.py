"""Shows a picture with depth from a moved camera: one continuous warp, so that nothing tears."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from videogen.engines.procedural.noise import F32
from videogen.engines.procedural.photo.camera_path import CameraView

OVERSIZE: Final = 1.3
"""The stored picture is larger than the view by this factor, so that it stays sharp in a zoom."""
_CELLS: Final = 30
"""Mesh cells along the longer side. Inside a cell the warp is bilinear."""
_ITERATIONS: Final = 4


def crop_to_fill(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Crop a picture, uint8 (H, W, 3), to the aspect ratio of `size` (width, height), and scale it to `size` *
    OVERSIZE.

    The crop is centred horizontally. Vertically it keeps a little more of the upper part, where heads are."""
    height, width = picture.shape[:2]
    scale = max(size[0] / width, size[1] / height)
    keep = (size[0] / scale, size[1] / scale)
    left, top = (width - keep[0]) / 2, (height - keep[1]) * 0.42
    target = (round(size[0] * OVERSIZE), round(size[1] * OVERSIZE))
    area = (left, top, min(left + keep[0], width), min(top + keep[1], height))
    return np.asarray(
        Image.fromarray(picture).resize(target, Image.Resampling.LANCZOS, box=area, reducing_gap=3.0), np.uint8
    )


class Warp:
    """Renders views of one picture. Thread-safe."""

    def __init__(self, picture: NDArray[np.uint8], depth: F32, size: tuple[int, int], margin: float) -> None:
        """Args:
        picture: uint8 (H, W, 3), RGB, with the aspect ratio of `size`.
        depth: float32 (h, w), 0 (far) .. 1 (near), for the whole picture.
        size: width and height of the views, in pixels.
        margin: largest offset of a view, as a fraction of width and height; this much is cropped at each side."""
        self._image = Image.fromarray(picture).convert("RGBX")
        self._depth, self._size = depth, size
        self._base = 1 / (1 - 2 * margin)
        cell = max(8, max(size) / _CELLS)
        self._xs, self._ys = (np.linspace(0, side, max(2, round(side / cell)) + 1).round().astype(int) for side in size)

    def show(self, view: CameraView) -> NDArray[np.uint8]:
        """The view as uint8 (height, width, 3), RGB."""
        corners = self._corners(view) * np.array(self._image.size, np.float32)
        x, y = (np.clip(corners[..., axis], 0, self._image.size[axis]).tolist() for axis in (0, 1))
        mesh = []
        xs, ys = self._xs.tolist(), self._ys.tolist()
        for row in range(len(ys) - 1):
            for column in range(len(xs) - 1):
                corner_cells = ((row, column), (row + 1, column), (row + 1, column + 1), (row, column + 1))
                quad = tuple(value for r, c in corner_cells for value in (x[r][c], y[r][c]))
                mesh.append(((xs[column], ys[row], xs[column + 1], ys[row + 1]), quad))
        shown = self._image.transform(self._size, Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)
        return np.asarray(shown)[..., :3]

    def _corners(self, view: CameraView) -> F32:
        """Picture positions of the mesh corners: float32 (rows, columns, 2), fractions of width and height.

        The position depends on the depth at the position itself, so it is found by iteration. It converges, because the
        depth is smooth."""
        across = self._xs.astype(np.float32)[None] / self._size[0] - 0.5
        down = self._ys.astype(np.float32)[:, None] / self._size[1] - 0.5
        across, down = np.broadcast_arrays(across, down)
        x, y = np.asarray(across / self._base, np.float32), np.asarray(down / self._base, np.float32)
        for _ in range(_ITERATIONS):
            near = self._depth_at(x, y) - np.float32(0.5)
            zoom = self._base * (view.zoom + view.deep * near)
            x = np.asarray(across / zoom + view.x + view.near_x * near, np.float32)
            y = np.asarray(down / zoom + view.y + view.near_y * near, np.float32)
        return np.asarray(np.stack([x, y], axis=-1) + 0.5, np.float32)

    def _depth_at(self, x: F32, y: F32) -> F32:
        """Depth at positions relative to the centre, in fractions of the size: bilinear, clamped at the edges."""
        rows, columns = self._depth.shape
        u = np.clip((x + 0.5) * columns - 0.5, 0, columns - 1.001)
        v = np.clip((y + 0.5) * rows - 0.5, 0, rows - 1.001)
        c, r = u.astype(np.intp), v.astype(np.intp)
        fu, fv = u - c, v - r
        top = self._depth[r, c] * (1 - fu) + self._depth[r, c + 1] * fu
        bottom = self._depth[r + 1, c] * (1 - fu) + self._depth[r + 1, c + 1] * fu
        return np.asarray(top * (1 - fv) + bottom * fv, np.float32)


def required_margin(views: list[CameraView]) -> float:
    """The margin that all these views need, as a fraction of width and height."""
    reach = 0.0
    for view in views:
        for far, near in ((view.x, view.near_x), (view.y, view.near_y)):
            # A zoomed view needs less margin.
            spare = (1 - 1 / (view.zoom - 0.5 * abs(view.deep))) / 2
            reach = max(reach, abs(far) + 0.5 * abs(near) - max(spare, 0.0))
        if view.zoom - 0.5 * view.deep < 1:
            reach = max(reach, (1 / (view.zoom - 0.5 * view.deep) - 1) / 2)
    return min(reach, 0.2)
