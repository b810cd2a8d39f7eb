"""Builds the app and runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from videogen.server.app import create_app
    from videogen.server.run import serve

__all__ = ["create_app", "serve"]


def __getattr__(name: str) -> Any:
    # At their first use: a worker needs neither FastAPI nor uvicorn.
    if name == "create_app":
        from videogen.server.app import create_app

        return create_app
    if name == "serve":
        from videogen.server.run import serve

        return serve
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
