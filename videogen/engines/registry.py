"""From the references in VIDEOGEN_ENGINES to engines."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Final

from videogen.core.errors import ConfigError
from videogen.engines.base import Engine, ProcessPolicy

VARIABLE: Final = "VIDEOGEN_ENGINES"
GROUP: Final = "videogen.engines"
_POLICY: Final = ProcessPolicy()
_MEMBERS: Final = (*Engine.__annotations__, "probe", "normalise", "render")
# Found without reading the metadata of installed packages, which is slow.
BUILTIN: Final[dict[str, str]] = {"procedural": "videogen.engines.procedural.engine:ProceduralEngine"}


def load_engines(references: Sequence[str]) -> dict[str, Engine]:
    """Load engines, and return them by id, in the order of their references.

    Raises:
        ConfigError: a reference leads to no engine, or two lead to the same id.
    """
    engines: dict[str, Engine] = {}
    for reference in references:
        engine = load_engine(reference)
        if engine.id in engines:
            raise ConfigError(VARIABLE, f"different engine ids (two are {engine.id!r})", reference)
        engines[engine.id] = engine
    return engines


def references_by_id(references: Sequence[str]) -> dict[str, str]:
    """The reference of each engine, by engine id. With it, a renderer process loads the same engine."""
    return {load_engine(reference).id: reference for reference in references}


@cache
def load_engine(reference: str) -> Engine:
    """Load one engine, once per process.

    Args:
        reference: `name` (built in, or an entry point of group `videogen.engines`), `module:attribute`, or
            `path/to/file.py:attribute`. The attribute is an engine, or a class whose call without arguments
            gives one.

    Raises:
        ConfigError: it does not exist, cannot be imported, or is not an engine.
    """
    target = BUILTIN.get(reference, reference)
    if ":" not in target:
        target = _entry_point(target)
    source, _, attribute = target.rpartition(":")
    try:
        module = _from_file(Path(source).resolve(), reference) if source.endswith(".py") else import_module(source)
    except ConfigError:
        raise
    except Exception as error:
        expected = f"{source} to be importable ({type(error).__name__}: {error})"
        raise ConfigError(VARIABLE, expected, reference) from error
    value = getattr(module, attribute, None)
    if value is None:
        raise ConfigError(VARIABLE, f"a name in {source}, which has no {attribute!r}", reference)
    engine = value() if isinstance(value, type) else value
    if not isinstance(engine, Engine):
        missing = [name for name in _MEMBERS if not hasattr(engine, name)]
        raise ConfigError(VARIABLE, f"an engine ({attribute} lacks {', '.join(missing)})", reference)
    if not isinstance(policy := getattr(engine, "process", _POLICY), ProcessPolicy):
        raise ConfigError(VARIABLE, f"an engine whose `process` is a ProcessPolicy, not {policy!r}", reference)
    return engine


def process_policy(reference: str) -> ProcessPolicy:
    """How an engine's child processes are used: its attribute `process`, or the default.

    Raises:
        ConfigError: see `load_engine`.
    """
    return getattr(load_engine(reference), "process", _POLICY)


def _entry_point(name: str) -> str:
    # Imported here: it takes 50 ms, and the built-in engines do not need it.
    from importlib.metadata import entry_points

    points = {point.name: point.value for point in entry_points(group=GROUP)}
    if name not in points:
        known = ", ".join(sorted(points.keys() | BUILTIN.keys()))
        raise ConfigError(VARIABLE, f"an engine's name ({known}), module:attribute or path/to/file.py:attribute", name)
    return points[name]


def _from_file(path: Path, reference: str) -> ModuleType:
    if not path.is_file():
        raise ConfigError(VARIABLE, f"an existing file before the colon (there is no {path})", reference)
    name = f"videogen_engine_{path.stem}_{hashlib.sha256(bytes(path)).hexdigest()[:8]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(VARIABLE, f"a Python file before the colon ({path} is not one)", reference)
    module = importlib.util.module_from_spec(spec)
    # Registered first, since pydantic and dataclasses look their module up while it runs.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
