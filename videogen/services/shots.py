"""Several shots in one prompt: one video, in which each shot goes on from the end of the one before."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from videogen.core.errors import InvalidRequestError
from videogen.engines.availability import capabilities_of
from videogen.engines.base import Engine, Recipe, RenderRequest
from videogen.schemas.generations import GenerationCreate
from videogen.services.extensions import DEFAULT_SECONDS, Origin
from videogen.services.span_recipes import part_recipe, whole_recipe

_BREAK: Final = re.compile(r"\n\s*\n")
_USUAL_FPS: Final = 24


@dataclass(frozen=True, slots=True)
class ShotPlan:
    """What one shot shows, and for how long; None: as long as the settings say."""

    prompt: str
    seconds: float | None = None


def prompts_of(create: GenerationCreate) -> list[str]:
    """The prompt of each shot: blank lines stand between them. An image has one.

    Raises:
        InvalidRequestError: a shot has no words.
    """
    whole = create.prompt.strip()
    prompts = [part.strip() for part in _BREAK.split(whole)] if create.type == "video" else [whole]
    if len(prompts) > 1:
        for number, prompt in enumerate(prompts, 1):
            check_words("prompt", prompt, number)
    return prompts


def check_words(field: str, prompt: str, number: int) -> None:
    """Raise InvalidRequestError if the prompt of a shot says nothing: no letter, digit or pictograph."""
    if not any(unicodedata.category(char)[0] in "LN" or unicodedata.category(char) == "So" for char in prompt):
        raise InvalidRequestError(field, f"a description of what should be seen in shot {number}", prompt or "nothing")


def divided(
    create: GenerationCreate, engine: Engine, max_seconds: float, origin: Origin | None
) -> tuple[list[ShotPlan], GenerationCreate]:
    """The shots of a request, and the request with the length of one of them. The length of all is divided evenly, in
    whole frames.

    Args:
        create: the request; its length is that of all shots.
        engine: renders them.
        max_seconds: how long a video may be.
        origin: the finished video that is kept before the shots.

    Raises:
        InvalidRequestError: a shot has no words, the engine cannot go on from a shot, or the length does not fit.
    """
    count = len(prompts := prompts_of(create))
    if count == 1:
        return [ShotPlan(prompts[0])], create
    if not capabilities_of(engine).extend:
        expected = f"one shot, a text without blank lines, since {engine.id} takes no image to go on from"
        raise InvalidRequestError("prompt", expected, f"{count} shots")
    usual = {info.alias or name: info.default for name, info in engine.settings.model_fields.items()}
    if "durationSeconds" not in usual:
        return [ShotPlan(prompt) for prompt in prompts], create
    asked = {name: value for name, value in create.settings.items() if value is not None}
    rate = _number(asked.get("fps")) or _number(usual.get("fps")) or _USUAL_FPS
    whole = asked.get("durationSeconds", _number(usual["durationSeconds"]) or DEFAULT_SECONDS)
    if not _number(whole):
        raise InvalidRequestError("settings.durationSeconds", "a number: the seconds of the whole", whole)
    frames = round(whole * rate)
    least, most = (bound * count for bound in _bounds(engine, rate))
    if not least <= frames <= most:
        before = origin.seconds if origin else 0.0
        low, high = before + least / rate, min(before + most / rate, max_seconds)
        expected = f"{low:g} to {high:g} seconds, with {count} shots of {least / count / rate:g} seconds or more"
        raise InvalidRequestError("settings.durationSeconds", expected, round(before + whole, 6))
    ends = [round(index * frames / count) for index in range(count + 1)]
    seconds = [round((end - start) / rate, 6) for start, end in pairwise(ends)]
    shots = [ShotPlan(*shot) for shot in zip(prompts, seconds, strict=True)]
    return shots, create.model_copy(update={"settings": create.settings | {"durationSeconds": seconds[0]}})


def _number(value: Any) -> float:
    """The number, or 0 where it is none."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) else 0.0


def _bounds(engine: Engine, rate: float) -> tuple[int, float]:
    """How many frames the engine makes at least and at most at once."""
    schema = engine.settings.model_json_schema(by_alias=True)["properties"]["durationSeconds"]
    options = [schema, *schema.get("anyOf", ())]
    least = max(_number(option.get("minimum")) for option in options)
    most = min(_number(option.get("maximum")) or math.inf for option in options)
    # A little less or more than a whole frame is a fault of floating point.
    return max(1, math.ceil(least * rate - 1e-6)), most if most == math.inf else math.floor(most * rate + 1e-6)


def shots_recipe(engine: Engine, request: RenderRequest, shots: Sequence[ShotPlan], origin: Origin | None) -> Recipe:
    """The recipe of all shots, after what is kept of another video; a single shot without that is no video in parts.

    Args:
        engine: renders them.
        request: of one shot; prompt and length are those of `shots`.
        shots: what each one shows.
        origin: the finished video that they go on from.

    Raises:
        pydantic.ValidationError: a setting is wrong.
        InvalidRequestError: the engine cannot make one of them.
    """
    parts: list[Recipe] = []
    before = origin.spans[-1].recipe if origin else None
    digest = origin.source.frame_digest or origin.source.digest if origin else request.input_digest
    for number, shot in enumerate(shots, 1):
        settings = dict(request.settings)
        if shot.seconds is not None:
            settings["durationSeconds"] = shot.seconds
        if parts and "seed" in settings:
            settings["seed"] = parts[0].seed
        update: dict[str, Any] = {"prompt": shot.prompt, "settings": settings}
        if number < len(shots):
            update["last_digest"] = None
        before = part_recipe(engine, request.model_copy(update=update), before, digest)
        digest = before.digest
        parts.append(before)
    if origin is None and len(parts) == 1:
        return parts[0]
    kept, source = (origin.spans_at(parts[0].fps), origin.source) if origin else ((), None)
    return whole_recipe(parts[0], kept, parts, source)
