"""videogen: a video generation app whose work cannot be lost.

`from videogen import engine` gives the decorator that makes an engine of a function that yields frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from videogen.core.version import __version__

if TYPE_CHECKING:
    from videogen.engines.function import engine

__all__ = ["__version__", "engine"]


def __getattr__(name: str) -> Any:
    # On demand: `import videogen` does no work and pulls in nothing.
    if name == "engine":
        from videogen.engines.function import engine

        return engine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
