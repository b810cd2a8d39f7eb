"""The decorator that makes an engine of a function that yields frames."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from videogen.engines.base import Artifact, Preset, Recipe, RenderContext, RenderFailed, RenderRequest
from videogen.engines.settings import VideoSettings, video_recipe
from videogen.schemas.engines import Capabilities

FrameFunction = Callable[..., Iterable[Any]]
"""Takes `(recipe)` or `(recipe, ctx)` and yields `recipe.num_frames` uint8 arrays of shape (H, W, 3), RGB."""


@dataclass(eq=False)
class FunctionEngine:
    """An engine that renders with a function that yields frames. Calling it calls the function."""

    function: FrameFunction
    id: str
    version: str
    title: str
    description: str
    settings: type[BaseModel]
    capabilities: Capabilities
    presets: Sequence[Preset] = ()

    def __post_init__(self) -> None:
        self._wants_context = _takes_context(self.function)

    def __call__(self, *args: Any) -> Iterable[Any]:
        """Call the decorated function."""
        return self.function(*args)

    def probe(self) -> Capabilities:
        return self.capabilities

    def normalise(self, request: RenderRequest) -> Recipe:
        return video_recipe(self, request)

    def render(self, recipe: Recipe, ctx: RenderContext) -> Artifact:
        """Encode what the function yields; for an image, its first frame.

        Raises:
            RenderFailed: it does not yield the frames of this recipe.
        """
        # Imported here: it imports numpy and av, which the web process does not need.
        from videogen.engines.frames import first_frame, render_sequence, render_still

        frames = self.function(recipe, ctx) if self._wants_context else self.function(recipe)
        if not isinstance(frames, Iterable):
            raise RenderFailed(
                f"Engine {self.id}: expected a function that yields frames, got one that returns "
                f"{type(frames).__name__}. Use `yield`, or return an iterable."
            )
        if recipe.type == "image":
            return render_still(recipe, ctx, lambda: first_frame(frames))
        return render_sequence(recipe, ctx, frames)


def engine(
    name: str,
    *,
    title: str = "",
    version: str = "1",
    settings: type[VideoSettings] = VideoSettings,
    capabilities: Capabilities | None = None,
    presets: Sequence[Preset] = (),
) -> Callable[[FrameFunction], FunctionEngine]:
    """Make an engine of a function that yields frames. The function's docstring becomes the description.

    Args:
        name: the engine's id.
        title: the name that people read; made from `name` if empty.
        version: change it when the same recipe gives another video.
        settings: a subclass of `VideoSettings` with the engine's own fields, which are in `recipe.settings`.
        capabilities: what `probe` returns; the default if None.
        presets: prompts with settings that the page offers as pictures.

    Raises:
        TypeError: the function takes neither `(recipe)` nor `(recipe, ctx)`.
    """

    def decorate(function: FrameFunction) -> FunctionEngine:
        return FunctionEngine(
            function=function,
            id=name,
            version=version,
            title=title or name.replace("-", " ").replace("_", " ").capitalize(),
            description=inspect.getdoc(function) or "",
            settings=settings,
            capabilities=capabilities or Capabilities(),
            presets=presets,
        )

    return decorate


def _takes_context(function: FrameFunction) -> bool:
    signature = inspect.signature(function)
    for count in (2, 1):
        with suppress(TypeError):
            signature.bind(*range(count))
            return count == 2
    raise TypeError(f"{function}: expected a function of (recipe) or (recipe, ctx), got {signature}")
