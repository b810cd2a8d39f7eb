"""One configured engine: what a reference or a table of an engine file says about it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Self, TypeVar

from pydantic import BaseModel, Field, ValidationError, model_validator

from videogen.core.errors import ConfigError
from videogen.core.validation import explain
from videogen.engines.base import Preset, RenderFailed
from videogen.schemas.base import Model

VARIABLE: Final = "VIDEOGEN_ENGINES"
ID: Final = r"^[a-z0-9][a-z0-9._-]{0,63}$"
MAX_CONCURRENCY: Final = 64
_ENVIRONMENT: Final = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")
_SECRET: Final = re.compile(r"(^|[_-])(token|key|secret|password|credentials)$", re.IGNORECASE)

MAX_SHOWN: Final = 80
"""Characters of a wrong value that a message shows."""
Number = int | float
Options = TypeVar("Options", bound=BaseModel)


class Bound(Model):
    """What a setting may be, in place of what the engine allows. What is None stays as the engine has it."""

    minimum: Number | None = None
    maximum: Number | None = None
    choices: tuple[str | int | float | bool, ...] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"a minimum of at most {self.maximum:g}, the maximum")
        return self


class EngineSpec(Model):
    """An engine that is made by its kind: which model it has, how many of its jobs run at once, what its form offers.

    A kind is a callable `create(spec: EngineSpec) -> Engine`. The registry then sets id, title, presets, defaults and
    bounds, so a kind only reads `model` and `options`.
    """

    id: str = Field(
        pattern=ID, description="a unique name of lower-case letters, digits, dots, underscores and hyphens"
    )
    kind: str = Field(min_length=1, description="the name of a kind, module:attribute or path/to/file.py:attribute")
    title: str = Field(default="", max_length=60, description="name for people; empty: the kind's own")
    model: str = Field(default="", description="name of the model or path of its folder, as the kind takes it")
    concurrency: int | None = Field(
        default=None, strict=True, ge=1, le=MAX_CONCURRENCY, description="jobs at once; None: VIDEOGEN_WORKERS"
    )
    quota_seconds_per_day: float | None = Field(
        default=None,
        ge=0,
        allow_inf_nan=False,
        description="seconds of video of one session in 24 hours, 0 for no limit; None: VIDEOGEN_QUOTA_SECONDS_PER_DAY",
    )
    defaults: dict[str, Any] = Field(default_factory=dict, description="values of the form, by the name of the setting")
    bounds: dict[str, Bound] = Field(default_factory=dict, description="what settings may be, by name")
    presets: tuple[Preset, ...] = Field(default=(), description="in place of the kind's own; empty: the kind's own")
    options: dict[str, Any] = Field(default_factory=dict, description="the kind's own keys")
    source: str = Field(default="", description="where this was written, for messages")

    @classmethod
    def of_reference(cls, kind: str, model: str) -> Self:
        """The spec of a reference `kind:model`; its id is made from the last part of the model's name."""
        name = re.sub(r"[^a-z0-9._-]+", "-", model.rstrip("/").rpartition("/")[2].lower()).strip("._-")
        return cls(id=name[:64] or kind, kind=kind, model=model, source=f"{kind}:{model}")

    @property
    def reference(self) -> str:
        """This spec as a reference for `registry.load_engine`, which a child process gets: JSON."""
        return self.model_dump_json(exclude_defaults=True)

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that the options name as `"env:NAME"`."""
        found = (_ENVIRONMENT.fullmatch(part) for _, part in _leaves(self.options) if isinstance(part, str))
        return tuple(dict.fromkeys(match[1] for match in found if match))

    def resolve(self, environ: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The options with the values of environment variables in place of `"env:NAME"`. For the child process only:
        no value gets into a log or an answer.

        Raises:
            RenderFailed: a variable is not set.
        """
        environ = os.environ if environ is None else environ
        for name in self.variables:
            if not environ.get(name):
                raise RenderFailed(missing_variable(name), code="engine_unavailable")
        resolved = _resolved(self.options, environ)
        assert isinstance(resolved, dict)
        return resolved

    def secrets_in_the_open(self) -> tuple[str, ...]:
        """The keys of the options that hold a secret itself, and not the name of its environment variable."""
        return tuple(
            key
            for key, part in _leaves(self.options)
            if isinstance(part, str) and part and _SECRET.search(key) and not _ENVIRONMENT.fullmatch(part)
        )

    def parse(self, model: type[Options]) -> Options:
        """The options, checked by a model of the kind; `"env:NAME"` stays as it is.

        Raises:
            ConfigError: a key or value is wrong: one line with the place, the key and what is allowed.
        """
        try:
            return model.model_validate(self.options)
        except ValidationError as problem:
            raise table_error(self.source or self.id, problem, {"": model}) from None

    def error(self, key: str, expected: str, got: object) -> ConfigError:
        """The error for a wrong value of this spec: one line with the place, the key and what is allowed."""
        return spec_error(self.source or self.id, key, expected, got)


KEYS: Final = tuple(name for name in EngineSpec.model_fields if name not in ("options", "source"))
"""The keys of every table; all others are those of its kind."""


def spec_error(place: str, key: str, expected: str, got: object) -> ConfigError:
    """The error for a wrong value: one line with the variable, the place, the key and what is allowed."""
    return ConfigError(f"{VARIABLE}: {place}: {key}" if key else f"{VARIABLE}: {place}", expected, got)


def table_error(place: str, problem: ValidationError, models: Mapping[str, type[BaseModel]]) -> ConfigError:
    """The error for the first wrong key of a table.

    Args:
        place: the table.
        problem: what is wrong.
        models: of the tables inside it, by name; "" for the table itself.
    """
    first = problem.errors(include_url=False)[0]
    location, kind = first["loc"], first["type"]
    fields = model.model_fields if (model := models.get(str(location[0]) if len(location) > 1 else "")) else {}
    expected, got = explain(first)["expected"], first["input"]
    if kind == "extra_forbidden":
        expected, got = (f"one of the keys {', '.join(fields)}" if fields else expected), location[-1]
    elif kind in ("missing", "string_pattern_mismatch", "string_too_short"):
        field, got = fields.get(str(location[-1])), None if kind == "missing" else got
        expected = (field and field.description) or expected
    shown = got if len(repr(got)) <= MAX_SHOWN else type(got).__name__
    return spec_error(place, explain(first)["field"], expected, shown)


def missing_variable(name: str) -> str:
    """What is missing, and what to do."""
    return f"The environment variable {name} is not set. Set it, then restart videogen."


def _leaves(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    """All values in nested tables and lists, each with the name of its key."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _leaves(part, str(name))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _leaves(part, key)
    else:
        yield key, value


def _resolved(value: object, environ: Mapping[str, str]) -> object:
    if isinstance(value, dict):
        return {key: _resolved(part, environ) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_resolved(part, environ) for part in value]
    match = _ENVIRONMENT.fullmatch(value) if isinstance(value, str) else None
    return environ[match[1]] if match else value
