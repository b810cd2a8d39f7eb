"""The engine called directly: `python -m benchmarks.direct ENGINE FOLDER`, a recipe on standard input.

Prints `ready` after its imports, which an idle renderer of the app has done too. Then it reads one line of JSON,
renders into FOLDER with a context that ignores every call, and prints the seconds that the render took.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from pathlib import Path
from typing import Any

from videogen.engines.base import Recipe
from videogen.engines.registry import load_engine
from videogen.schemas.engines import Cost

NICE = 5
"""The same as for the renderers of the app."""


class NullContext:
    """A render context that ignores every call."""

    attempt = 1
    checkpoint: dict[str, Any] | None = None

    def __init__(self, workdir: Path) -> None:
        self.workdir = workdir

    def report(self, step: int, total: int, stage: str, message: str = "", *, estimated: bool = False) -> None:
        pass

    def alive(self) -> None:
        pass

    def spent(self, cost: Cost) -> None:
        pass

    def preview(self, image: Any) -> None:
        pass

    def save(self, checkpoint: dict[str, Any]) -> None:
        pass

    def raise_if_cancelled(self) -> None:
        pass

    def wait(self, seconds: float) -> None:
        pass


def main() -> None:
    """Render once."""
    os.nice(NICE)
    importlib.import_module("videogen.engines.frames")
    engine = load_engine(sys.argv[1])
    print("ready", flush=True)
    recipe = Recipe.model_validate_json(sys.stdin.readline())
    started = time.perf_counter()
    engine.render(recipe, NullContext(Path(sys.argv[2])))
    print(time.perf_counter() - started, flush=True)


if __name__ == "__main__":
    main()
