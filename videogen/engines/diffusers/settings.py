"""The settings of a model: the form's fields, with the defaults and bounds of its pipeline and of its operator."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import Field, create_model
from pydantic.fields import FieldInfo

from videogen.core.errors import InvalidRequestError
from videogen.engines.base import Recipe, RenderRequest
from videogen.engines.diffusers.families import Traits
from videogen.engines.diffusers.options import DiffusersOptions
from videogen.engines.settings import VideoSettings

NO_LORA: Final = "none"
_MAX_STEPS: Final = 200
_SAMPLING: Final[dict[str, Any]] = {"group": "Sampling"}


def settings_model(traits: Traits, options: DiffusersOptions) -> type[VideoSettings]:
    """The settings of one model, as a subclass of `VideoSettings`."""
    fields = _size_and_time(traits) | _sampling(traits) | _lora(options)
    if traits.last_frame != "no":
        fields["input_frame"] = _input_frame(traits)
    return create_model("DiffusersSettings", __base__=VideoSettings, **fields)


def _size_and_time(traits: Traits) -> dict[str, Any]:
    family, base = traits.family, VideoSettings.model_fields
    rounded = f"Rounded down to a multiple of {family.multiple}."
    fields: dict[str, Any] = {
        "width": (int, _changed(base["width"], family.size[0], rounded)),
        "height": (int, _changed(base["height"], family.size[1], rounded)),
    }
    if traits.kind == "video":
        length = f"Length of the video; rounded to {family.frame_step} n + 1 frames."
        seconds = min(60.0, max(0.5, round(family.frames / family.fps, 2)))
        fields["duration_seconds"] = (float, _changed(base["duration_seconds"], seconds, length))
        fields["fps"] = (int, _changed(base["fps"], family.fps, "Frames in one second."))
    return fields


def _changed(field: FieldInfo, default: Any, description: str) -> FieldInfo:
    """A field of `VideoSettings` with another default and description; its bounds and title stay."""
    return FieldInfo.merge_field_infos(field, default=default, description=description)


def _sampling(traits: Traits) -> dict[str, Any]:
    family = traits.family
    fields: dict[str, Any] = {}
    if traits.parameters is None or traits.takes("num_inference_steps"):
        text = "More steps are finer and slower."
        number = Field(default=family.steps, ge=1, le=_MAX_STEPS, strict=True, title="Steps", description=text,
                       json_schema_extra=_SAMPLING)  # fmt: skip
        fields["steps"] = (int, number)
    if traits.has_guidance:
        text = "How closely the result follows the prompt."
        scale = Field(default=family.guidance, ge=0, le=30, allow_inf_nan=False, title="Guidance", description=text,
                      json_schema_extra=_SAMPLING)  # fmt: skip
        fields["guidance_scale"] = (float, scale)
    return fields


def _input_frame(traits: Traits) -> Any:
    extra: dict[str, Any] = {
        "group": "Picture",
        "labels": {"first": "First frame", "last": "Last frame", "both": "First and last"},
    }
    text = "Where your picture is in the video; as both, the video can be looped."
    field = Field(default="first", title="Picture is the", description=text, json_schema_extra=extra)
    choices: Any = Literal["first", "last", "both"] if traits.last_frame == "alone" else Literal["first", "both"]
    return choices, field


def _lora(options: DiffusersOptions) -> dict[str, Any]:
    if not options.loras:
        return {}
    choices: Any = Literal[(NO_LORA, *(lora.name for lora in options.loras))]
    extra: dict[str, Any] = {"group": "LoRA"}
    return {
        "lora": (choices, Field(default=NO_LORA, title="LoRA", description="A change of style or subject.",
                                json_schema_extra=extra)),
        "lora_weight": (float | None, Field(default=None, ge=-4, le=4, allow_inf_nan=False, title="LoRA weight",
                                            description="Empty: as strong as intended.", json_schema_extra=extra)),
    }  # fmt: skip


def normalised(recipe: Recipe, request: RenderRequest, traits: Traits) -> Recipe:
    """A recipe with the size and the number of frames that the pipeline will make.

    Raises:
        InvalidRequestError: the pipeline starts from a picture, and there is none; or two pictures are the last frame.
    """
    if traits.first_frame == "required" and request.input_digest is None:
        expected = f"a picture of yours, since {traits.pipeline} starts from one"
        raise InvalidRequestError("inputFileId", expected, None)
    where = recipe.settings.get("input_frame", "first")
    if traits.needs_last and request.last_digest is None and where != "both":
        expected = "a picture of yours, since this model makes the frames between two; or settings.inputFrame as both"
        raise InvalidRequestError("lastFrameFileId", expected, None)
    if request.last_digest is not None and where != "first":
        raise InvalidRequestError("settings.inputFrame", "first, since another picture is the last frame", where)
    return recipe.model_copy(
        update={
            "width": traits.width_or_height(recipe.width),
            "height": traits.width_or_height(recipe.height),
            "num_frames": traits.frames(recipe.num_frames) if recipe.type == "video" else 1,
        }
    )


def pinned_lora(recipe: Recipe, options: DiffusersOptions) -> dict[str, Any]:
    """The setting for the LoRA's weight, so that a later change of the options changes no recipe."""
    weights = {lora.name: lora.weight for lora in options.loras}
    name, weight = recipe.settings.get("lora"), recipe.settings.get("lora_weight")
    if name is None:
        return {}
    return {"lora_weight": None if name == NO_LORA else weights[name] if weight is None else weight}
