"""The settings that every video engine has, and how they become a recipe."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field

from videogen.core.errors import InvalidRequestError
from videogen.engines.base import Recipe
from videogen.schemas.base import Model

if TYPE_CHECKING:
    from videogen.engines.base import Engine, RenderRequest

MAX_SEED: Final = 2**53 - 1
"""The largest whole number that JavaScript represents exactly."""

Seed = Annotated[int, Field(strict=True, ge=0, le=MAX_SEED)]


class VideoSettings(Model):
    """Size, length and seed. A subclass adds an engine's own fields. The page's form shows `group` and `unit`."""

    width: int = Field(
        default=512, ge=64, le=3840, strict=True, title="Width",
        description="Rounded down to an even number.",
        json_schema_extra={"group": "Size", "unit": "px"},
    )  # fmt: skip
    height: int = Field(
        default=288, ge=64, le=2160, strict=True, title="Height",
        description="Rounded down to an even number.",
        json_schema_extra={"group": "Size", "unit": "px"},
    )  # fmt: skip
    duration_seconds: float = Field(
        default=4.0, ge=0.5, le=60, allow_inf_nan=False, strict=True, title="Duration",
        description="Length of the video; rounded to whole frames.",
        json_schema_extra={"group": "Time", "unit": "s"},
    )  # fmt: skip
    fps: int = Field(
        default=24, ge=1, le=60, strict=True, title="Frame rate",
        description="Frames in one second.",
        json_schema_extra={"group": "Time", "unit": "fps"},
    )  # fmt: skip
    seed: Seed | None = Field(
        default=None, title="Seed",
        description="The same seed gives the same video. Leave it empty for a random one.",
        json_schema_extra={"group": "Variation"},
    )  # fmt: skip


def video_recipe(engine: Engine, request: RenderRequest) -> Recipe:
    """Normalise a request for an engine whose `settings` is a `VideoSettings`.

    Sizes are rounded down to even numbers, and the length to whole frames (at least one). A seed is drawn if none is
    given. The fields of a subclass are in `recipe.settings`, under their Python names. An image is one frame, whatever
    length and frame rate are given.

    Raises:
        pydantic.ValidationError: the settings are not valid for this engine.
        InvalidRequestError: the engine cannot make the type of the request.
    """
    types = engine.probe().types
    if request.type not in types:
        raise InvalidRequestError("type", f"{' or '.join(types)}, which is what engine {engine.id} makes", request.type)
    settings = engine.settings.model_validate(request.settings)
    if not isinstance(settings, VideoSettings):
        raise TypeError(f"{engine.id}.settings: expected a subclass of VideoSettings, got {engine.settings}")
    is_video = request.type == "video"
    return Recipe(
        type=request.type,
        engine=engine.id,
        engine_version=engine.version,
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        seed=secrets.randbelow(MAX_SEED + 1) if settings.seed is None else settings.seed,
        width=settings.width // 2 * 2,
        height=settings.height // 2 * 2,
        fps=settings.fps if is_video else _default_fps(engine),
        num_frames=max(1, round(settings.duration_seconds * settings.fps)) if is_video else 1,
        settings=settings.model_dump(mode="json", exclude=set(VideoSettings.model_fields)),
        input_digest=request.input_digest,
        last_digest=request.last_digest,
    )


def _default_fps(engine: Engine) -> int:
    default = engine.settings.model_fields["fps"].default
    return default if isinstance(default, int) else 24
