"""Writes the frames of a render into segment files, and keeps them with an engine's own checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from videogen.core.atomic_files import replacing
from videogen.engines.base import Recipe, RenderContext
from videogen.media.encode import ENCODER, SegmentEncoder, VideoShape
from videogen.media.probe import BrokenMediaError, probe


class SegmentWriter:
    """Writes frames into segment files. Each is closed after one second of video, or earlier by `close_segment`.

    A context manager: the last segment is complete when the block ends without an error, and removed otherwise.
    """

    def __init__(self, recipe: Recipe, workdir: Path, lengths: Sequence[int] = ()) -> None:
        """Go on after finished segments.

        Args:
            recipe: gives size and frame rate.
            workdir: of the render; the segments are in a folder of it.
            lengths: number of frames in each finished segment; see `usable_lengths`.
        """
        self._shape = VideoShape(recipe.width, recipe.height, recipe.fps)
        self._workdir = workdir
        self.lengths = list(lengths)
        """Number of frames in each finished segment."""
        self._stack = ExitStack()
        self._encoder: SegmentEncoder | None = None
        self._count = 0

    @property
    def num_frames(self) -> int:
        """Number of all frames that were written, those of earlier attempts included."""
        return sum(self.lengths) + self._count

    def paths(self) -> list[Path]:
        """The files of the finished segments, in order."""
        return [segment_path(self._workdir, number) for number in range(len(self.lengths))]

    def write(self, frame: NDArray[np.uint8]) -> bool:
        """Write a frame: uint8 of shape (height, width, 3), RGB. Return whether a segment is finished with it."""
        if self._encoder is None:
            path = segment_path(self._workdir, len(self.lengths))
            path.parent.mkdir(parents=True, exist_ok=True)
            part = self._stack.enter_context(replacing(path))
            self._encoder = self._stack.enter_context(SegmentEncoder(part, self._shape))
        self._encoder.write(frame)
        self._count += 1
        return self._count == self._shape.fps and self.close_segment()

    def close_segment(self) -> bool:
        """Finish the open segment, if there is one, so that it is durable. Return True."""
        if self._encoder is not None:
            self._encoder = None
            self._stack.close()
            self.lengths.append(self._count)
            self._count = 0
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close_segment()
        else:
            self._stack.__exit__(kind, error, trace)


def segment_path(workdir: Path, number: int) -> Path:
    """The file of a segment."""
    return workdir / "segments" / f"{number:05}.mp4"


def usable_lengths(recipe: Recipe, ctx: RenderContext, lengths: Sequence[int]) -> list[int]:
    """Of the segments that the checkpoint of `ctx` names, those up to the first that does not fit it.

    Args:
        recipe: must be that of the checkpoint.
        ctx: its checkpoint has the digest of its recipe and its encoder.
        lengths: number of frames in each segment of the checkpoint.
    """
    checkpoint = ctx.checkpoint or {}
    if (checkpoint.get("recipe"), checkpoint.get("encoder")) != (recipe.digest, ENCODER):
        return []
    usable: list[int] = []
    for number, length in enumerate(lengths):
        try:
            found = probe(segment_path(ctx.workdir, number))
        except BrokenMediaError:
            break
        if (found.width, found.height, found.num_frames) != (recipe.width, recipe.height, length):
            break
        usable.append(length)
    return usable


class FrameContext:
    """The context of an engine that yields frames: a checkpoint that it saves includes the frames yielded before.

    All else is that of the `RenderContext` around which it is made.
    """

    def __init__(self, recipe: Recipe, ctx: RenderContext) -> None:
        stored = ctx.checkpoint or {}
        lengths = stored.get("lengths", [])
        usable = usable_lengths(recipe, ctx, lengths)
        is_own = stored.get("recipe") == recipe.digest and usable == lengths
        self.checkpoint: dict[str, Any] | None = stored.get("data") if is_own else None
        """What the engine saved last, in an earlier attempt; None where there is nothing to go on from."""
        self.writer = SegmentWriter(recipe, ctx.workdir, usable if self.checkpoint is not None else ())
        self.progress: tuple[int, int] | None = None
        """Step and total that the engine has reported itself; None: its frames are its steps."""
        self._recipe, self.around = recipe, ctx

    def report(self, step: int, total: int, stage: str, message: str = "", *, estimated: bool = False) -> None:
        """See `RenderContext.report`. From the first call on, frames that are yielded do not count as steps."""
        self.progress = step, total
        self.around.report(step, total, stage, message, estimated=estimated)

    def save(self, checkpoint: dict[str, Any]) -> None:
        """Keep a checkpoint of JSON values, and the frames that were yielded so far. Durable on return.

        The next attempt finds it in `ctx.checkpoint`, and yields the frames after those.
        """
        self.writer.close_segment()
        frames = self.writer.num_frames
        self.around.save(
            {
                "data": checkpoint,
                "lengths": self.writer.lengths,
                "step": checkpoint.get("step", frames),
                "recipe": self._recipe.digest,
                "encoder": ENCODER,
            }
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self.around, name)
