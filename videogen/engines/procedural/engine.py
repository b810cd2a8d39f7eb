"""The built-in engine: scenes drawn with mathematics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel

from videogen.engines.base import Artifact, Recipe, RenderContext, RenderRequest
from videogen.engines.procedural.language import SceneSpec, describe, from_json, parse_prompt, to_json
from videogen.engines.procedural.photo.prompt import describe_photo, restrict_to_photo
from videogen.engines.procedural.presets import PRESETS
from videogen.engines.settings import VideoSettings, video_recipe
from videogen.schemas.engines import Capabilities
from videogen.schemas.generations import Understanding, UnderstoodPhrase

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
        "A procedural renderer, not a model: it draws scenes with mathematics. It knows some forty subjects, from "
        "oceans and cities to auroras, animals and fractals, in any light, weather and style. It moves through a "
        "picture of yours, too, and says what it understood."
    )
    settings: type[BaseModel] = ProceduralSettings
    presets = PRESETS

    def probe(self) -> Capabilities:
        """See `Engine.probe`."""
        return Capabilities(
            types=("video", "image"), negative_prompt=True, image_input=True, exact_progress=True, resume=True
        )

    def normalise(self, request: RenderRequest) -> Recipe:
        """See `Engine.normalise`. The recipe pins the scene, so that a later version reads nothing else into it."""
        recipe = video_recipe(self, request)
        spec = _parse(recipe)
        told = {
            "settings": recipe.settings | {"scene": to_json(spec.without_interpretations())},
            "understanding": understanding(spec),
        }
        return recipe.model_copy(update=told)

    def render(self, recipe: Recipe, ctx: RenderContext) -> Artifact:
        """See `Engine.render`. The first report says what was understood."""
        # Imported here: they pull numpy and av, which the web process does without.
        from videogen.engines.frames import render_at
        from videogen.engines.procedural.still import CLIP_SECONDS, best_still
        from videogen.engines.stills import render_still

        build, message = _scene_factory(recipe)
        size = (recipe.width, recipe.height)
        if recipe.type == "image":
            return render_still(recipe, ctx, lambda: best_still(lambda size: build(size, CLIP_SECONDS), size), message)
        scene = build(size, recipe.duration_seconds)
        return render_at(recipe, ctx, lambda index: scene.frame(index / recipe.fps), message, THREADS)


def pinned_scene(recipe: Recipe) -> SceneSpec:
    """The scene that a recipe pins, or, where it pins none, the one its prompt asks for."""
    scene = recipe.settings.get("scene")
    if scene is None:
        return _parse(recipe)
    ignored = recipe.understanding.ignored if recipe.understanding else ()
    return replace(from_json(scene), ignored=ignored)


def _parse(recipe: Recipe) -> SceneSpec:
    """What the prompt asks for, of a scene or of the picture that the recipe starts from."""
    spec = parse_prompt(recipe.prompt, recipe.negative_prompt)
    return spec if recipe.input_digest is None else restrict_to_photo(spec)


def understanding(spec: SceneSpec) -> Understanding:
    """What was made of a prompt, for people."""
    phrases = tuple(UnderstoodPhrase(phrase=found.phrase, became=found.became) for found in spec.understood)
    return Understanding(understood=phrases, ignored=spec.ignored, abstract=spec.is_guess)


def _scene_factory(recipe: Recipe) -> tuple[Callable[[tuple[int, int], float], Scene | PhotoScene], str]:
    """How to build the scene of a recipe for a size and a length in seconds, and what was understood of its prompt."""
    from videogen.engines.procedural.photo.scene import PhotoScene
    from videogen.engines.procedural.scene import build_scene
    from videogen.engines.stills import read_input

    spec = pinned_scene(recipe)
    if recipe.input_digest is not None:
        picture, shot = read_input(recipe), spec.shots[0]
        message = describe_photo(shot, spec.ignored)
        return lambda size, seconds: PhotoScene(picture, shot, size, recipe.seed, seconds), message
    # Cheap: a shot is built with its first frame, so that the first report goes out before.
    return lambda size, seconds: build_scene(spec, size, recipe.seed, seconds), describe(spec)
