"""From frames to an artifact: encoding, previews, progress and checkpoints for every engine that makes frames."""

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
    """Encode frames that are made in order. After a lost attempt the next one begins at the first frame.

    Args:
        recipe: sizes, frame rate and frame count.
        ctx: receives every step and previews, and is asked for a cancel after each frame.
        frames: exactly `recipe.num_frames` arrays, uint8, shape (height, width, 3), RGB.
        message: sent with every step.

    Raises:
        RenderFailed: a frame of another type or shape, too few or too many of them.
        RenderCancelled: the job was cancelled.
    """
    return _Render(recipe, ctx, message).run(iter(frames), start=0, resumable=False)


def render_at(
    recipe: Recipe, ctx: RenderContext, frame_at: Callable[[int], Any], message: str = "", threads: int = 1
) -> Artifact:
    """Encode frames that can be made in any order. After a lost attempt the next one goes on after the last whole
    segment, which is one second of video.

    Args:
        recipe: sizes, frame rate and frame count.
        ctx: receives every step, previews and a checkpoint per segment; asked for a cancel after each frame.
        frame_at: frame number, from 0, to an array: uint8, shape (height, width, 3), RGB. The same number
            must give the same bytes, in this process and in the next one.
        message: sent with every step.
        threads: calls of `frame_at` at the same time, each on a thread of a pool; with 1, it is called on the
            caller's thread.

    Raises:
        RenderFailed: a frame of another type or shape.
        RenderCancelled: the job was cancelled.
    """
    render = _Render(recipe, ctx, message)
    start = render.finished_segments()
    frames = _made_ahead(frame_at, range(start * recipe.fps, recipe.num_frames), threads)
    with closing(frames):
        return render.run(frames, start=start, resumable=True)


def _made_ahead(frame_at: Callable[[int], Any], indices: range, threads: int) -> Generator[Any]:
    """Yield the frames in order. With several threads, they are made a few ahead of the reader."""
    if threads <= 1:
        yield from map(frame_at, indices)
        return
    pool = ThreadPoolExecutor(threads, "frames")
    try:
        pending: deque[Future[Any]] = deque()
        for index in indices:
            pending.append(pool.submit(frame_at, index))
            # One more than the threads make at once: no thread waits while the reader encodes.
            if len(pending) > threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def check_frame(frame: Any, index: int, recipe: Recipe) -> NDArray[np.uint8]:
    """Return `frame` if it is a uint8 array of shape (height, width, 3).

    Raises:
        RenderFailed: it is not.
    """
    shape = (recipe.height, recipe.width, 3)
    if not isinstance(frame, np.ndarray):
        raise _wrong_frame(index, shape, f"{type(frame).__name__}. Convert it with numpy.asarray")
    if frame.dtype != np.uint8:
        raise _wrong_frame(index, shape, f"{frame.dtype} of shape {frame.shape}. Scale it to 0..255 and convert it")
    if frame.shape != shape:
        raise _wrong_frame(index, shape, f"shape {frame.shape}. Take recipe.height and recipe.width")
    return frame


def _wrong_frame(index: int, shape: tuple[int, int, int], got: str) -> RenderFailed:
    return RenderFailed(f"Frame {index}: expected uint8 of shape {shape}, got {got}.", code="wrong_frame")


class _Render:
    """One render of a recipe in the workdir of its context."""

    def __init__(self, recipe: Recipe, ctx: RenderContext, message: str) -> None:
        self._recipe = recipe
        self._ctx = ctx
        self._message = message
        self._folder = ctx.workdir / _SEGMENTS
        self._folder.mkdir(parents=True, exist_ok=True)
        self._last_preview = -PREVIEW_SECONDS

    def run(self, frames: Iterator[Any], *, start: int, resumable: bool) -> Artifact:
        """Encode from segment `start` on. If `resumable`, save a checkpoint after each segment."""
        recipe, ctx = self._recipe, self._ctx
        done = min(start * recipe.fps, recipe.num_frames)
        ctx.report(done, recipe.num_frames, "preparing", self._message)
        for segment in range(start, self._segments):
            first = segment * recipe.fps
            self._write(segment, islice(enumerate(frames, first), self._length(segment)))
            if resumable:
                step = first + self._length(segment)
                ctx.save({"segments": segment + 1, "step": step, "recipe": recipe.digest, "encoder": ENCODER})
        if next(frames, _NOTHING) is not _NOTHING:
            raise _wrong_count(recipe, "more")
        return self._finish()

    def finished_segments(self) -> int:
        """Number of whole segments that an earlier attempt at this recipe has left, made with this encoder."""
        checkpoint = self._ctx.checkpoint or {}
        if (checkpoint.get("recipe"), checkpoint.get("encoder")) != (self._recipe.digest, ENCODER):
            return 0
        count = min(int(checkpoint.get("segments", 0)), self._segments)
        for segment in range(count):
            try:
                probed = probe(self._path(segment))
            except BrokenMediaError:
                return segment
            expected = (self._recipe.width, self._recipe.height, self._length(segment))
            if (probed.width, probed.height, probed.num_frames) != expected:
                return segment
        return count

    @property
    def _segments(self) -> int:
        return -(-self._recipe.num_frames // self._recipe.fps)

    def _length(self, segment: int) -> int:
        """Number of frames in a segment: one second, or the rest."""
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
                checked = check_frame(frame, index, recipe)
                encoder.write(checked)
                self._preview(checked)
                ctx.report(index + 1, recipe.num_frames, "rendering", self._message)
                ctx.raise_if_cancelled()
            if index + 1 < segment * recipe.fps + self._length(segment):
                raise _wrong_count(recipe, str(index + 1))

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
            poster_path=poster if _write_poster(video, poster) else None,
            width=recipe.width,
            height=recipe.height,
            fps=recipe.fps,
            num_frames=recipe.num_frames,
        )


def _write_poster(video: Path, poster: Path) -> bool:
    """Write the poster, and return whether that was possible: a full disk costs only the poster."""
    try:
        write_poster(video, poster)
    except OSError as error:
        if not is_disk_fault(error):
            raise
        logger.warning("the poster could not be written: %s", error.strerror)
        return False
    return True


def _wrong_count(recipe: Recipe, got: str) -> RenderFailed:
    return RenderFailed(
        f"Expected {recipe.num_frames} frames (recipe.num_frames), got {got}.", code="wrong_frame_count"
    )


def describe_file(recipe: Recipe) -> dict[str, str]:
    """The tags of a file that hold its recipe: the prompt in `title`, all of it as JSON in `comment`."""
    # Whoever gets the file must not learn paths of this machine.
    comment = recipe.model_dump_json(by_alias=True, exclude={"input_path"})
    return {"title": " ".join(recipe.prompt.split())[:80], "comment": comment}
