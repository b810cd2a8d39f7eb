"""Reads engine files: TOML files of `[[engine]]` tables. docs/engine-file.md describes them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from videogen.engines.base import Preset
from videogen.engines.spec import KEYS, Bound, EngineSpec, spec_error, table_error

_MODELS: Final[dict[str, type[BaseModel]]] = {"": EngineSpec, "bounds": Bound, "presets": Preset}


def read_engine_file(path: Path) -> list[EngineSpec]:
    """The engines of a file, in its order. Paths that begin with `./` or `../` are relative to the file.

    Raises:
        ConfigError: it cannot be read, or a key or value is wrong: one line with file, table, key and what is allowed.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise spec_error(str(path), "", "a file that can be read", problem.strerror) from problem
    except ValueError as problem:  # of TOML, or of UTF-8
        raise spec_error(str(path), "", "a TOML file in UTF-8", str(problem)) from problem
    tables = content.pop("engine", None)
    if content:
        raise spec_error(str(path), next(iter(content)), "only tables that begin with [[engine]]", next(iter(content)))
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise spec_error(str(path), "", "at least one table that begins with [[engine]]", "none")
    return [_spec(path, number, table) for number, table in enumerate(tables, start=1)]


def _spec(path: Path, number: int, table: dict[str, Any]) -> EngineSpec:
    own = {key: value for key, value in table.items() if key in KEYS}
    name = repr(own["id"]) if isinstance(own.get("id"), str) else f"number {number}"
    place = f"{path}: [[engine]] {name}"
    options = {key: _beside(path, value) for key, value in table.items() if key not in KEYS}
    try:
        spec = EngineSpec(**_with_paths(path, own), options=options, source=place)
    except ValidationError as problem:
        raise table_error(place, problem, _MODELS) from None
    for key in spec.secrets_in_the_open():
        raise spec.error(key, 'the name of an environment variable that has the secret, such as "env:MY_TOKEN"', "***")
    return spec


def _with_paths(path: Path, own: dict[str, Any]) -> dict[str, Any]:
    """The table with paths that do not depend on the current folder."""
    presets = own.get("presets")
    changed = {key: _beside(path, own[key]) for key in ("model",) if key in own}
    if isinstance(kind := own.get("kind"), str) and ".py:" in kind:
        changed["kind"] = str((path.parent / kind).resolve())
    if isinstance(presets, list):
        changed["presets"] = [
            one | {"poster": path.parent / str(one["poster"])} if isinstance(one, dict) and "poster" in one else one
            for one in presets
        ]
    return own | changed


def _beside(path: Path, value: object) -> object:
    """A value of a table; a path beside the file becomes an absolute one."""
    if isinstance(value, str) and value.startswith(("./", "../")):
        return str((path.parent / value).resolve())
    if isinstance(value, list):
        return [_beside(path, part) for part in value]
    if isinstance(value, dict):
        return {key: _beside(path, part) for key, part in value.items()}
    return value
