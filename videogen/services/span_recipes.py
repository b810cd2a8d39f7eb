"""The recipes of the parts of a video, and of all of them together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from videogen.engines.base import Engine, Recipe, RenderRequest, Source, Span
from videogen.schemas.generations import Join, Understanding

SHOT_BREAK: Final = "\n\n"
"""Between the shots of a prompt."""


def part_recipe(engine: Engine, request: RenderRequest, before: Recipe | None, digest: str | None) -> Recipe:
    """The recipe of a part that goes on from another one: natively where the engine can, else from its last frame.

    Args:
        engine: renders it.
        request: of the part alone.
        before: of the part before, if that is known.
        digest: stands for the last frame before it, which may not have been rendered yet; None: there is none.
    """
    request = request.model_copy(update={"input_digest": digest})
    extend = getattr(engine, "extend", None)
    made: Recipe = engine.normalise(request) if extend is None or before is None else extend(request, before)
    # An engine may write its own name, and have another id in an engine file; and its workers may have another version.
    return made.model_copy(update={"engine": engine.id, "engine_version": engine.version})


def whole_recipe(
    first: Recipe,
    kept: Sequence[Span],
    parts: Sequence[Recipe],
    source: Source | None = None,
    after: Sequence[Span] = (),
) -> Recipe:
    """The recipe of a video of several parts: kept ones, those to be rendered, and kept ones `after` them; `first`
    gives all else."""
    added: list[Span] = []
    for part in parts:
        added.append(new_span(part, first.fps, is_first=not (kept or added)))
    spans = (*kept, *added, *after)
    update = {
        "prompt": SHOT_BREAK.join(part.prompt for part in parts),
        "input_digest": None if kept else first.input_digest,
        "last_digest": parts[-1].last_digest,
        "understanding": merged(part.understanding for part in parts),
        "source": source,
        "spans": spans,
        "num_frames": sum(span.num_frames for span in spans),
    }
    return first.model_copy(update=update)


def new_span(part: Recipe, fps: int, *, is_first: bool) -> Span:
    """The span of a part that is to be rendered, in a video of `fps` frames a second."""
    join: Join = "start" if is_first else "motion" if part.input_digest is None else "picture"
    frames = max(1, round(part.num_frames * fps / part.fps))
    return Span(num_frames=frames, join=join, prompt=part.prompt, recipe=part)


def merged(parts: Iterable[Understanding | None]) -> Understanding | None:
    """What was understood of several prompts; None where nothing is known of any."""
    known = [part for part in parts if part is not None]
    if len(known) < 2:
        return known[0] if known else None
    names = ("understood", "ignored", "unused", "not_drawn")
    values: dict[str, Any] = {
        name: tuple(dict.fromkeys(value for part in known for value in getattr(part, name))) for name in names
    }
    return Understanding(**values, abstract=all(part.abstract for part in known))
