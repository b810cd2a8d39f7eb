"""Read answers of a newer server: what this version does not know is left out, not refused."""

from __future__ import annotations

from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel

from videogen.schemas.base import Model

M = TypeVar("M", bound=Model)


def read(model: type[M], data: Any) -> M:
    """Validate `data` as `model`, leaving out fields that this version does not know.

    Raises:
        pydantic.ValidationError: a known field is missing or has another shape.
    """
    return model.model_validate(prune(model, data))


def prune(model: type[BaseModel], data: Any) -> Any:
    """Leave out of `data`, at any depth, what `model` has no field for."""
    if not isinstance(data, dict):
        return data
    known = _fields(model)
    return {key: _prune_value(known[key], value) for key, value in data.items() if key in known}


def _prune_value(inner: type[BaseModel] | None, value: Any) -> Any:
    if inner is None:
        return value
    if isinstance(value, list):
        return [prune(inner, item) for item in value]
    return prune(inner, value)


@cache
def _fields(model: type[BaseModel]) -> dict[str, type[BaseModel] | None]:
    """Each field by the name it has on the wire, with the model inside it, if there is one."""
    return {
        name: _model_in(field.annotation)
        for own, field in model.model_fields.items()
        for name in (own, field.alias or own)
    }


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model in `X`, `X | None` or `list[X]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (list, tuple, Union, UnionType):
        found = (_model_in(part) for part in get_args(annotation))
        return next((model for model in found if model is not None), None)
    return None
