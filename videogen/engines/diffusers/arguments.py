"""From a recipe to the arguments of a pipeline's call."""

from __future__ import annotations

from typing import Any

import torch
from PIL import Image, ImageOps

from videogen.engines.base import Recipe, RenderFailed
from videogen.engines.diffusers.families import Traits
from videogen.engines.diffusers.loading import LoadedPipeline
from videogen.engines.frames import read_input


def check_recipe(recipe: Recipe, traits: Traits) -> None:
    """Check what could not be known before the model was here.

    Raises:
        RenderFailed: the pipeline does not make this.
    """
    name = traits.pipeline
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


def call_arguments(loaded: LoadedPipeline, recipe: Recipe) -> tuple[dict[str, Any], Any]:
    """The arguments of the call, and the random generator among them.

    Raises:
        RenderFailed: the picture to start from cannot be read.
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
    if recipe.input_digest is not None:
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
    """The picture as the first frame, the last one, or both: cut to the shape of the video."""
    picture = ImageOps.fit(Image.fromarray(read_input(recipe)), (recipe.width, recipe.height), Image.Resampling.LANCZOS)
    where = recipe.settings.get("input_frame", "first")
    if where == "first":
        return {"image": picture}
    if traits.last_frame == "with_first":
        return {"image": picture, "last_image": picture}
    from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXVideoCondition

    indices = [0, recipe.num_frames - 1] if where == "both" else [recipe.num_frames - 1]
    return {"conditions": [LTXVideoCondition(image=picture, frame_index=index) for index in indices]}
