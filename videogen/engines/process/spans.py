"""Renders a video in parts: each goes on from what is before it, and all become one file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from videogen.engines.base import Artifact, Engine, Recipe, RenderFailed, Span
from videogen.engines.process.context import ChildContext
from videogen.engines.process.result import make_playable
from videogen.engines.registry import process_policy
from videogen.schemas.engines import Cost

_VIDEO: Final = "video.mp4"
_FRAME: Final = "frame.png"
_LOOK: Final = "look"
_COSTS: Final = "costs"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a span is: its index, its first frame in the whole, and how many rendered frames come before it."""

    index: int
    start: int
    rendered: int


class SpanContext(ChildContext):
    """The context of the engine for one span: a work folder of its own, and its share of progress and checkpoints."""

    def __init__(
        self, around: ChildContext, recipe: Recipe, place: _Place, totals: tuple[int, int], costs: dict[int, Cost]
    ) -> None:
        """
        Args:
            around: the context of the whole.
            recipe: of the span.
            place: of the span.
            totals: how many frames are rendered in all, and how many spans there are; 0: they are not numbered.
            costs: what each span costs, by its index; it is kept up to date.
        """
        self._around, self._place, self._totals, self._costs = around, place, totals, costs
        self._recipe = recipe
        stored = around.checkpoint or {}
        is_own = stored.get("span") == place.index and isinstance(stored.get("data"), dict)
        look = {_LOOK: True} if stored.get(_LOOK) else {}
        self.checkpoint = ((stored["data"] if is_own else {}) | look) or None
        self.workdir, self.attempt = around.workdir / f"span{place.index}", around.attempt
        self.workdir.mkdir(parents=True, exist_ok=True)
        self.job = around.job.model_copy(update={"recipe": recipe, "workdir": self.workdir})
        self.cancelled = around.cancelled

    def report(self, step: int, total: int, stage: str, message: str = "", *, estimated: bool = False) -> None:
        """In the frames of the whole; the message says which of several shots it is."""
        if self._totals[1]:
            shot = f"Shot {self._place.index + 1} of {self._totals[1]}"
            message = f"{shot}: {message}" if message else shot
        self._around.report(self._step(step, total), self._totals[0], stage, message, estimated=estimated)
        self.step = self._around.step

    def _step(self, step: int, total: int) -> int:
        share = min(max(step / total, 0.0), 1.0) if total > 0 else 0.0
        return self._place.rendered + int(share * self._recipe.num_frames)

    def save(self, checkpoint: dict[str, Any]) -> None:
        step = checkpoint.get("step")
        whole = self._step(step, self._recipe.num_frames) if isinstance(step, int) else self._around.step
        costs = _stored_costs(self._costs)
        self._around.save({"span": self._place.index, "data": checkpoint, "step": whole} | costs)

    def spent(self, cost: Cost) -> None:
        """The cost of all spans together; of this one alone where there is no sum."""
        self._costs[self._place.index] = cost
        self._around.spent(Cost.sum_of(list(self._costs.values())) or cost)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._around, name)


