"""From one frame to an artifact, and from the input image to an array."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from videogen.engines.base import Artifact, Recipe, RenderContext, RenderFailed
from videogen.engines.frames import POSTER_NAME, check_frame, describe_file
from videogen.media import write_jpeg, write_still

STILL_NAME: Final = "still.png"


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
    frame = check_frame(make_image(), 0, recipe)
    ctx.preview(frame)
    ctx.report(1, 1, "finishing", message)
    ctx.raise_if_cancelled()
    still, poster = ctx.workdir / STILL_NAME, ctx.workdir / POSTER_NAME
    write_still(frame, still, describe_file(recipe))
    write_jpeg(frame, poster)
    return Artifact(
        path=still,
        poster_path=poster,
        content_type="image/png",
        width=recipe.width,
        height=recipe.height,
        fps=0,
        num_frames=1,
    )


def first_frame(frames: Iterable[Any]) -> Any:
    """Return the first frame that a frame function yields.

    Raises:
        RenderFailed: it yields none.
    """
    for frame in frames:
        return frame
    raise RenderFailed("Expected a frame, got none.", code="wrong_frame_count")


def read_input(recipe: Recipe) -> NDArray[np.uint8]:
    """Return the image that a recipe starts from: a uint8 array of shape (H, W, 3), RGB, of any size.

    Raises:
        RenderFailed: the file is missing, cannot be read, or is not the one that the recipe was made with.
    """
    path = recipe.input_path
    try:
        if path is None:
            raise FileNotFoundError
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != recipe.input_digest:
                raise RenderFailed(
                    "The input image is not the one that was sent. Upload it again and start a new generation.",
                    code="input_changed",
                )
            file.seek(0)
            with Image.open(file) as image:
                return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError) as problem:
        raise RenderFailed(
            "The input image cannot be read any more. Upload it again and start a new generation.", code="input_missing"
        ) from problem
