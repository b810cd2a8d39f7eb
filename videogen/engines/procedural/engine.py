"""The built-in engine: scenes drawn with mathematics."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel

from videogen.engines.base import Artifact, Recipe, RenderContext, RenderRequest
from videogen.engines.settings import VideoSettings, video_recipe
from videogen.schemas import Capabilities

THREADS: Final = 2
"""Frames that are painted at the same time. Every number gives the same bytes."""


class ProceduralSettings(VideoSettings):
    """Size, length and seed; everything else comes from the prompt."""


class ProceduralEngine:
    """Needs no model, no GPU and no network, and gives the same bytes for the same recipe."""

    id = "procedural"
    version = "2"
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
        from videogen.engines.procedural.bridge import bridge
        from videogen.engines.procedural.scene import build_scene
        from videogen.engines.procedural.spec import describe, parse_prompt

        spec = parse_prompt(recipe.prompt, recipe.negative_prompt)
        size = (recipe.width, recipe.height)
        # Cheap: a shot is built with its first frame, so that the first report goes out before.
        scene = build_scene(bridge(spec), size, recipe.seed, recipe.duration_seconds)
        return render_at(recipe, ctx, lambda index: scene.frame(index / recipe.fps), describe(spec), THREADS)
