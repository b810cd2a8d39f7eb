"""The built-in engine: scenes drawn with mathematics."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel

from videogen.engines.base import Artifact, Recipe, RenderContext, RenderRequest
from videogen.engines.settings import VideoSettings, video_recipe
from videogen.schemas import Capabilities

if TYPE_CHECKING:
    from videogen.engines.procedural.photo.scene import PhotoScene
    from videogen.engines.procedural.scene import Scene

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
        "auroras and abstract motion, with weather, light and camera moves, moves through a picture of yours, "
        "and says what it understood."
    )
    settings: type[BaseModel] = ProceduralSettings

    def probe(self) -> Capabilities:
        """See `Engine.probe`."""
        return Capabilities(
            types=("video", "image"), negative_prompt=True, image_input=True, exact_progress=True, resume=True
        )

    def normalise(self, request: RenderRequest) -> Recipe:
        """See `Engine.normalise`."""
        return video_recipe(self, request)

    def render(self, recipe: Recipe, ctx: RenderContext) -> Artifact:
        """See `Engine.render`. The first report says what was understood."""
        # Imported here: they pull numpy and av, which the web process does without.
        from videogen.engines.frames import render_at
        from videogen.engines.procedural.still import CLIP_SECONDS, best_still
        from videogen.engines.stills import render_still

        build, message = _plan(recipe)
        size = (recipe.width, recipe.height)
        if recipe.type == "image":
            return render_still(recipe, ctx, lambda: best_still(lambda size: build(size, CLIP_SECONDS), size), message)
        scene = build(size, recipe.duration_seconds)
        return render_at(recipe, ctx, lambda index: scene.frame(index / recipe.fps), message, THREADS)


def _plan(recipe: Recipe) -> tuple[Callable[[tuple[int, int], float], Scene | PhotoScene], str]:
    """How to build the scene of a recipe for a size and a length in seconds, and what was understood of its prompt."""
    from videogen.engines.procedural.bridge import bridge
    from videogen.engines.procedural.photo.reading import read_wishes
    from videogen.engines.procedural.photo.scene import PhotoScene
    from videogen.engines.procedural.scene import build_scene
    from videogen.engines.procedural.spec import describe, parse_prompt
    from videogen.engines.stills import read_input

    if recipe.input_digest is not None:
        picture = read_input(recipe)
        shot, message = read_wishes(recipe.prompt, recipe.negative_prompt)
        return lambda size, seconds: PhotoScene(picture, shot, size, recipe.seed, seconds), message
    spec = parse_prompt(recipe.prompt, recipe.negative_prompt)
    # Cheap: a shot is built with its first frame, so that the first report goes out before.
    return lambda size, seconds: build_scene(bridge(spec), size, recipe.seed, seconds), describe(spec)
