"""From the references in VIDEOGEN_ENGINES to engines."""

from __future__ import annotations

import copy
import importlib.util
import inspect
import logging
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from videogen.core.errors import ConfigError
from videogen.engines.availability import UnavailableEngine, spec_of, why_unavailable
from videogen.engines.base import Engine, ProcessPolicy
from videogen.engines.configured import configured_settings
from videogen.engines.engine_file import read_engine_file
from videogen.engines.function import as_engine
from videogen.engines.imports import (
    GROUP,
    KINDS,
    EngineImportError,
    entry_point_names,
    find_target,
    forget_module,
    source_file,
)
from videogen.engines.spec import KEYS, VARIABLE, EngineSpec, table_error

__all__ = ["GROUP", "KINDS", "VARIABLE", "expand", "load_engine", "load_engines", "process_policy", "references_by_id"]

logger = logging.getLogger(__name__)
_POLICY: Final = ProcessPolicy()
_named_variables: Final[set[str]] = set()
_MEMBERS: Final = (*Engine.__annotations__, "probe", "normalise", "render")


def load_engines(references: Sequence[str]) -> dict[str, Engine]:
    """Load engines, and return them by id, in the order of their references.

    One that cannot be imported or made is an `UnavailableEngine`, which has the reason.

    Raises:
        ConfigError: a reference or an engine file is wrong, or two engines have the same id.
    """
    return {name: load_engine(reference) for name, reference in references_by_id(references).items()}


def references_by_id(references: Sequence[str]) -> dict[str, str]:
    """The reference of each engine, by engine id. With it, a renderer process loads the same engine.

    Raises:
        ConfigError: see `load_engines`.
    """
    found: dict[str, str] = {}
    for written in references:
        for reference in expand(written):
            name = load_engine(reference).id
            if name in found:
                raise ConfigError(VARIABLE, f"different engine ids (two are {name!r})", written)
            found[name] = reference
    return found


def expand(reference: str) -> tuple[str, ...]:
    """The references that `load_engine` takes: one for each table of an engine file; any other reference is itself.

    Raises:
        ConfigError: the engine file cannot be read, or a key or value in it is wrong.
    """
    if not reference.endswith(".toml"):
        return (reference,)
    return tuple(spec.reference for spec in read_engine_file(Path(reference).resolve()))


@cache
def load_engine(reference: str) -> Engine:
    """Load one engine, once per process.

    Args:
        reference: `name` (built in, or an entry point of group `videogen.engines`), `kind:model`, `module:attribute`,
            `path/to/file.py:attribute`, or the `reference` of an `EngineSpec`. The attribute is an engine, a class
            whose call without arguments gives one, or a kind: a callable that makes one of an `EngineSpec`.

    Raises:
        ConfigError: it does not exist or is not an engine, or its spec has a wrong key or value.
    """
    if (spec := _spec(reference)) is not None:
        return _make(spec)
    try:
        return _checked(_called(find_target(reference), reference, None), reference, VARIABLE)
    except EngineImportError as problem:
        return _unavailable(_name_of(reference), "", problem)


def file_of(reference: str) -> Path | None:
    """The file that an engine of somebody else is defined in; None if it is not known, and for videogen's own."""
    return source_file(_kind(reference))


def forget(reference: str) -> None:
    """Let the next `load_engine` import the file of an engine again."""
    forget_module(_kind(reference))
    load_engine.cache_clear()


def process_policy(reference: str) -> ProcessPolicy:
    """How an engine's child processes are used: its attribute `process`, or the default. The environment variables
    that its spec names are added.

    Raises:
        ConfigError: see `load_engine`.
    """
    engine = load_engine(reference)
    policy: ProcessPolicy = getattr(engine, "process", _POLICY)
    if (spec := spec_of(engine)) is None or not spec.variables:
        return policy
    return policy.model_copy(update={"environment": (*policy.environment, *spec.variables)})


def named_variables() -> frozenset[str]:
    """The environment variables that the spec of any engine of this process names: each is for its own engine alone."""
    return frozenset(_named_variables)


def _spec(reference: str) -> EngineSpec | None:
    """The spec of a reference that is one, or names a kind and a model."""
    if reference.startswith("{"):
        return EngineSpec.model_validate_json(reference)
    kind, _, model = reference.partition(":")
    is_kind = model and not kind.endswith(".py") and (kind in KINDS or _is_foreign_kind(kind))
    return EngineSpec.of_reference(kind, model) if is_kind else None


