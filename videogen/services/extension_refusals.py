"""Why an engine cannot go on from a video, in one line about what was asked for."""

from __future__ import annotations

from pydantic import ValidationError

from videogen.core.errors import InvalidRequestError
from videogen.engines.base import Engine, Recipe
from videogen.schemas.generations import GenerationCreate
from videogen.services.extensions import Origin


def check_size(recipe: Recipe, origin: Origin | None, create: GenerationCreate, engine: Engine) -> None:
    """Raise InvalidRequestError if the engine cannot make the size of the source, and the request names no other."""
    names = {info.alias or name for name, info in engine.settings.model_fields.items()}
    if origin is None or not {"width", "height"} <= names or {"width", "height"} & create.settings.keys():
        return
    wanted = (origin.width // 2 * 2, origin.height // 2 * 2)
    if (recipe.width, recipe.height) != wanted:
        expected = f"a video of a size that {engine.id} can make, such as {recipe.width} x {recipe.height}"
        raise InvalidRequestError("extend", expected, f"{origin.width} x {origin.height}")


def extension_error(
    problem: ValidationError, create: GenerationCreate, origin: Origin, engine_id: str
) -> InvalidRequestError | None:
    """The error for a size of the source, or a length of what is added, that the engine's settings do not take; None
    for another error."""
    errors = {str(error["loc"][0]): error for error in problem.errors() if error["loc"]}
    if errors.keys() & {"width", "height"} and not {"width", "height"} & create.settings.keys():
        return InvalidRequestError(
            "extend", f"a video of a size that {engine_id} can make", f"{origin.width} x {origin.height}"
        )
    if (error := errors.get("durationSeconds")) is None:
        return None
    bounds = {"ge": "at least", "le": "at most"}
    for name, words in bounds.items():
        if (bound := error.get("ctx", {}).get(name)) is not None:
            expected = f"the {origin.seconds:g} seconds of the video that it goes on from and {words} {bound:g} more"
            got = create.settings.get("durationSeconds") or round(origin.seconds + error["input"], 3)
            return InvalidRequestError("settings.durationSeconds", expected, got)
    return None
