"""What renders. This module gives an author of an engine all that is needed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

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
)
from videogen.engines.function import engine
from videogen.engines.settings import VideoSettings, video_recipe
from videogen.schemas.engines import Capabilities, Cost, Explanation
from videogen.schemas.generations import Understanding, UnderstoodPhrase

if TYPE_CHECKING:
    from videogen.engines.frames import read_input, read_last, render_at, render_sequence, render_still

__all__ = [
    "Artifact", "Capabilities", "Cost", "Engine", "Explanation", "NeedsAttention", "Preset", "ProcessPolicy", "Recipe",
    "RenderCancelled", "RenderContext", "RenderEnd", "RenderFailed", "RenderLost", "RenderRequest", "Understanding",
    "UnderstoodPhrase", "VideoSettings", "engine", "read_input", "read_last", "render_at", "render_sequence",
    "render_still", "video_recipe",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in __all__:  # imported on first use: `frames` needs numpy and av, and the web process does not
        return getattr(import_module("videogen.engines.frames"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