class SpanRenderer:
    """Renders the spans of one recipe."""

    def __init__(self, engine: Engine, context: ChildContext) -> None:
        self._engine, self._context, self._recipe = engine, context, context.job.recipe
        self._is_foreign = process_policy(context.job.engine).mode == "concurrent"
        self._frames: dict[int, Path] = {}
        stored = (context.checkpoint or {}).get(_COSTS, {})
        self._costs = {int(index): Cost(**cost) for index, cost in stored.items()}

    def render(self) -> Artifact:
        """Render what is not kept, one after the other, and join it with what is.

        Raises:
            RenderEnd: one of its subclasses says why there is no artifact.
            BrokenMediaError: the source cannot be read.
            OSError, StorageError: see `make_playable`.
        """
        # Imported here: it imports numpy and av, and a process that waits for its first job has no use for them.
        from videogen.media.join import Piece

        pieces: list[Piece] = []
        total = sum(span.num_frames for span in self._recipe.spans if span.kept_from is None)
        start = rendered = 0
        for index, span in enumerate(self._recipe.spans):
            if span.kept_from is not None:
                piece = Piece(str(self._source()), span.kept_from, span.num_frames)
            else:
                place = _Place(index, start, rendered)
                piece = Piece(str(path := self._span(span, place, total, pieces)), 0, self._frames_of(path, span))
                rendered += span.num_frames
            pieces.append(piece)
            start += piece.count
        return self._joined(_merged(pieces), total)

    def _frames_of(self, path: Path, span: Span) -> int:
        """How many frames a rendered file has: as planned, unless its engine has chosen another length."""
        from videogen.media.probe import probe

        real = round(probe(path).duration_seconds * self._recipe.fps)
        return span.num_frames if abs(real - span.num_frames) <= max(6, 0.1 * span.num_frames) else real

    def _source(self) -> Path:
        path, wanted = self._recipe.source_path, self._recipe.source
        if path is None or wanted is None or not path.is_file():
            text = "The video that this one goes on from cannot be read any more. Extend it again."
            raise RenderFailed(text, code="source_missing")
        return path

    def _span(self, span: Span, place: _Place, total: int, pieces: Sequence[Any]) -> Path:
        """The file of a span that is rendered here. What an earlier attempt has finished is not made again."""
        recipe = span.recipe
        if recipe is None:
            raise RenderFailed("A part of this video has no recipe. Submit it again.", code="bad_recipe")
        if recipe.input_digest is not None and place.index > 0:
            frame = self._frame_at(place.start, pieces)
            update = {"input_path": frame, "input_digest": hashlib.sha256(frame.read_bytes()).hexdigest()}
            recipe = recipe.model_copy(update=update)
        else:
            recipe = recipe.model_copy(update={"input_path": self._recipe.input_path})
        recipe = recipe.model_copy(update={"last_path": self._recipe.last_path})
        shots = len(self._recipe.spans) if self._has_shots() else 0
        context = SpanContext(self._context, recipe, place, (total, shots), self._costs)
        video, frame = context.workdir / _VIDEO, context.workdir / _FRAME
        end = place.start + span.num_frames
        if (self._context.checkpoint or {}).get("span", 0) <= place.index or not video.is_file():
            made = make_playable(self._engine.render(recipe, context), context)
            made.path.replace(video)
            if kept := next(iter(made.frame_paths.values()), None):
                kept.replace(frame)
            if place.index + 1 < len(self._recipe.spans):
                step = place.rendered + span.num_frames
                self._context.save({"span": place.index + 1, "step": step} | _stored_costs(self._costs))
        if frame.is_file():
            self._frames[end] = frame
        return video

    def _has_shots(self) -> bool:
        """Whether several parts are rendered here; else it is one, after what is kept."""
        return sum(span.kept_from is None for span in self._recipe.spans) > 1

    def _frame_at(self, end: int, pieces: Sequence[Any]) -> Path:
        """The last frame before `end`: lossless where it was kept, else as it is in the video."""
        from videogen.media.join import write_frame

        if end in self._frames:
            return self._frames[end]
        kept = self._recipe.source_frame_path
        path = self._context.workdir / f"start{end}.png"
        if kept is not None and pieces[-1].path == str(self._recipe.source_path):
            self._frames[end] = path
            path.write_bytes(kept.read_bytes())
            return path
        if not path.is_file():
            last = pieces[-1].first + pieces[-1].count - 1
            write_frame(Path(pieces[-1].path), last, self._recipe.fps, path, is_foreign=self._is_foreign)
        return path

    def _joined(self, pieces: Sequence[Any], total: int) -> Artifact:
        from videogen.engines.frames import POSTER_NAME, VIDEO_NAME, file_tags
        from videogen.media.encode import VideoShape
        from videogen.media.image import write_poster
        from videogen.media.join import Join, join

        context, recipe = self._context, self._recipe
        folder = context.workdir
        context.report(total, total, "joining")

        def watch(_done: object) -> None:
            context.raise_if_cancelled()
            context.alive()

        shape = VideoShape(recipe.width, recipe.height, recipe.fps)
        tags = file_tags(recipe)
        video = folder / VIDEO_NAME
        job = Join(tuple(pieces), str(video), shape, str(folder / "joined"), tags)
        join(job, watch, is_foreign=self._is_foreign)
        write_poster(video, folder / POSTER_NAME)
        count = sum(piece.count for piece in pieces)
        # Where it is not as planned, an engine has chosen the length; then the file alone knows.
        values = {"fps": recipe.fps, "num_frames": count if count == recipe.num_frames else 0}
        size = {"width": recipe.width, "height": recipe.height}
        return Artifact(path=video, poster_path=folder / POSTER_NAME, frame_paths=self._frames, **size, **values)


def _stored_costs(costs: Mapping[int, Cost]) -> dict[str, Any]:
    """The costs of the spans as a part of a checkpoint."""
    return {_COSTS: {str(index): cost.model_dump(mode="json") for index, cost in costs.items()}} if costs else {}


def _merged(pieces: Sequence[Any]) -> list[Any]:
    """The pieces, of which those that follow each other in one file become one."""
    merged: list[Any] = []
    for piece in pieces:
        if merged and (last := merged[-1]).path == piece.path and last.first + last.count == piece.first:
            merged[-1] = replace(last, count=last.count + piece.count)
        else:
            merged.append(piece)
    return merged
