"""From frames to an artifact: encoding, previews, progress and checkpoints for every engine that makes frames."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from contextvars import copy_context
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from videogen.core.errors import is_disk_fault
from videogen.engines.base import PATHS, Artifact, Recipe, RenderContext, RenderFailed
from videogen.engines.segments import FrameContext, SegmentWriter, usable_lengths
from videogen.media.encode import ENCODER, join_segments
from videogen.media.image import write_jpeg, write_poster, write_still
from videogen.media.sound import Sound

logger = logging.getLogger("videogen.render")
PREVIEW_SECONDS: Final = 0.4
VIDEO_NAME: Final = "video.mp4"
STILL_NAME: Final = "still.png"
LAST_NAME: Final = "last.png"
"""The last frame of a video, lossless: another render can go on from it."""
POSTER_NAME: Final = "poster.jpg"


def render_sequence(
    recipe: Recipe, ctx: RenderContext, frames: Iterable[Any], message: str = "", sound: Sound | None = None
) -> Artifact:
    """Encode frames that are made in order. After a lost attempt the next one begins at the first frame.

    Args:
        recipe: sizes, frame rate and frame count.
        ctx: receives every step and previews, and is asked for a cancel after each frame.
        frames: exactly `recipe.num_frames` arrays, uint8, shape (height, width, 3), RGB.
        message: sent with every step.
        sound: of the whole video, if it has some; becomes AAC.

    Raises:
        RenderFailed: a frame of another type or shape, too few or too many of them.
        RenderCancelled: the job was cancelled.
    """
    render = _Render(recipe, ctx, message, SegmentWriter(recipe, ctx.workdir))
    render.sound = sound
    return render.run(frames, resumable=False)


def render_saved(recipe: Recipe, context: FrameContext, frames: Iterable[Any]) -> Artifact:
    """Encode frames that are made in order, by an engine that saves its own checkpoints.

    Args:
        recipe: sizes, frame rate and frame count.
        context: what the engine got; it may have frames of an earlier attempt.
        frames: all frames after those.

    Raises:
        RenderFailed, RenderCancelled: see `render_sequence`.
    """
    render = _Render(recipe, context.around, "", context.writer)
    render.own_progress = lambda: context.progress
    return render.run(frames, resumable=False)


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
    writer = SegmentWriter(recipe, ctx.workdir, _finished_segments(recipe, ctx))
    with closing(_made_ahead(frame_at, range(writer.num_frames, recipe.num_frames), threads)) as frames:
        return _Render(recipe, ctx, message, writer).run(frames, resumable=True)


def render_still(recipe: Recipe, ctx: RenderContext, make_image: Callable[[], Any], message: str = "") -> Artifact:
    """Make one image, and write it as a PNG that holds its recipe, with a JPEG as poster.

    Args:
        recipe: gives the size.
        ctx: receives a preview, and is asked for a cancel before and after the image is made.
        make_image: returns a uint8 array of shape (height, width, 3), RGB.
        message: sent with every step.

    Raises:
        RenderFailed: the image has another type or shape.
        RenderCancelled: the job was cancelled.
    """
    ctx.raise_if_cancelled()
    ctx.report(0, 1, "preparing", message)
    frame = _checked(make_image(), 0, recipe)
    ctx.preview(frame)
    ctx.report(1, 1, "finishing", message)
    ctx.raise_if_cancelled()
    still, poster = ctx.workdir / STILL_NAME, ctx.workdir / POSTER_NAME
    write_still(frame, still, file_tags(recipe))
    write_jpeg(frame, poster)
    size = {"width": recipe.width, "height": recipe.height}
    return Artifact(path=still, poster_path=poster, content_type="image/png", fps=0, num_frames=1, **size)


def read_input(recipe: Recipe) -> NDArray[np.uint8]:
    """Return the image that a recipe starts from: a uint8 array of shape (H, W, 3), RGB, of any size.

    Raises:
        RenderFailed: the file is missing, cannot be read, or is not the one that the recipe was made with.
    """
    return _read("input image", recipe.input_path, recipe.input_digest)


def read_last(recipe: Recipe) -> NDArray[np.uint8]:
    """Return the image that a recipe ends with; see `read_input`."""
    return _read("last frame", recipe.last_path, recipe.last_digest)


def _read(what: str, path: Path | None, digest: str | None) -> NDArray[np.uint8]:
    try:
        if path is None:
            raise FileNotFoundError
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                text = f"The {what} is not the one that was sent. Upload it again and start a new generation."
                raise RenderFailed(text, code="input_changed")
            file.seek(0)
            with Image.open(file) as image:
                return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError) as problem:
        text = f"The {what} cannot be read any more. Upload it again and start a new generation."
        raise RenderFailed(text, code="input_missing") from problem


def first_frame(frames: Iterable[Any]) -> Any:
    """Return the first frame that a frame function yields.

    Raises:
        RenderFailed: it yields none.
    """
    for frame in frames:
        return frame
    raise RenderFailed("Expected a frame, got none.", code="wrong_frame_count")


def _made_ahead(frame_at: Callable[[int], Any], indices: range, threads: int) -> Generator[Any]:
    """Yield the frames in order. With several threads, they are made a few ahead of the reader."""
    if threads <= 1:
        yield from map(frame_at, indices)
        return
    pool = ThreadPoolExecutor(threads, "frames")
    try:
        pending: deque[Future[Any]] = deque()
        for index in indices:
            # In the context of this thread, which decides whose log the output goes to.
            pending.append(pool.submit(copy_context().run, frame_at, index))
            # One more than the threads make at once: no thread waits while the reader encodes.
            if len(pending) > threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _finished_segments(recipe: Recipe, ctx: RenderContext) -> list[int]:
    """Number of frames in each whole segment that an earlier attempt of `render_at` has left."""
    count = min(int((ctx.checkpoint or {}).get("segments", 0)), -(-recipe.num_frames // recipe.fps))
    lengths = [min(recipe.fps, recipe.num_frames - number * recipe.fps) for number in range(count)]
    return usable_lengths(recipe, ctx, lengths)


def _checkpoint(recipe: Recipe, writer: SegmentWriter) -> dict[str, Any]:
    return {
        "segments": len(writer.lengths),
        "step": writer.num_frames,
        "recipe": recipe.digest,
        "encoder": ENCODER,
    }


def _checked(frame: Any, index: int, recipe: Recipe) -> NDArray[np.uint8]:
    """Return `frame` if it is a uint8 array of shape (height, width, 3)."""
    shape = (recipe.height, recipe.width, 3)
    if not isinstance(frame, np.ndarray):
        actual = f"{type(frame).__name__}. Convert it with numpy.asarray"
    elif frame.dtype != np.uint8:
        actual = f"{frame.dtype} of shape {frame.shape}. Scale it to 0..255 and convert it"
    elif frame.shape != shape:
        actual = f"shape {frame.shape}. Take recipe.height and recipe.width"
    else:
        return frame
    raise RenderFailed(f"Frame {index}: expected uint8 of shape {shape}, got {actual}.", code="wrong_frame")


class _Render:
    """One render of a recipe in the workdir of its context."""

    def __init__(self, recipe: Recipe, ctx: RenderContext, message: str, writer: SegmentWriter) -> None:
        self._recipe, self._ctx, self._message, self._writer = recipe, ctx, message, writer
        self._before = writer.num_frames
        self._last_preview = -PREVIEW_SECONDS
        self.own_progress: Callable[[], tuple[int, int] | None] = lambda: None
        """Step and total that the engine has reported itself; frames are no steps then."""
        self.sound: Sound | None = None

    def run(self, frames: Iterable[Any], *, resumable: bool) -> Artifact:
        """Encode all frames after those that the writer has. If `resumable`, save a checkpoint after each segment."""
        recipe, writer = self._recipe, self._writer
        self._report(writer.num_frames, "preparing")
        self._ctx.raise_if_cancelled()
        with writer:
            for frame in frames:
                if writer.num_frames == recipe.num_frames:
                    raise self._wrong_count("more")
                checked = _checked(frame, writer.num_frames, recipe)
                if writer.num_frames == recipe.num_frames - 1:
                    self._keep_last(checked)
                has_finished = writer.write(checked)
                if writer.num_frames == recipe.num_frames:
                    has_finished = writer.close_segment()
                self._preview(checked)
                self._report(writer.num_frames, "rendering")
                if has_finished and resumable:
                    self._ctx.save(_checkpoint(recipe, writer))
                self._ctx.raise_if_cancelled()
            if writer.num_frames < recipe.num_frames:
                raise self._wrong_count(writer.num_frames)
        return self._finish()

    def _report(self, step: int, stage: str) -> None:
        own = self.own_progress()
        if own is None:
            self._ctx.report(step, self._recipe.num_frames, stage, self._message)
        elif stage == "finishing":
            self._ctx.report(*own, stage, self._message)

    def _wrong_count(self, actual: object) -> RenderFailed:
        before = f", the {self._before} before the checkpoint included" if self._before else ""
        text = f"Expected {self._recipe.num_frames} frames (recipe.num_frames){before}, got {actual}."
        return RenderFailed(text, code="wrong_frame_count")

    def _keep_last(self, frame: NDArray[np.uint8]) -> None:
        """Write the last frame before its segment is finished: a later attempt does not make it again."""
        try:
            write_still(frame, self._ctx.workdir / LAST_NAME, {})
        except OSError as problem:
            if not is_disk_fault(problem):
                raise
            # A full disk costs only this file: the frame can be read from the video, with a loss.
            logger.warning("the last frame could not be written: %s", problem.strerror)

    def _preview(self, frame: NDArray[np.uint8]) -> None:
        now = time.monotonic()
        if now - self._last_preview >= PREVIEW_SECONDS:
            self._last_preview = now
            self._ctx.preview(frame)

    def _finish(self) -> Artifact:
        recipe, folder = self._recipe, self._ctx.workdir
        video, poster = folder / VIDEO_NAME, None
        self._report(recipe.num_frames, "finishing")
        join_segments(self._writer.paths(), video, file_tags(recipe), self.sound)
        try:
            write_poster(video, folder / POSTER_NAME)
            poster = folder / POSTER_NAME
        except OSError as problem:
            if not is_disk_fault(problem):
                raise
            # A full disk costs only the poster.
            logger.warning("the poster could not be written: %s", problem.strerror)
        shape = recipe.model_dump(include={"width", "height", "fps", "num_frames"})
        last = folder / LAST_NAME
        frames = {recipe.num_frames: last} if last.is_file() else {}
        return Artifact(path=video, poster_path=poster, frame_paths=frames, **shape)


def file_tags(recipe: Recipe) -> dict[str, str]:
    """The tags of a file that hold its recipe: the prompt in `title`, all of it as JSON in `comment`."""
    # Whoever gets the file must not learn paths of this machine.
    comment = recipe.model_dump_json(by_alias=True, exclude=set(PATHS))
    return {"title": " ".join(recipe.prompt.split())[:80], "comment": comment}