def _kind(reference: str) -> str:
    """What is imported for a reference."""
    spec = _spec(reference)
    return spec.kind if spec else reference


def _is_foreign_kind(name: str) -> bool:
    """Whether an installed package offers a kind of this name. A module of the same name comes first."""
    try:
        is_module = importlib.util.find_spec(name.partition(".")[0]) is not None
    except (ImportError, ValueError):
        is_module = False
    return not is_module and name in entry_point_names()


def _make(spec: EngineSpec) -> Engine:
    """The engine of a spec, with all that the spec says."""
    variable = spec.error("kind", "", "").variable
    _named_variables.update(spec.variables)
    try:
        engine = _checked(_called(find_target(spec.kind, variable), spec.kind, spec), spec.kind, variable)
    except EngineImportError as problem:
        return _configured(_unavailable(spec.id, spec.title, problem), spec)
    except ValidationError as problem:
        raise table_error(spec.source or spec.id, problem, {}) from None
    return _configured(engine, spec)


def _configured(engine: Engine, spec: EngineSpec) -> Engine:
    """A copy of the engine with the id, title, presets, defaults and bounds of a spec."""
    changes: dict[str, Any] = {"id": spec.id, "spec": spec}
    if spec.title:
        changes["title"] = spec.title
    if spec.presets:
        changes["presets"] = spec.presets
    try:
        changes["settings"] = configured_settings(engine.settings, spec)
    except ConfigError:
        # Where the model is not here, the kind may not know which settings it has.
        if why_unavailable(engine) is None:
            raise
    configured = copy.copy(engine)
    for name, value in changes.items():
        if getattr(configured, name, None) is value:
            continue
        try:
            setattr(configured, name, value)
        except (AttributeError, TypeError):
            raise spec.error("kind", f"an engine whose {name!r} can be set", spec.kind) from None
    return configured


def _called(value: Any, kind: str, spec: EngineSpec | None) -> Any:
    """The engine of an attribute: itself, or what its call makes.

    Raises:
        EngineImportError: the call fails, for example because a package is missing.
    """
    try:
        value = as_engine(value)
    except TypeError as problem:
        raise EngineImportError(kind, problem) from problem
    is_engine = isinstance(value, Engine) and not isinstance(value, type)
    takes_spec = not is_engine and callable(value) and _takes_argument(value)
    if spec is not None and not takes_spec and (spec.model or spec.options):
        key, keys = "model" if spec.model else next(iter(spec.options)), [one for one in KEYS if one != "model"]
        raise spec.error(key, f"one of the keys {', '.join(keys)}, since {kind} has no model and no other keys", key)
    if takes_spec and spec is None:
        spec = EngineSpec(id=_name_of(kind), kind=kind, source=kind)
    if is_engine or not (takes_spec or isinstance(value, type)):
        return value
    try:
        return value(spec) if takes_spec else value()
    except (ConfigError, ValidationError):
        raise
    except Exception as problem:  # an engine may raise anything
        raise EngineImportError(kind, problem) from problem


def _takes_argument(value: Callable[..., Any]) -> bool:
    with suppress(TypeError, ValueError):
        signature = inspect.signature(value)
        required = [
            one for one in signature.parameters.values()
            if one.default is one.empty and one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
        ]  # fmt: skip
        return len(required) == 1
    return False


def _checked(engine: Any, kind: str, variable: str) -> Engine:
    if not isinstance(engine, Engine):
        missing = [name for name in _MEMBERS if not hasattr(engine, name)]
        raise ConfigError(variable, f"an engine ({kind.rpartition(':')[2]} lacks {', '.join(missing)})", kind)
    if not isinstance(policy := getattr(engine, "process", _POLICY), ProcessPolicy):
        raise ConfigError(variable, f"an engine whose `process` is a ProcessPolicy, not {policy!r}", kind)
    return engine


def _unavailable(name: str, title: str, problem: EngineImportError) -> UnavailableEngine:
    logger.warning("engine %s is not available: %s", name, problem.reason)
    return UnavailableEngine(id=name, title=title or name, reason=problem.reason)


def _name_of(reference: str) -> str:
    """An id for an engine that cannot be asked for its own."""
    name = reference.rpartition(":")[2].lower().replace("_", "-")
    return re.sub(r"[^a-z0-9._-]+", "-", name).strip("._-")[:64] or "engine"
