"""Where the files of a model are, and which pipeline they are. It reads two small JSON files, and loads nothing."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_HUB_NAME: Final = re.compile(r"^[\w.-]+/[\w.-]+$")
_COMMIT: Final = re.compile(r"^[0-9a-f]{40}$")
_INDEX: Final = "model_index.json"


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model, as far as this machine has it. `folder` is None for one of the hub that is not downloaded yet."""

    model: str
    folder: Path | None
    is_local: bool
    commit: str | None = None

    @property
    def label(self) -> str:
        """The name for people, which holds no path of this machine."""
        return self.folder.name if self.is_local and self.folder else self.model

    @property
    def pipeline(self) -> str | None:
        """The class of the pipeline, from `model_index.json`; None if it cannot be read."""
        name = self.read(_INDEX).get("_class_name")
        return name if isinstance(name, str) else None

    def read(self, name: str) -> dict[str, Any]:
        """A JSON file of the model; empty if it is not there or is not an object."""
        if self.folder is None:
            return {}
        try:
            value = json.loads((self.folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def problem(self) -> str:
        """Why this cannot be loaded, and what to do; empty if nothing speaks against it."""
        if self.is_local and self.folder is not None:
            return self._folder_problem(self.folder)
        if not _HUB_NAME.match(self.model):
            return f"The model {self.model!r} is neither a folder nor a name on the hub, such as owner/name."
        return ""

    def _folder_problem(self, folder: Path) -> str:
        if folder.is_file():
            return f"The model {self.label} is a file. Name the folder of a whole pipeline."
        if not folder.is_dir():
            return f"There is no folder {self.label}. Correct the engine's model, or put the folder there."
        if not (folder / _INDEX).is_file():
            return (
                f"The folder {self.label} is no pipeline: it has no {_INDEX}. "
                "Name the folder that the pipeline's save_pretrained() has written."
            )
        if self.pipeline is None:
            return f"The file {_INDEX} of {self.label} names no pipeline class. Save or download the model again."
        return ""


def find_model(model: str, revision: str | None = None) -> ModelFiles:
    """Find a model: a folder, or a name on the hub, which may be in the hub's cache already."""
    path = Path(model).expanduser()
    if model.startswith((".", "/", "~")) or path.exists():
        return ModelFiles(model, path.absolute(), is_local=True)
    commit = _cached_commit(model, revision or "main")
    folder = None if commit is None else _cached(model) / "snapshots" / commit
    if folder is not None and not (folder / _INDEX).is_file():
        folder = None
    return ModelFiles(model, folder, is_local=False, commit=commit)


def _cached_commit(model: str, revision: str) -> str | None:
    if _COMMIT.match(revision):
        return revision
    try:
        commit = (_cached(model) / "refs" / revision).read_text().strip()
    except (OSError, ValueError):
        return None
    return commit if _COMMIT.match(commit) else None


def _cached(model: str) -> Path:
    """The folder of a model in the hub's cache. The library that knows it is slow to import."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("HF_HOME") or f"{cache}/huggingface"
    hub = os.environ.get("HF_HUB_CACHE") or f"{home}/hub"
    return Path(hub).expanduser() / f"models--{model.replace('/', '--')}"
