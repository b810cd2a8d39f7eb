"""What a function or a class of an author gives back: frames, the path of a file, or an artifact."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

from videogen.engines.base import Artifact, Recipe, RenderContext, RenderFailed
from videogen.engines.frames import POSTER_NAME, first_frame, read_input, read_last, render_saved, render_still
from videogen.engines.segments import FrameContext
from videogen.media.image import probe_image, write_poster
from videogen.media.probe import BrokenMediaError, probe
from videogen.media.types import CONTENT_TYPES


def input_values(recipe: Recipe, names: Collection[str]) -> dict[str, Any]:
    """The values of the parameters for the images to start from and to end with, of those that are in `names`."""
    has_image, has_last = recipe.input_digest is not None, recipe.last_digest is not None
    makers: dict[str, Callable[[], Any]] = {
        "image": lambda: read_input(recipe) if has_image else None,
        "image_path": lambda: recipe.input_path if has_image else None,
        "last_image": lambda: read_last(recipe) if has_last else None,
        "last_image_path": lambda: recipe.last_path if has_last else None,
    }
    return {name: make() for name, make in makers.items() if name in names}


def render_outcome(name: str, recipe: Recipe, ctx: RenderContext, call: Callable[[Any], Any]) -> Artifact:
    """Call an author's function with a context, and make an artifact of what it gives.

    Args:
        name: of the engine, for messages.
        recipe: what is rendered.
        ctx: of the render; the function gets a `FrameContext` around it.
        call: takes the context; returns frames (any iterable), a path, or an artifact.

    Raises:
        RenderFailed: it gives something else.
    """
    context = FrameContext(recipe, ctx)
    result = call(context)
    if isinstance(result, Artifact):
        return result
    if isinstance(result, str | os.PathLike):
        return file_artifact(Path(result), recipe, ctx)
    if not isinstance(result, Iterable):
        raise RenderFailed(
            f"Engine {name}: expected a function that yields frames, got one that returns {type(result).__name__}. "
            "Use `yield`, or return an iterable of frames or the path of a file."
        )
    if recipe.type == "image":
        return render_still(recipe, ctx, lambda: first_frame(result))
    return render_saved(recipe, context, result)


def file_artifact(path: Path, recipe: Recipe, ctx: RenderContext) -> Artifact:
    """The artifact of a file that an engine has made, with a poster. A file elsewhere is copied into the workdir.

    Raises:
        RenderFailed: there is no such file.
        BrokenMediaError: it is not a whole picture.
    """
    path = ctx.workdir / path
    if not path.is_file():
        raise RenderFailed(f"Expected the path of a file that render() has made, got {path}.", code="bad_artifact")
    if not path.resolve().is_relative_to(ctx.workdir.resolve()):
        path = Path(shutil.copyfile(path, ctx.workdir / path.name))
    content_type = CONTENT_TYPES.get(path.suffix[1:].lower(), "video/mp4")
    if content_type.startswith("image/"):
        width, height = probe_image(path)
        return Artifact(path=path, content_type=content_type, width=width, height=height, fps=0, num_frames=1)
    shape = recipe.model_dump(include={"width", "height", "fps", "num_frames"})
    poster: Path | None = None
    try:
        found = probe(path)
        write_poster(path, ctx.workdir / POSTER_NAME)
        poster = ctx.workdir / POSTER_NAME
        shape = {"width": found.width, "height": found.height, "fps": round(found.fps), "num_frames": found.num_frames}
    except BrokenMediaError:
        pass  # who called `render` looks at each file, and says what is wrong with it
    return Artifact(path=path, poster_path=poster, content_type=content_type, **shape)
