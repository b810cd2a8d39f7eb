"""Changes the settings model of an engine as its spec says: other defaults, other bounds, fewer choices."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, Optional, get_args

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ValidationError, create_model
from pydantic.fields import FieldInfo

from videogen.core.validation import faults
from videogen.engines.spec import Bound, EngineSpec

_LOWER: Final = (Ge, Gt)
_UPPER: Final = (Le, Lt)


def configured_settings(settings: type[BaseModel], spec: EngineSpec) -> type[BaseModel]:
    """The settings model of an engine with the defaults and bounds of its spec. Form, API and checks follow from it.

    Raises:
        ConfigError: there is no such setting, a value is not allowed, or a default is outside of its bounds.
    """
    if not spec.defaults and not spec.bounds:
        return settings
    names = _names(settings)
    defaults = {_known(names, spec, f"defaults.{name}"): value for name, value in spec.defaults.items()}
    bounds = {_known(names, spec, f"bounds.{name}"): bound for name, bound in spec.bounds.items()}
    changed: dict[str, Any] = {
        name: _field(settings, name, spec, bounds.get(name, Bound()), defaults)
        for name in (*defaults, *(name for name in bounds if name not in defaults))
    }
    model: type[BaseModel] = create_model(
        settings.__name__, __base__=settings, __module__=settings.__module__, __doc__=settings.__doc__, **changed
    )
    _check_defaults(model, spec, defaults)
    return model


def _names(settings: type[BaseModel]) -> Mapping[str, str]:
    """The Python name of each setting, by this name and by its name in the API."""
    fields = settings.model_fields
    return {field.alias or name: name for name, field in fields.items()} | {name: name for name in fields}


def _known(names: Mapping[str, str], spec: EngineSpec, key: str) -> str:
    name = key.partition(".")[2]
    if name not in names:
        known = ", ".join(sorted(set(names.values())))
        raise spec.error(key, f"a setting of this engine ({known})", name)
    return names[name]


def _field(
    settings: type[BaseModel], name: str, spec: EngineSpec, bound: Bound, defaults: Mapping[str, Any]
) -> tuple[Any, FieldInfo]:
    field = copy.copy(settings.model_fields[name])
    types = list(_types(field.annotation))
    _check_bound(settings, name, spec, bound, types)
    lower = [] if bound.minimum is None else [Ge(_number(bound.minimum))]
    upper = [] if bound.maximum is None else [Le(_number(bound.maximum))]
    replaced = (*(_LOWER if lower else ()), *(_UPPER if upper else ()))
    field.metadata = [part for part in field.metadata if not isinstance(part, replaced)] + lower + upper
    if name in defaults:
        field.default, field.default_factory = defaults[name], None
    annotation: Any = field.annotation
    if bound.choices is not None:
        annotation, field.metadata = Literal[bound.choices], []
        if type(None) in types:
            annotation = Optional[annotation]  # noqa: UP045 - a Literal made at run time
    return annotation, field


def _check_bound(settings: type[BaseModel], name: str, spec: EngineSpec, bound: Bound, types: list[Any]) -> None:
    for key in ("minimum", "maximum"):
        value = getattr(bound, key)
        if value is None:
            continue
        if int not in types and float not in types:
            raise spec.error(f"bounds.{name}.{key}", "left out, since this setting is not a number", value)
        if float not in types and _number(value) != int(value):
            raise spec.error(f"bounds.{name}.{key}", "a whole number, as the setting is", value)
    for choice in bound.choices or ():
        if (expected := _refusal(settings, name, choice)) is not None:
            raise spec.error(f"bounds.{name}.choices", f"values that the engine takes ({expected})", choice)


def _check_defaults(model: type[BaseModel], spec: EngineSpec, defaults: Mapping[str, Any]) -> None:
    """Check that a request without settings is valid."""
    for name, field in model.model_fields.items():
        if field.default_factory is not None or (field.default is None and name not in defaults):
            continue
        if field.is_required() or (expected := _refusal(model, name, field.default)) is None:
            continue
        hint = "" if name in defaults else ", since the engine's own default is outside of `bounds`"
        raise spec.error(f"defaults.{name}", f"{expected}{hint}", field.default)


def _refusal(model: type[BaseModel], name: str, value: object) -> str | None:
    """What the model expects of a setting, if it does not take this value."""
    alias = model.model_fields[name].alias or name
    try:
        model.model_validate({alias: value})
    except ValidationError as problem:
        found = [one["expected"] for one in faults(problem) if one["field"].partition(".")[0] in (alias, name)]
        return found[0] if found else None
    return None


def _types(annotation: Any) -> Iterator[Any]:
    """The plain types in an annotation."""
    yield annotation
    for part in get_args(annotation):
        yield from _types(part)


def _number(value: float) -> int | float:
    """The value as a whole number, if it is one."""
    return int(value) if value == int(value) else value
