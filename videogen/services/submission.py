"""Checks a request against its engine and the app's limits, and makes its recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, cast

import orjson
from pydantic import ValidationError

from videogen.core.config import AppConfig
from videogen.core.errors import InvalidRequestError
from videogen.core.security import new_id
from videogen.core.validation import invalid_request
from videogen.db.tables import GenerationRow, ProjectRow
from videogen.engines.availability import capabilities_of
from videogen.engines.base import PATHS, Engine, Recipe, RenderRequest
from videogen.engines.presets import preset_infos
from videogen.schemas.base import why_not_plain
from videogen.schemas.engines import EngineInfo
from videogen.schemas.generations import GenerationCreate, GenerationType
from videogen.services.engine_choice import chosen_engine, default_engine
from videogen.services.extension_refusals import check_size, extension_error
from videogen.services.extensions import Origin, extended
from videogen.services.shots import divided, shots_recipe


@dataclass(frozen=True, slots=True)
class CheckedRequest:
    """A request that passed every check."""

    type: str
    settings: dict[str, Any]
    recipe: Callable[[int | None], Recipe]
    """Makes the recipe for a seed; for None it draws one."""
    seed: int | None = None
    images: Mapping[str, Any] = field(default_factory=dict)
    """The uploads that it uses, by the columns of a generation."""
    files: Mapping[str, str] = field(default_factory=dict)
    """The storage keys of what it keeps of another video, by kind."""
    extends: str | None = None


IMAGES: Final = {"input_file_id": "input_digest", "last_frame_file_id": "last_digest"}
"""The fields of a request that name an image, and those of a recipe that have its digest."""


def check_request(
    create: GenerationCreate,
    engines: Mapping[str, Engine],
    config: AppConfig,
    digest_of: Callable[[str, str], str],
    origin: Origin | None = None,
) -> CheckedRequest:
    """Check a request against its engine and the app's limits.

    Args:
        digest_of: the SHA-256 of the image that a field of `IMAGES` names, by the field and the image's id.
        origin: the finished video that it goes on from.

    Raises:
        InvalidRequestError: a field is wrong; the error names field, expected and got.
    """
    asked = create
    if origin is not None:
        create = create.model_copy(update={"engine": create.engine or origin.request.engine})
        create = extended(create, origin, chosen_engine(create, engines, config), config)
    check_texts(create, config)
    engine = chosen_engine(create, engines, config)
    shots, create = divided(create, engine, config.max_seconds, origin)

    refused = partial(_refused, asked, origin, engine.id)
    settings, fixed = checked_settings(engine, create, refused), _fixed(create, digest_of)

    def recipe(seed: int | None) -> Recipe:
        request = RenderRequest(**fixed, settings=_with_seed(settings, seed))
        try:
            return shots_recipe(engine, request, shots, origin)
        except ValidationError as problem:  # a seed after the given one may be beyond the largest
            raise refused(problem) from None

    first = recipe(settings.get("seed") or 0)
    check_limits(first, config)
    check_size(first, origin, asked, engine)
    kept: dict[str, Any] = {"files": origin.files if origin else {}, "extends": create.extend}
    return CheckedRequest(create.type, settings, recipe, settings.get("seed"), **kept)


def _refused(
    asked: GenerationCreate, origin: Origin | None, engine_id: str, problem: ValidationError
) -> InvalidRequestError:
    return (extension_error(problem, asked, origin, engine_id) if origin else None) or settings_error(problem)


def checked_settings(
    engine: Engine, create: GenerationCreate, refused: Callable[[ValidationError], InvalidRequestError]
) -> dict[str, Any]:
    """All settings of a request, by alias."""
    try:
        checked = engine.settings.model_validate(create.settings)
    except ValidationError as problem:
        raise refused(problem) from None
    settings = checked.model_dump(mode="json", by_alias=True)
    if (expected := why_not_plain(settings)) is not None:
        raise InvalidRequestError("settings", expected, settings)
    return settings


def check_texts(create: GenerationCreate, config: AppConfig) -> None:
    """Raise InvalidRequestError if there is no prompt, or a text is too long."""
    prompt = create.prompt.strip()
    if not prompt:
        raise InvalidRequestError("prompt", "a description of what should be seen", "nothing")
    for name, value in (("prompt", prompt), ("negativePrompt", create.negative_prompt)):
        if len(value) > config.max_prompt_chars:
            raise InvalidRequestError(name, f"at most {config.max_prompt_chars} characters", f"text of {len(value)}")


def _fixed(create: GenerationCreate, digest_of: Callable[[str, str], str]) -> dict[str, Any]:
    """What of a request is the same for all its recipes."""
    texts = {"prompt": create.prompt.strip(), "negative_prompt": create.negative_prompt.strip()}
    given = {name: file_id for name in IMAGES if (file_id := getattr(create, name)) is not None}
    return {"type": create.type, **texts} | {IMAGES[name]: digest_of(name, given[name]) for name in given}


_COPIED: Final = (
    "engine",
    "engine_version",
    "prompt",
    "negative_prompt",
    "seed",
    "width",
    "height",
    "duration_seconds",
)
"""The fields that a row copies from its recipe."""


def recipe_columns(request: CheckedRequest, recipe: Recipe) -> dict[str, Any]:
    """All columns of a generation that come from its request and its recipe."""
    return {name: getattr(recipe, name) for name in _COPIED} | {
        "settings": _settings_of(request, recipe),
        "recipe": recipe.model_dump(mode="json", exclude=set(PATHS)),
        "recipe_hash": recipe.digest,
        "fps": recipe.fps if request.type == "video" else 0,
    }


def new_row(project: ProjectRow, request: CheckedRequest, recipe: Recipe) -> GenerationRow:
    """The row of a new generation."""
    return GenerationRow(
        id=new_id("gen"),
        session_id=project.session_id,
        project_id=project.id,
        request_id=project.request_id,
        type=request.type,
        **recipe_columns(request, recipe),
        **request.images,
        extends=request.extends,
        created_at=project.created_at,
        updated_at=project.created_at,
    )


def _settings_of(request: CheckedRequest, recipe: Recipe) -> dict[str, Any]:
    """What a person sees of a recipe, in the words of the request: the settings that its engine has. An image has no
    length and no frame rate."""
    made: dict[str, Any] = {"width": recipe.width, "height": recipe.height, "seed": recipe.seed}
    timing = {"durationSeconds": recipe.duration_seconds, "fps": recipe.fps}
    if request.type == "video":
        made |= timing
    settings = request.settings | {name: value for name, value in made.items() if name in request.settings}
    return {name: value for name, value in settings.items() if request.type == "video" or name not in timing}


def request_of(row: GenerationRow) -> GenerationCreate:
    """What a stored generation was asked for, with all settings."""
    return GenerationCreate.model_construct(
        type=cast(GenerationType, row.type),
        prompt=row.prompt,
        negative_prompt=row.negative_prompt,
        engine=row.engine,
        settings=row.settings,
        input_file_id=row.input_file_id,
        last_frame_file_id=row.last_frame_file_id,
        extend=row.extends,
        variations=1,
    )


def changed_request(row: GenerationRow, changes: Mapping[str, Any], engines: Mapping[str, Engine]) -> GenerationCreate:
    """What a stored generation was asked for, with some fields changed; `settings` are added to its own."""
    fields = engines[row.engine].settings.model_fields if row.engine in engines else {}
    # Stored by alias; a request may use either name.
    aliases = {name: field.alias for name, field in fields.items()}
    settings = {aliases.get(name) or name: value for name, value in changes.get("settings", {}).items()}
    return request_of(row).model_copy(update={**changes, "settings": row.settings | settings})


def _with_seed(settings: dict[str, Any], seed: int | None) -> dict[str, Any]:
    return settings | {"seed": seed} if "seed" in settings else settings


def seeds(request: CheckedRequest, count: int) -> list[int | None]:
    """The seeds of `count` variations: the given seed and those after it, or None for each where none is given."""
    return [None if request.seed is None else request.seed + index for index in range(count)]


def settings_error(problem: ValidationError) -> InvalidRequestError:
    """The error for settings that an engine does not take."""
    return invalid_request(problem.errors(include_url=False), "settings.")


def check_limits(recipe: Recipe, config: AppConfig) -> None:
    """Raise InvalidRequestError if the result would be larger or longer than the app allows."""
    if recipe.width * recipe.height > config.max_pixels:
        got = f"{recipe.width} x {recipe.height} = {recipe.width * recipe.height}"
        raise InvalidRequestError("settings.width", f"width x height of at most {config.max_pixels} pixels", got)
    if recipe.duration_seconds > config.max_seconds:
        expected = f"at most {config.max_seconds:g} seconds"
        raise InvalidRequestError("settings.durationSeconds", expected, round(recipe.duration_seconds, 3))


def engine_infos(engines: Mapping[str, Engine], config: AppConfig) -> list[EngineInfo]:
    """The public description of each engine, as in `GET /engines`."""
    default = default_engine(engines, config)
    return [
        EngineInfo(
            id=engine.id,
            title=engine.title,
            description=engine.description,
            version=engine.version,
            default=engine.id == default,
            available=capabilities.available,
            reason=capabilities.reason,
            capabilities=capabilities,
            settings_schema=engine.settings.model_json_schema(by_alias=True),
            presets=preset_infos(engine, config.base_url + config.root_path),
        )
        for engine in engines.values()
        for capabilities in [capabilities_of(engine)]
    ]


def request_body(create: GenerationCreate) -> bytes:
    """What is compared when an idempotency key comes again. A field that is new in it counts only where it is set, so
    that a request of an earlier version stays the same."""
    new = {name for name in ("last_frame_file_id", "extend") if getattr(create, name) is None}
    return orjson.dumps(create.model_dump(mode="json", exclude=new), option=orjson.OPT_SORT_KEYS)
