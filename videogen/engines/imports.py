"""Imports what a reference names: a kind, an entry point, an attribute of a module or of a Python file."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from videogen.core.errors import ConfigError
from videogen.engines.spec import VARIABLE

GROUP: Final = "videogen.engines"
# Found without reading the metadata of installed packages, which is slow.
KINDS: Final[Mapping[str, str]] = {
    "procedural": "videogen.engines.procedural.engine:ProceduralEngine",
    "diffusers": "videogen.engines.diffusers.engine:create",
    "fal": "videogen.engines.remote.fal:create",
    "replicate": "videogen.engines.remote.replicate:create",
    "videos-http": "videogen.engines.remote.videos_http:create",
    "openrouter": "videogen.engines.remote.openrouter:create",
    "comfyui": "videogen.engines.remote.comfyui.engine:create",
}
"""The built-in kinds of engines; entry points of the group, modules and files are kinds too."""


class _TargetMissingError(Exception):
    """There is no such module or file; the text is what was expected."""


class EngineImportError(Exception):
    """What a reference names exists, and cannot be imported or made here."""

    def __init__(self, source: str, problem: BaseException) -> None:
        self.reason = _reason(source, problem)
        super().__init__(self.reason)


class ImportEndedError(BaseException):
    """Ends the import of a script in a renderer process where the script starts the app, which runs already."""

    def __init__(self, module: ModuleType) -> None:
        super().__init__(f"{module.__name__} starts the app")
        self.module = module


def find_target(kind: str, variable: str = VARIABLE) -> Any:
    """Import what a name of a kind, `module:attribute` or `path/to/file.py:attribute` leads to.

    Args:
        kind: what to import.
        variable: where it was written, for messages.

    Raises:
        ConfigError: there is no such name, module, file or attribute.
        EngineImportError: its import fails.
    """
    target = KINDS.get(kind, kind)
    if ":" not in target:
        points = entry_point_names()
        if target not in points:
            known = ", ".join(sorted(points.keys() | KINDS.keys()))
            forms = "module:attribute or path/to/file.py:attribute"
            forms = forms if variable != VARIABLE else f"kind:model, path/to/file.toml, {forms}"
            raise ConfigError(variable, f"an engine's name ({known}), {forms}", kind)
        target = points[target]
    return import_attribute(target, kind, variable)


def import_attribute(target: str, kind: str, variable: str) -> Any:
    """Import `module:attribute` or `path/to/file.py:attribute`, which was written as `kind`.

    Raises:
        ConfigError: there is no such module, file or attribute.
        EngineImportError: its import fails.
    """
    source, _, attribute = target.rpartition(":")
    try:
        module = _from_file(Path(source).resolve()) if source.endswith(".py") else _from_module(source)
    except _TargetMissingError as problem:
        raise ConfigError(variable, str(problem), kind) from problem
    if (value := getattr(module, attribute, None)) is None:
        raise ConfigError(variable, f"a name in {source}, which has no {attribute!r}", kind)
    return value


def entry_point_names() -> Mapping[str, str]:
    """The engines and kinds that installed packages offer, with what each leads to."""
    # Imported here: it takes 50 ms, and the built-in engines do not need it.
    from importlib.metadata import entry_points

    return {point.name: point.value for point in entry_points(group=GROUP)}


def adopt(path: Path, module: ModuleType) -> None:
    """Use `module` for what this process loads from the file `path` (absolute), instead of importing the file."""
    sys.modules[_module_name(path)] = module


def source_file(kind: str) -> Path | None:
    """The file that an attribute of a module, of a file or of an installed package is in; None for videogen's own
    kinds, and where it is not known."""
    source = entry_point_names().get(kind, kind).rpartition(":")[0]
    if kind in KINDS or not source:
        return None
    try:
        file = source if source.endswith(".py") else getattr(_from_module(source), "__file__", None)
    except (_TargetMissingError, EngineImportError):
        return None
    return Path(file).resolve() if file else None


def forget_module(kind: str) -> None:
    """Let the next `find_target` import the module or file again."""
    source = entry_point_names().get(kind, kind).rpartition(":")[0]
    path = source_file(kind)
    sys.modules.pop(_module_name(path) if path and source.endswith(".py") else source, None)
    if path is not None:
        # Its date is in seconds: a second change in the same one would not be seen.
        Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)


def _module_name(path: Path) -> str:
    return f"videogen_engine_{path.stem}_{hashlib.sha256(bytes(path)).hexdigest()[:8]}"


def _from_module(name: str) -> ModuleType:
    if not name:
        raise _TargetMissingError("the name of a module before the colon")
    try:
        return import_module(name)
    except ImportEndedError as end:
        sys.modules[name] = end.module
        return end.module
    except Exception as problem:  # a module may raise anything
        # A package that is missing for the module is one thing, a module that does not exist is another.
        if isinstance(problem, ModuleNotFoundError) and f"{name}.".startswith(f"{problem.name}."):
            raise _TargetMissingError(f"{name} to be importable ({type(problem).__name__}: {problem})") from problem
        raise EngineImportError(name, problem) from problem


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise _TargetMissingError(f"an existing file before the colon (there is no {path})")
    name = _module_name(path)
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise _TargetMissingError(f"a Python file before the colon ({path} is not one)")
    module = importlib.util.module_from_spec(spec)
    # Registered first, since pydantic and dataclasses look their module up while it runs.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except ImportEndedError:
        pass  # all that the engine needs stands before
    except BaseException as problem:
        del sys.modules[name]
        if isinstance(problem, Exception):
            raise EngineImportError(path.name, problem) from problem
        raise
    return module


def _reason(source: str, problem: BaseException) -> str:
    """Why it is not available, and what to do."""
    if isinstance(problem, ModuleNotFoundError) and problem.name:
        package = problem.name.partition(".")[0]
        return (
            f"{source} needs the Python package {package!r}, which is not installed. Install it where videogen runs, "
            "then restart videogen."
        )
    text = next(iter(str(problem).splitlines()), "")
    return f"{source} could not be loaded ({type(problem).__name__}: {text}). Correct it, then restart videogen."
