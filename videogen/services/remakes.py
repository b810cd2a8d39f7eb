"""Makes one shot of a finished video again; what is before it stays, and what is after it follows or stays."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from videogen.core.errors import InvalidRequestError
from videogen.db.tables import GenerationRow
from videogen.engines.base import Engine, Recipe, RenderRequest, Span
from videogen.engines.settings import MAX_SEED
from videogen.schemas.generations import Generation, GenerationCreate
from videogen.schemas.shots import ShotRemake
from videogen.schemas.status import Status
from videogen.services.engine_choice import chosen_engine
from videogen.services.extensions import ExtensionService, Origin
from videogen.services.generations import GenerationService
from videogen.services.parts import Parts
from videogen.services.shots import check_words, prompts_of
from videogen.services.span_recipes import SHOT_BREAK, merged, part_recipe, whole_recipe
from videogen.services.storage_limits import StorageLimits
from videogen.services.submission import (
    IMAGES,
    CheckedRequest,
    check_limits,
    check_texts,
    checked_settings,
    new_row,
    request_of,
    settings_error,
)


class RemakeService:
    """Makes shots again. Every method blocks."""

    def __init__(self, parts: Parts, generations: GenerationService, storage_limits: StorageLimits) -> None:
        self._parts, self._generations, self._storage_limits = parts, generations, storage_limits
        self._extensions = ExtensionService(parts.store, parts.storage)

    def remake(self, session_id: str, generation_id: str, number: int, change: ShotRemake, address: str) -> Generation:
        """Make a new generation in which one shot is another one. It keeps what it needs of the old one.

        Args:
            session_id: the owner.
            generation_id: a finished video of several shots.
            number: of the shot, from 1.
            change: what is to be another.
            address: the visitor's, for whom limits count as well.

        Raises:
            NotFoundError: the generation is not this session's.
            InvalidRequestError: it has no such shot, or the shot cannot be made.
            LimitExceededError: see `GenerationService.submit`.
        """
        row = self._parts.store.get_generation(session_id, generation_id)
        spans = row.recipe.get("spans", ())
        if not spans or row.status != Status.COMPLETED:
            raise InvalidRequestError("shot", "one of a finished video of several shots", number)
        if not 1 <= number <= len(spans):
            raise InvalidRequestError("shot", f"one of this video, 1 to {len(spans)}", number)
        self._storage_limits.check(session_id)
        start = sum(span["num_frames"] for span in spans[: number - 1])
        origin = self._extensions.find(session_id, generation_id, request_of, f"frame_{start}")
        recipe = self._recipe(row, number, change, origin)
        images = {name: getattr(row, name) for name in IMAGES}
        files = origin.files if recipe.source else {}
        request = CheckedRequest(row.type, row.settings, lambda _seed: recipe, None, images, files)
        project = self._generations.new_project(session_id, None, b"")
        return self._generations.accept(project, [new_row(project, request, recipe)], address, files)[0].generations[0]

    def _recipe(self, row: GenerationRow, number: int, change: ShotRemake, origin: Origin) -> Recipe:
        config, index = self._parts.config, number - 1
        spans = list(origin.spans)
        if change.prompt is not None:
            spans[index] = spans[index].model_copy(update={"prompt": _one_shot(change.prompt, number)})
        prompt = SHOT_BREAK.join(span.prompt for span in spans)
        create = request_of(row).model_copy(update={"prompt": prompt, "extend": None})
        engine = chosen_engine(create, self._parts.engines, config)
        check_texts(create, config)
        end = len(spans) if change.followers else number
        wanted = [
            _request(row, spans, one, _seed(change, spans[one]) if one == index else None) for one in range(index, end)
        ]
        try:
            for request in wanted:
                checked_settings(engine, create.model_copy(update={"settings": request.settings}), settings_error)
            recipe = _remade(engine, wanted, origin, spans, index)
        except ValidationError as problem:
            raise settings_error(problem) from None
        recipe = recipe.model_copy(update={"prompt": prompt, "seed": row.seed if index else recipe.seed})
        check_limits(recipe, config)
        return recipe


def _one_shot(prompt: str, number: int) -> str:
    shots = prompts_of(GenerationCreate(prompt=prompt))
    if len(shots) > 1:
        raise InvalidRequestError("prompt", "one shot, a text without blank lines", f"{len(shots)} shots")
    check_words("prompt", shots[0], number)
    return shots[0]


def _seed(change: ShotRemake, span: Span) -> int:
    """The seed of the new shot: with another prompt alone it stays."""
    if change.seed is not None:
        return change.seed
    if change.prompt is not None and span.recipe is not None:
        return span.recipe.seed
    return secrets.randbelow(MAX_SEED + 1)


def _request(row: GenerationRow, spans: Sequence[Span], index: int, seed: int | None) -> RenderRequest:
    """The request of a shot as it was, with another seed if one is given."""
    span, recipe = spans[index], Recipe(**row.recipe)
    own: dict[str, Any] = {"durationSeconds": round(span.num_frames / row.fps, 6)}
    own["seed"] = seed if seed is not None else span.recipe.seed if span.recipe is not None else row.seed
    return RenderRequest(
        prompt=span.prompt,
        negative_prompt=row.negative_prompt,
        settings=row.settings | {name: value for name, value in own.items() if name in row.settings},
        input_digest=recipe.input_digest if index == 0 else None,
        last_digest=recipe.last_digest if index + 1 == len(spans) else None,
    )


def _remade(engine: Engine, wanted: Sequence[RenderRequest], origin: Origin, spans: list[Span], index: int) -> Recipe:
    """The recipe of the whole: shots before `index` are kept, those of `wanted` are rendered, the others are kept."""
    kept, end = spans[:index], index + len(wanted)
    before = kept[-1].recipe if kept else None
    digest = (origin.source.frame_digest or origin.source.digest) if kept else wanted[0].input_digest
    parts: list[Recipe] = []
    for request in wanted:
        before = part_recipe(engine, request, before, digest)
        digest = before.digest
        parts.append(before)
    after = [span.model_copy(update={"join": "cut"} if span is spans[end] else {}) for span in spans[end:]]
    first = parts[0].model_copy(update={"fps": origin.fps})
    whole = whole_recipe(first, kept, parts, origin.source if kept or after else None, after)
    known = [span.recipe.understanding for span in whole.spans if span.recipe is not None]
    return whole.model_copy(update={"understanding": merged(known)})
