"""Says what an engine would make of a request, before anything is rendered. Nothing is stored."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from threading import Thread
from typing import Any, Final

from videogen.core.errors import NotFoundError
from videogen.engines.base import PATHS, Engine, Recipe, RenderRequest
from videogen.schemas.base import why_not_plain
from videogen.schemas.engines import ExplainRequest, Explanation
from videogen.schemas.generations import Cost, GenerationCreate
from videogen.services.extensions import ExtensionService, Origin
from videogen.services.parts import Parts
from videogen.services.quotas import QuotaService
from videogen.services.serializers import shots_of
from videogen.services.span_recipes import merged
from videogen.services.submission import check_request, request_of
from videogen.services.uploads import UploadService
from videogen.services.visitor_limits import RateLimits
from videogen.store.estimates import kind_of, steps_of

EXPLAIN_SECONDS: Final = 1.0
"""How long the method of an engine may take; it should take milliseconds."""
logger = logging.getLogger(__name__)


class ExplanationService:
    """Explains requests. Every method blocks: call it from a thread."""

    def __init__(self, parts: Parts, uploads: UploadService, rates: RateLimits) -> None:
        self._parts, self._uploads, self._rates = parts, uploads, rates
        self._quotas = QuotaService(parts)
        self._extensions = ExtensionService(parts.store, parts.storage)
        self._hanging: dict[str, Thread] = {}

    def explain(self, session_id: str, engine_id: str, request: ExplainRequest, address: str) -> Explanation:
        """What an engine would make of a request; what is not known is None.

        Args:
            session_id: the owner of the input image.
            engine_id: an engine of this app.
            request: checked as in a submit.
            address: the visitor's, for whom limits count as well.

        Raises:
            NotFoundError: there is no such engine.
            InvalidRequestError: a field is wrong; the error names field, expected and got.
            LimitExceededError: too many came lately.
        """
        engines = self._parts.engines
        if engine_id not in engines:
            raise NotFoundError
        self._rates.count("explanations", address, session_id)

        def digest_of(name: str, file_id: str) -> str:
            return self._uploads.find_input(session_id, file_id, name).digest

        create = GenerationCreate(engine=engine_id, **request.model_dump())
        origin = None if create.extend is None else self._origin(session_id, create.extend)
        checked = check_request(create, engines, self._parts.config, digest_of, origin)
        recipe = checked.recipe(checked.seed or 0)
        parts = [span.recipe for span in recipe.spans if span.kept_from is None and span.recipe]
        own = _together([self._explain_part(engines[engine_id], part, checked.settings) for part in parts or [recipe]])
        frames = sum(part.num_frames for part in parts or [recipe])
        measured = self._parts.store.expected_seconds(kind_of(recipe, steps_of(recipe.settings)), frames)
        update = {
            "understanding": own.understanding or recipe.understanding,
            "shots": tuple(shots_of(recipe.model_dump(mode="json", exclude=set(PATHS)))),
            "expected_seconds": own.expected_seconds if measured is None else round(measured, 1),
            "width": recipe.width,
            "height": recipe.height,
            "quota": self._quotas.describe(session_id, address).engines.get(engine_id),
        }
        return own.model_copy(update=update)

    def _explain_part(self, engine: Engine, part: Recipe, settings: dict[str, Any]) -> Explanation:
        names = ("type", "prompt", "negative_prompt", "input_digest", "last_digest")
        copied = {name: getattr(part, name) for name in names}
        return self._ask(engine, RenderRequest(**copied, settings=settings))

    def _origin(self, session_id: str, generation_id: str) -> Origin:
        return self._extensions.find(session_id, generation_id, request_of)

    def _ask(self, engine: Engine, request: RenderRequest) -> Explanation:
        """The engine's own explanation; an empty one where it has none, fails, or does not answer in time.

        It runs on a thread of its own, which cannot be stopped. While one hangs, its engine is not asked again.
        """
        explain = getattr(engine, "explain", None)
        if explain is None or ((hanging := self._hanging.get(engine.id)) is not None and hanging.is_alive()):
            return Explanation()
        answers: list[Explanation] = []

        def call() -> None:
            try:
                answer = Explanation.model_validate(explain(request))
                if (expected := why_not_plain(answer.model_dump(mode="json"))) is not None:
                    raise ValueError(f"expected {expected}, got {answer}")
                answers.append(answer)
            except Exception:
                logger.exception("engine %s: `explain` failed; nothing is shown", engine.id)

        thread = Thread(target=call, name=f"explain-{engine.id}", daemon=True)
        thread.start()
        thread.join(EXPLAIN_SECONDS)
        if thread.is_alive():
            self._hanging[engine.id] = thread
            logger.error("engine %s: expected `explain` to return in %g s; it still runs", engine.id, EXPLAIN_SECONDS)
        return answers[0] if answers else Explanation()


def _together(parts: Sequence[Explanation]) -> Explanation:
    """What is known of a video of several shots. Of times and costs that are not known for each, there is no sum."""
    if len(parts) == 1:
        return parts[0]
    times = [part.expected_seconds for part in parts if part.expected_seconds is not None]
    costs = [part.cost for part in parts if part.cost is not None]
    return Explanation(
        understanding=merged(part.understanding for part in parts),
        expected_seconds=sum(times) if len(times) == len(parts) else None,
        cost=Cost.sum_of(costs) if len(costs) == len(parts) else None,
    )
