"""What renders. This module gives an author of an engine all that is needed; each name is imported on first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from videogen.engines.base import (
        Artifact,
        Engine,
        NeedsAttention,
        Preset,
        ProcessPolicy,
        Recipe,
        RenderCancelled,
        RenderContext,
        RenderEnd,
        RenderFailed,
        RenderLost,
        RenderRequest,
    )  # fmt: skip
    from videogen.engines.frames import render_at, render_sequence
    from videogen.engines.function import engine
    from videogen.engines.settings import VideoSettings, video_recipe
    from videogen.engines.stills import read_input, render_still
    from videogen.schemas.engines import Capabilities

__all__ = [
    "Artifact", "Capabilities", "Engine", "NeedsAttention", "Preset", "ProcessPolicy", "Recipe", "RenderCancelled",
    "RenderContext", "RenderEnd", "RenderFailed", "RenderLost", "RenderRequest", "VideoSettings", "engine",
    "read_input", "render_at", "render_sequence", "render_still", "video_recipe",
]  # fmt: skip

_ELSEWHERE: Final = {
    "Capabilities": "videogen.schemas.engines",
    "VideoSettings": "videogen.engines.settings",
    "engine": "videogen.engines.function",
    "read_input": "videogen.engines.stills",
    "render_at": "videogen.engines.frames",
    "render_sequence": "videogen.engines.frames",
    "render_still": "videogen.engines.stills",
    "video_recipe": "videogen.engines.settings",
}


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module(_ELSEWHERE.get(name, "videogen.engines.base")), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
