"""The parameters of a pipeline's call, read from the source of diffusers: importing it takes ten seconds."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

NEEDED: Final = ("torch", "diffusers", "transformers", "accelerate")
"""The packages of the extra without which nothing can be loaded."""


class _Required:
    """Stands for the default of a parameter that has none."""


REQUIRED: Final = _Required()


def missing_packages() -> list[str]:
    """The packages that are not installed. None of them is imported."""
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]


def installed(name: str) -> str:
    """The version of an installed package; empty if it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def call_parameters(pipeline: str) -> Mapping[str, Any] | None:
    """The parameters of `__call__` of a pipeline class, with their defaults: `REQUIRED` where there is none, None for
    what is no plain value. None for a class that the installed diffusers does not have.
    """
    return _call_parameters(pipeline, installed("diffusers"))


@cache
def _call_parameters(pipeline: str, release: str) -> Mapping[str, Any] | None:
    """See `call_parameters`; read again where another release was installed since."""
    found = _class(pipeline)
    if found is None:
        return None
    for node in found.body:
        if isinstance(node, ast.FunctionDef) and node.name == "__call__":
            return _parameters(node.args)
    for base in found.bases:
        if isinstance(base, ast.Name) and (inherited := call_parameters(base.id)):
            return inherited
    return {}


def _class(name: str) -> ast.ClassDef | None:
    package = importlib.util.find_spec("diffusers")
    if package is None or package.origin is None:
        return None
    head = f"class {name}("
    for path in sorted(Path(package.origin).parent.joinpath("pipelines").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        # Others, in comments and examples, are no statements of the module.
        if head in text:
            for node in ast.parse(text).body:
                if isinstance(node, ast.ClassDef) and node.name == name:
                    return node
    return None


def _parameters(arguments: ast.arguments) -> dict[str, Any]:
    plain = arguments.args[1:]
    defaults = [None] * (len(plain) - len(arguments.defaults)) + list(arguments.defaults)
    pairs = [*zip(plain, defaults, strict=True), *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    return {argument.arg: _value(default) for argument, default in pairs}


def _value(default: ast.expr | None) -> Any:
    if default is None:
        return REQUIRED
    try:
        return ast.literal_eval(default)
    except ValueError:
        return None
