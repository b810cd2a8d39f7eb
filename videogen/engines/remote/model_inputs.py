"""The inputs of common models, for engines whose table has no `inputs`: see `model_inputs.toml`."""

from __future__ import annotations

import tomllib
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Any

from videogen.engines.spec import EngineSpec


def with_inputs(spec: EngineSpec) -> EngineSpec:
    """The spec with the inputs of its model, unless it has some of its own."""
    if spec.options.get("inputs"):
        return spec
    return spec.model_copy(update={"options": {**spec.options, "inputs": inputs_of(spec.kind, spec.model)}})


def inputs_of(kind: str, model: str) -> dict[str, Any]:
    """The inputs of a model: those of the first pattern that its name matches; the last one matches all."""
    return next(inputs for pattern, inputs in tables()[kind].items() if fnmatchcase(model, pattern))


@cache
def tables() -> dict[str, dict[str, dict[str, Any]]]:
    """All inputs, by kind and pattern."""
    text = files("videogen.engines.remote").joinpath("model_inputs.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
