"""Whether an engine can render here. What is missing makes one engine unavailable, never the app."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel

from videogen.core.errors import InvalidRequestError
from videogen.engines.base import Artifact, Engine, Recipe, RenderContext, RenderFailed, RenderRequest
from videogen.engines.settings import VideoSettings
from videogen.engines.spec import EngineSpec, missing_variable
from videogen.schemas.engines import Capabilities

logger = logging.getLogger(__name__)


@dataclass(eq=False)
class UnavailableEngine:
    """Stands for an engine that could not be imported or made: it is listed with the reason, and renders nothing."""

    id: str
    title: str
    reason: str
    version: str = ""
    description: str = ""
    settings: type[BaseModel] = VideoSettings

    def probe(self) -> Capabilities:
        """See `Engine.probe`."""
        return Capabilities(available=False, reason=self.reason)

    def normalise(self, request: RenderRequest) -> Recipe:
        """Refuse every request: see `Engine.normalise`."""
        raise InvalidRequestError("engine", f"an engine that is available ({self.reason})", self.id)

    def render(self, recipe: Recipe, ctx: RenderContext) -> Artifact:
        """Render nothing: see `Engine.render`."""
        raise RenderFailed(self.reason, code="engine_unavailable", retryable=True)


def capabilities_of(engine: Engine) -> Capabilities:
    """What an engine can do here and now. It is unavailable too if its own check fails."""
    spec = spec_of(engine)
    # What another process renders needs its variables there.
    for name in spec.variables if spec and not getattr(engine, "is_offered", False) else ():
        if not os.environ.get(name):
            return Capabilities(available=False, reason=missing_variable(name))
    try:
        capabilities = engine.probe()
        if not isinstance(capabilities, Capabilities):
            raise TypeError(f"expected probe() to return Capabilities, got {type(capabilities).__name__}")
    except Exception as problem:  # an engine may raise anything
        _log_once(engine.id, text := f"{type(problem).__name__}: {problem}")
        return Capabilities(available=False, reason=f"Its check fails ({text}). Report this to the engine's author.")
    if not capabilities.available and not capabilities.reason:
        capabilities = capabilities.model_copy(update={"reason": "The engine gives no reason."})
    can_extend = "video" in capabilities.types and (capabilities.image_input or hasattr(engine, "extend"))
    return capabilities.model_copy(update={"extend": can_extend})


def why_unavailable(engine: Engine) -> str | None:
    """Why an engine cannot render here, and what to do; None if it can."""
    capabilities = capabilities_of(engine)
    return None if capabilities.available else capabilities.reason


def unavailable(found: Mapping[str, Capabilities]) -> dict[str, str]:
    """Why engines cannot render here, by the id of each of which that is true."""
    return {name: one.reason or "" for name, one in found.items() if not one.available}


def spec_of(engine: Engine) -> EngineSpec | None:
    """The spec that an engine was made from; None for one that is loaded by its plain reference."""
    spec: Any = getattr(engine, "spec", None)
    return spec if isinstance(spec, EngineSpec) else None


def is_on_visitor_account(engine: Engine) -> bool:
    """Whether an engine renders on the account of whoever has signed in."""
    return getattr(engine, "on_visitor_account", False) is True


def concurrency_of(engine: Engine, workers: int) -> int:
    """How many jobs of an engine are rendered at once by this process.

    Args:
        engine: its spec comes first, then its own attribute `concurrency`.
        workers: for an engine that states none; 0: this process renders nothing.
    """
    spec = spec_of(engine)
    own = spec.concurrency if spec and spec.concurrency else getattr(engine, "concurrency", None)
    return int(own or workers) if workers else 0


def concurrencies(engines: Mapping[str, Engine], workers: int) -> dict[str, int]:
    """`concurrency_of` each engine, by id."""
    return {name: concurrency_of(engine, workers) for name, engine in engines.items()}


def quotas(engines: Mapping[str, Engine], default: float) -> dict[str, float]:
    """Seconds of video that one session may have of each engine in a day, by id; those without a limit are left out.

    An engine's spec comes first, then its own attribute `quota_seconds_per_day`, then the default.
    """
    found = {}
    for name, engine in engines.items():
        spec = spec_of(engine)
        own = spec.quota_seconds_per_day if spec else None
        own = getattr(engine, "quota_seconds_per_day", None) if own is None else own
        found[name] = default if own is None else float(own)
    return {name: seconds for name, seconds in found.items() if seconds > 0}


@cache
def _log_once(name: str, text: str) -> None:
    logger.warning("engine %s: its probe fails: %s", name, text)
