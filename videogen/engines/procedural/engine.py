"""The built-in engine: scenes drawn with mathematics."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cache
from typing import TYPE_CHECKING

from pydantic import BaseModel

from videogen.engines.base import Artifact, Recipe, RenderContext, RenderRequest
from videogen.engines.settings import VideoSettings, video_recipe
from videogen.schemas import Capabilities

if TYPE_CHECKING:
    from videogen.engines.procedural.scene import Scene


class ProceduralSettings(VideoSettings):
    """Size, length and seed; everything else comes from the prompt."""


class ProceduralEngine:
    """Needs no model, no GPU and no network, and gives the same bytes for the same recipe."""

    id = "procedural"
    version = "1"
    title = "Procedural"
    description = (
        "A procedural renderer, not a model: it draws scenes with mathematics. It knows oceans, cities, "
        "auroras and abstract motion, with weather, light and camera moves, and says what it understood."
    )
    settings: type[BaseModel] = ProceduralSettings

    def probe(self) -> Capabilities:
        """See `Engine.probe`."""
        return Capabilities(negative_prompt=True, exact_progress=True, resume=True)

    def normalise(self, request: RenderRequest) -> Recipe:
        """See `Engine.normalise`."""
        return video_recipe(self, request)

    def render(self, recipe: Recipe, ctx: RenderContext) -> Artifact:
        """See `Engine.render`. The first report says what was understood."""
        # Imported here: they pull numpy and av, which the web process does without.
        from videogen.engines.frames import render_at
        from videogen.engines.procedural.scene import build_scene
        from videogen.engines.procedural.spec import describe, parse_prompt

        spec = parse_prompt(recipe.prompt, recipe.negative_prompt)
        with ExitStack() as stack:

            @cache
            def scene() -> Scene:
                size = (recipe.width, recipe.height)
                return stack.enter_context(build_scene(spec, size, recipe.seed, recipe.duration_seconds))

            # Built with the first frame, so that the report goes out before.
            return render_at(recipe, ctx, lambda index: scene().frame(index / recipe.fps), describe(spec))
