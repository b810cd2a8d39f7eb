"""The built-in engine: scenes drawn with mathematics."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from pydantic import BaseModel

from videogen.engines.base import Artifact, Recipe, RenderContext, RenderRequest
from videogen.engines.procedural.language import SceneSpec, describe, from_json, parse_prompt, to_json
from videogen.engines.settings import VideoSettings, video_recipe
from videogen.schemas import Capabilities, Understanding, UnderstoodPhrase

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
        """See `Engine.normalise`. The recipe pins the scene, so that a later version reads nothing else into it."""
        recipe = video_recipe(self, request)
        spec = parse_prompt(request.prompt, request.negative_prompt)
        told = {"settings": recipe.settings | {"scene": to_json(spec.silent())}, "understanding": understanding(spec)}
        return recipe.model_copy(update=told)

    def render(self, recipe: Recipe, ctx: RenderContext) -> Artifact:
        """See `Engine.render`. The first report says what was understood."""
        # Imported here: they pull numpy and av, which the web process does without.
        from videogen.engines.frames import render_at
        from videogen.engines.procedural.scene import build_scene

        spec = scene_of(recipe)
        size = (recipe.width, recipe.height)
        # Cheap: a shot is built with its first frame, so that the first report goes out before.
        scene = build_scene(spec, size, recipe.seed, recipe.duration_seconds)
        return render_at(recipe, ctx, lambda index: scene.frame(index / recipe.fps), describe(spec), THREADS)


def scene_of(recipe: Recipe) -> SceneSpec:
    """The scene that a recipe pins, or, where it pins none, the one its prompt asks for."""
    scene = recipe.settings.get("scene")
    if scene is None:
        return parse_prompt(recipe.prompt, recipe.negative_prompt)
    ignored = recipe.understanding.ignored if recipe.understanding else ()
    return replace(from_json(scene), ignored=ignored)


def understanding(spec: SceneSpec) -> Understanding:
    """What was made of a prompt, for people."""
    phrases = tuple(UnderstoodPhrase(phrase=found.phrase, became=found.became) for found in spec.understood)
    return Understanding(understood=phrases, ignored=spec.ignored, abstract=spec.is_guess)
