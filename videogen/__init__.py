"""videogen: a video generation app whose work cannot be lost.

`engine` is the decorator that makes an engine of a function or a class. `launch` serves the page with it, from a script
or a notebook; `mount` puts the page into another FastAPI app. `connect` returns a `Client` of a
running app; `AsyncClient` is the same for asyncio. `allow`, `refuse` and `flag` are what a moderation hook returns.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from videogen.core.version import __version__

if TYPE_CHECKING:
    from videogen.client import AsyncClient, Client, connect
    from videogen.engines.function import engine
    from videogen.jobs.moderation import allow, flag, refuse
    from videogen.server.launch import launch, mount

__all__ = [
    "AsyncClient",
    "Client",
    "__version__",
    "allow",
    "connect",
    "engine",
    "flag",
    "launch",
    "mount",
    "refuse",
]
_MODULES: Final = {
    "AsyncClient": "videogen.client",
    "Client": "videogen.client",
    "allow": "videogen.jobs.moderation",
    "connect": "videogen.client",
    "engine": "videogen.engines.function",
    "flag": "videogen.jobs.moderation",
    "launch": "videogen.server.launch",
    "mount": "videogen.server.launch",
    "refuse": "videogen.jobs.moderation",
}


def __getattr__(name: str) -> Any:
    # Loaded on demand: `import videogen` does no work and imports nothing heavy.
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
