"""The way from frames to an artifact that every frame-making engine shares."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from videogen.core.errors import is_disk_fault
from videogen.engines.base import Artifact, Recipe, RenderContext, RenderFailed
from videogen.media import (
    ENCODER,
    BrokenMediaError,
    SegmentEncoder,
    VideoShape,
    join_segments,
    probe,
    replacing,
    write_poster,
)

logger = logging.getLogger("videogen.render")
PREVIEW_SECONDS: Final = 0.4
VIDEO_NAME: Final = "video.mp4"
POSTER_NAME: Final = "poster.jpg"
_SEGMENTS: Final = "segments"
_NOTHING: Final = object()


def render_sequence(recipe: Recipe, ctx: RenderContext, frames: Iterable[Any], message: str = "") -> Artifact:
    """Render frames that can only be had in order; a lost attempt begins again at the first frame.

    Args:
        recipe: sizes, frame rate and frame count.
        ctx: gets every step, previews and the question whether to stop.
        frames: exactly `recipe.num_frames` arrays, uint8, shape (height, width, 3), RGB.
        message: what the reports say beside the step.

    Raises:
        RenderFailed: a frame of another type or shape, too few or too many of them.
        RenderCancelled: the owner has asked to stop.
    """
    return _Render(recipe, ctx, message).run(iter(frames), start=0, keep=False)


def render_at(
    recipe: Recipe, ctx: RenderContext, frame_at: Callable[[int], Any], message: str = "", threads: int = 1
) -> Artifact:
    """Render frames that can be had in any order, and go on after the last whole segment of a lost attempt.

    Args:
        recipe: sizes, frame rate and frame count.
        ctx: gets every step, previews, a checkpoint per second of video and the question whether to stop.
        frame_at: frame number, from 0, to an array: uint8, shape (height, width, 3), RGB. The same number
            must give the same bytes, in this process and in the next one.
        message: what the reports say beside the step.
        threads: how many frames may be asked for at the same time, from threads of its own; with 1 they are asked
            for one after the other, from the caller's thread.

    Raises:
        RenderFailed: a frame of another type or shape.
        RenderCancelled: the owner has asked to stop.
    """
    render = _Render(recipe, ctx, message)
    start = render.segments_kept()
    frames = _ahead(frame_at, range(start * recipe.fps, recipe.num_frames), threads)
    with closing(frames):
        return render.run(frames, start=start, keep=True)


def _ahead(frame_at: Callable[[int], Any], indices: range, threads: int) -> Generator[Any]:
    """The frames in order, made a few ahead of the reader on threads; one thread means none of its own."""
    if threads <= 1:
        yield from map(frame_at, indices)
        return
    pool = ThreadPoolExecutor(threads, "frames")
    try:
        waiting: deque[Future[Any]] = deque()
        for index in indices:
            waiting.append(pool.submit(frame_at, index))
            # One more than can be painted at once: no thread waits while the reader encodes.
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def check_frame(frame: Any, index: int, recipe: Recipe) -> NDArray[np.uint8]:
    """Give back `frame` if it is uint8 of shape (height, width, 3).

    Raises:
        RenderFailed: it is not.
    """
    shape = (recipe.height, recipe.width, 3)
    if not isinstance(frame, np.ndarray):
        raise _wrong(index, shape, f"{type(frame).__name__}. Convert it with numpy.asarray")
    if frame.dtype != np.uint8:
        raise _wrong(index, shape, f"{frame.dtype} of shape {frame.shape}. Scale it to 0..255 and convert it")
    if frame.shape != shape:
        raise _wrong(index, shape, f"shape {frame.shape}. Take recipe.height and recipe.width")
    return frame


def _wrong(index: int, shape: tuple[int, int, int], got: str) -> RenderFailed:
    return RenderFailed(f"Frame {index}: expected uint8 of shape {shape}, got {got}.", code="wrong_frame")


class _Render:
    """One render of one recipe in one workdir."""

    def __init__(self, recipe: Recipe, ctx: RenderContext, message: str) -> None:
        self._recipe = recipe
        self._ctx = ctx
        self._message = message
        self._folder = ctx.workdir / _SEGMENTS
        self._folder.mkdir(parents=True, exist_ok=True)
        self._last_preview = -PREVIEW_SECONDS

    def run(self, frames: Iterator[Any], *, start: int, keep: bool) -> Artifact:
        """Encode from segment `start` on; with `keep`, each whole segment becomes a checkpoint."""
        recipe, ctx = self._recipe, self._ctx
        done = min(start * recipe.fps, recipe.num_frames)
        ctx.report(done, recipe.num_frames, "preparing", self._message)
        for segment in range(start, self._segments):
            first = segment * recipe.fps
            self._write(segment, islice(enumerate(frames, first), self._length(segment)))
            if keep:
                step = first + self._length(segment)
                ctx.save({"segments": segment + 1, "step": step, "recipe": recipe.digest, "encoder": ENCODER})
        if next(frames, _NOTHING) is not _NOTHING:
            raise _miscounted(recipe, "more")
        return self._finish()

    def segments_kept(self) -> int:
        """How many segments of an earlier attempt at this recipe with this encoder are there and whole."""
        checkpoint = self._ctx.checkpoint or {}
        if (checkpoint.get("recipe"), checkpoint.get("encoder")) != (self._recipe.digest, ENCODER):
            return 0
        claimed = min(int(checkpoint.get("segments", 0)), self._segments)
        for segment in range(claimed):
            try:
                found = probe(self._path(segment))
            except BrokenMediaError:
                return segment
            expected = (self._recipe.width, self._recipe.height, self._length(segment))
            if (found.width, found.height, found.num_frames) != expected:
                return segment
        return claimed

    @property
    def _segments(self) -> int:
        return -(-self._recipe.num_frames // self._recipe.fps)

    def _length(self, segment: int) -> int:
        """Frames in a segment: one second, or what is left."""
        return min(self._recipe.fps, self._recipe.num_frames - segment * self._recipe.fps)

    def _path(self, segment: int) -> Path:
        return self._folder / f"{segment:05}.mp4"

    def _write(self, segment: int, frames: Iterator[tuple[int, Any]]) -> None:
        recipe, ctx = self._recipe, self._ctx
        shape = VideoShape(recipe.width, recipe.height, recipe.fps)
        index = segment * recipe.fps - 1
        ctx.raise_if_cancelled()
        with replacing(self._path(segment)) as part, SegmentEncoder(part, shape) as encoder:
            for index, frame in frames:
                picture = check_frame(frame, index, recipe)
                encoder.write(picture)
                self._preview(picture)
                ctx.report(index + 1, recipe.num_frames, "rendering", self._message)
                ctx.raise_if_cancelled()
            if index + 1 < segment * recipe.fps + self._length(segment):
                raise _miscounted(recipe, str(index + 1))

    def _preview(self, frame: NDArray[np.uint8]) -> None:
        now = time.monotonic()
        if now - self._last_preview >= PREVIEW_SECONDS:
            self._last_preview = now
            self._ctx.preview(frame)

    def _finish(self) -> Artifact:
        recipe, ctx = self._recipe, self._ctx
        ctx.report(recipe.num_frames, recipe.num_frames, "finishing", self._message)
        video, poster = ctx.workdir / VIDEO_NAME, ctx.workdir / POSTER_NAME
        segments = [self._path(segment) for segment in range(self._segments)]
        join_segments(segments, video, describe_file(recipe))
        return Artifact(
            path=video,
            poster_path=poster if _has_poster(video, poster) else None,
            width=recipe.width,
            height=recipe.height,
            fps=recipe.fps,
            num_frames=recipe.num_frames,
        )


def _has_poster(video: Path, poster: Path) -> bool:
    """Make the poster; a full disk costs only the poster."""
    try:
        write_poster(video, poster)
    except OSError as problem:
        if not is_disk_fault(problem):
            raise
        logger.warning("the poster could not be written: %s", problem.strerror)
        return False
    return True


def _miscounted(recipe: Recipe, got: str) -> RenderFailed:
    return RenderFailed(
        f"Expected {recipe.num_frames} frames (recipe.num_frames), got {got}.", code="wrong_frame_count"
    )


def describe_file(recipe: Recipe) -> dict[str, str]:
    """The tags that make a video carry its recipe: `title`, and JSON in `comment`."""
    # The input's place on this machine is nobody's business.
    comment = recipe.model_dump_json(by_alias=True, exclude={"input_path"})
    return {"title": " ".join(recipe.prompt.split())[:80], "comment": comment}
