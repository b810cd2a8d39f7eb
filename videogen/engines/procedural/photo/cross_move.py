"""A move between two pictures: one camera motion through both, while the first dissolves into the last."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from videogen.engines.procedural.camera import TEMPO, shake
from videogen.engines.procedural.language import ShotSpec
from videogen.engines.procedural.noise import F32
from videogen.engines.procedural.photo.camera_path import CameraView
from videogen.engines.procedural.photo.depth import guess_depth
from videogen.engines.procedural.photo.prompt import DEFAULT_MOTION
from videogen.engines.procedural.photo.warp import Warp, crop_to_fill, required_margin
from videogen.engines.procedural.row_bands import split_rows
from videogen.engines.procedural.viewport import checked_size

# Amplitudes as fractions of the picture's width (or height, for vertical motion), in a move of four seconds.
_PUSH: Final = 0.16
_SLIDE: Final = 0.10
_ORBIT: Final = 0.05
_SHAKE: Final = 0.012
_SHAKE_WAVES: Final = ((0.3, 0.6), (0.7, 0.28), (1.5, 0.12))
_FULL_SECONDS: Final = 4.0
_DISSOLVE: Final = 0.42
"""How long a part of the picture takes to dissolve, as a fraction of the whole move."""
_DEPTH_LEAD: Final = 0.14
"""How much earlier the farthest parts begin to dissolve than the nearest ones."""
_REST: Final = 0.04
"""Fraction of the move at each end in which the picture itself gives way to its warped view, which is softer."""


class CrossMove:
    """A built move. It begins with the first picture as it is, and ends with the last one. Thread-safe."""

    def __init__(
        self,
        pictures: tuple[NDArray[np.uint8], NDArray[np.uint8]],
        shot: ShotSpec,
        size: tuple[int, int],
        seed: int,
        last_time: float,
    ) -> None:
        """
        Args:
            pictures: the first and the last one, uint8 (H, W, 3), RGB, of any size.
            shot: the camera motion and its pace.
            size: width and height of the frames, in pixels.
            seed: decides what the prompt leaves open.
            last_time: of the last frame, in seconds.
        """
        size = checked_size(size)
        self._seconds = max(last_time, 1e-6)
        self._path = _Path(shot, self._seconds, np.random.default_rng([seed & 0xFFFF_FFFF_FFFF_FFFF, 78]))
        steps = np.linspace(0, 1, 49)
        margin = required_margin([view for step in steps for view in self._path.views_at(float(step))])
        cropped = [crop_to_fill(picture, size) for picture in pictures]
        depths = [guess_depth(picture) for picture in cropped]
        self._ends = [np.asarray(Image.fromarray(one).resize(size, Image.Resampling.LANCZOS)) for one in cropped]
        self._warps = [
            Warp(_mirrored(one, margin), _extended(depth, margin), size, margin)
            for one, depth in zip(cropped, depths, strict=True)
        ]
        near = np.mean([_resized(depth, size) for depth in depths], axis=0, dtype=np.float32)
        self._lag: F32 = np.asarray(_DEPTH_LEAD * (near - 0.5), np.float32)

    def frame(self, t: float) -> NDArray[np.uint8]:
        """The frame at t (seconds), uint8 (H, W, 3), RGB. The same t gives the same bytes, in any order of calls and on
        any number of threads."""
        done = min(max(t / self._seconds, 0.0), 1.0)
        if done >= 1 - 1e-9:
            return self._ends[1]
        reach = (_DISSOLVE + _DEPTH_LEAD) / 2
        if done <= 0.5 - reach:
            return self._shown(0, done)
        if done >= 0.5 + reach:
            return self._shown(1, done)
        return _dissolved(self._shown(0, done), self._shown(1, done), self._lag, done)

    def _shown(self, which: int, done: float) -> NDArray[np.uint8]:
        """One of the two pictures, as the camera sees it when a fraction of the move is done."""
        distance = done if which == 0 else 1 - done
        if distance == 0:
            return self._ends[which]
        view = self._warps[which].show(self._path.views_at(done)[which])
        if distance >= _REST:
            return view
        return np.asarray(Image.blend(Image.fromarray(self._ends[which]), Image.fromarray(view), distance / _REST))


class _Path:
    """One camera motion, which begins at rest in the first picture and comes to rest in the last one."""

    def __init__(self, shot: ShotSpec, seconds: float, rng: np.random.Generator) -> None:
        self._motion = shot.camera or DEFAULT_MOTION
        self._seconds = seconds
        self._extent = min(1.25, TEMPO[shot.tempo] * seconds / _FULL_SECONDS)
        self._phases = rng.uniform(0, 2 * np.pi, 6)
        self._direction = float(rng.choice((-1.0, 1.0)))

    def views_at(self, done: float) -> tuple[CameraView, CameraView]:
        """The views of both pictures when a fraction of the move is done, 0..1."""
        travelled = done * done * (3 - 2 * done)
        # The camera leaves the first picture, and is as far from the last one as is left of its way.
        return self._view(travelled * self._extent, done), self._view((travelled - 1) * self._extent, done)

    def _view(self, way: float, done: float) -> CameraView:
        """The view at a distance from the position in which a picture is seen as it is."""
        match self._motion:
            case "still":
                return CameraView()
            case "zoom in" | "dolly in":
                return CameraView(1 + _PUSH * way, (0.4 if self._motion == "zoom in" else 0.9) * _PUSH * way)
            case "zoom out" | "dolly out":
                return CameraView(1 - _PUSH * way, (-0.4 if self._motion == "zoom out" else -0.9) * _PUSH * way)
            case "pan left" | "pan right":
                x = _SLIDE * way * (1 if self._motion == "pan right" else -1)
                return CameraView(1 + abs(x), x=x, near_x=0.28 * x)
            case "tilt up" | "tilt down":
                y = _SLIDE * way * (1 if self._motion == "tilt down" else -1)
                return CameraView(1 + abs(y), y=y, near_y=0.28 * y)
            case "orbit":
                return CameraView(1 + 0.06 * abs(way), near_x=_ORBIT * way * self._direction)
        swing = 4 * done * (1 - done) * _SHAKE
        x, y = (swing * shake(done * self._seconds, _SHAKE_WAVES, self._phases[3 * axis :]) for axis in (0, 1))
        return CameraView(1 + swing, 0.0, x, y, 0.4 * x, 0.4 * y)


def _mirrored(picture: NDArray[np.uint8], margin: float) -> NDArray[np.uint8]:
    """The picture with so much of its mirror image on each side that a view with `margin` shows it whole."""
    pads = [round(side * margin / (1 - 2 * margin)) for side in picture.shape[:2]]
    return np.pad(picture, ((pads[0],) * 2, (pads[1],) * 2, (0, 0)), mode="symmetric")


def _extended(depth: F32, margin: float) -> F32:
    """The depth of a mirrored picture: beyond the edge, that of the edge."""
    pads = [round(side * margin / (1 - 2 * margin)) for side in depth.shape]
    return np.pad(depth, [(pad, pad) for pad in pads], mode="edge")


def _resized(depth: F32, size: tuple[int, int]) -> F32:
    return np.asarray(Image.fromarray(depth).resize(size, Image.Resampling.BILINEAR), np.float32)


def _dissolved(first: NDArray[np.uint8], last: NDArray[np.uint8], lag: F32, done: float) -> NDArray[np.uint8]:
    """Two frames of uint8 (H, W, 3), one through the other, in linear light, which the square of a value is near to."""
    result = np.empty_like(first)
    for start, stop in split_rows(0, first.shape[0], first.shape[1]):
        share = np.clip((np.float32(done - 0.5) - lag[start:stop]) / np.float32(_DISSOLVE) + np.float32(0.5), 0, 1)
        share = (share * share * (3 - 2 * share))[..., None]
        light = np.square(first[start:stop], dtype=np.float32)
        light += (np.square(last[start:stop], dtype=np.float32) - light) * share
        result[start:stop] = np.sqrt(light) + np.float32(0.5)
    return result
