"""From a recipe to the arguments of a pipeline's call."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps

from videogen.engines.base import Recipe, RenderFailed
from videogen.engines.diffusers.families import UNSUPPORTED, Traits
from videogen.engines.diffusers.loading import LoadedPipeline
from videogen.engines.frames import read_input, read_last


def check_recipe(recipe: Recipe, traits: Traits) -> None:
    """Check what could not be known before the model was here.

    Raises:
        RenderFailed: the pipeline does not make this.
    """
    name = traits.pipeline
    if name in UNSUPPORTED:
        raise RenderFailed(f"{name} cannot be used: {UNSUPPORTED[name]}. Use another model.", code="wrong_type")
    if recipe.type != traits.kind:
        kinds = "images" if traits.kind == "image" else "videos"
        raise RenderFailed(f"{name} makes {kinds} only. Choose this type, and generate again.", code="wrong_type")
    width, height = traits.width_or_height(recipe.width), traits.width_or_height(recipe.height)
    if (width, height) != (recipe.width, recipe.height):
        text = (
            f"{name} makes sizes that are multiples of {traits.family.multiple}, not {recipe.width} x {recipe.height}. "
            f"Choose {width} x {height}."
        )
        raise RenderFailed(text, code="wrong_size")
    if recipe.type == "video" and (frames := traits.frames(recipe.num_frames)) != recipe.num_frames:
        text = (
            f"{name} makes {traits.family.frame_step} n + 1 frames, not {recipe.num_frames}. "
            f"Choose {frames / recipe.fps:.2f} seconds, which is {frames} frames."
        )
        raise RenderFailed(text, code="wrong_frame_count")
    if traits.first_frame == "required" and recipe.input_digest is None:
        raise RenderFailed(f"{name} starts from a picture. Add one, and generate again.", code="input_missing")
    if traits.needs_last and recipe.last_digest is None and recipe.settings.get("input_frame") != "both":
        text = "This model makes the frames between two pictures. Add a last frame, and generate again."
        raise RenderFailed(text, code="input_missing")


def call_arguments(loaded: LoadedPipeline, recipe: Recipe) -> tuple[dict[str, Any], Any]:
    """The arguments of the call, and the random generator among them.

    Raises:
        RenderFailed: a picture to start from or to end with cannot be read.
    """
    traits, settings = loaded.traits, recipe.settings
    # On the CPU: the same seed gives the same noise on any device.
    generator = torch.Generator("cpu").manual_seed(recipe.seed)
    offered: dict[str, Any] = {
        "prompt": recipe.prompt,
        "negative_prompt": recipe.negative_prompt or None,
        "width": recipe.width,
        "height": recipe.height,
        "num_inference_steps": settings.get("steps"),
        "frame_rate": recipe.fps,
        "use_resolution_binning": False,
        "output_type": "pt",
    }
    arguments = {name: value for name, value in offered.items() if traits.takes(name) and value is not None}
    arguments["generator"] = generator
    if traits.frames_argument:
        arguments[traits.frames_argument] = recipe.num_frames
    _guide(loaded, arguments, settings.get("guidance_scale"))
    if recipe.input_digest is not None or recipe.last_digest is not None:
        arguments |= _pictures(recipe, traits)
    return arguments | loaded.options.call, generator


def _guide(loaded: LoadedPipeline, arguments: dict[str, Any], scale: float | None) -> None:
    guider = getattr(loaded.pipe, "guider", None)
    if scale is None:
        return
    if loaded.traits.guidance_argument:
        arguments[loaded.traits.guidance_argument] = scale
    elif guider is not None and hasattr(guider, "guidance_scale"):
        guider.guidance_scale = scale


def _pictures(recipe: Recipe, traits: Traits) -> dict[str, Any]:
    """The pictures as the first frame and the last one, where there are two; else the one as either, or as both."""
    first = None if recipe.input_digest is None else _fitted(read_input(recipe), recipe)
    last = None if recipe.last_digest is None else _fitted(read_last(recipe), recipe)
    where = recipe.settings.get("input_frame", "first")
    if where != "first":
        first, last = first if where == "both" else None, first
    if last is None:
        return {"image": first}
    if traits.last_frame == "with_first":
        return {"image": first, "last_image": last}
    from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXVideoCondition

    places = [(first, 0), (last, recipe.num_frames - 1)]
    return {"conditions": [LTXVideoCondition(image=one, frame_index=index) for one, index in places if one]}


def _fitted(picture: NDArray[np.uint8], recipe: Recipe) -> Image.Image:
    """A picture cut to the shape of the video."""
    return ImageOps.fit(Image.fromarray(picture), (recipe.width, recipe.height), Image.Resampling.LANCZOS)
