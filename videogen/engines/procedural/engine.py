"""The built-in engine: draws scenes with mathematics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

from pydantic import BaseModel

from videogen.engines.base import Artifact, ProcessPolicy, Recipe, RenderContext, RenderRequest
from videogen.engines.procedural.extension import TIMELINE, can_go_on, frames_of, going_on, without_light
from videogen.engines.procedural.language import KINDS, SceneSpec, describe, from_json, parse_prompt, to_json
from videogen.engines.procedural.photo.prompt import (
    DEFAULT_MOTION,
    describe_move,
    describe_photo,
    restrict_to_camera,
    restrict_to_photo,
)
from videogen.engines.procedural.presets import PRESETS
from videogen.engines.settings import VideoSettings, video_recipe
from videogen.schemas.engines import Capabilities, Explanation
from videogen.schemas.generations import Understanding, UnderstoodPhrase

if TYPE_CHECKING:
    from videogen.engines.procedural.photo.cross_move import CrossMove
    from videogen.engines.procedural.photo.scene import PhotoScene
    from videogen.engines.procedural.scene import Scene

FIRST_AND_LAST: Final = "first and last frame"
"""How the two pictures are named among the phrases of the prompt."""
THREADS: Final = 2
"""Number of frames that are rendered at the same time. It does not change the result."""


class ProceduralSettings(VideoSettings):
    """Size, length and seed. The prompt decides everything else."""


class ProceduralEngine:
    """Needs no model, no GPU and no network. The same recipe gives the same bytes."""

    id = "procedural"
    version = "2"
    title = "Procedural"
    description = (
        "A procedural renderer, not a model: it draws scenes with mathematics. It knows some forty subjects, from "
        "oceans and cities to auroras, animals and fractals, in any light, weather and style. It moves through a "
        "picture of yours, too, or from one to another, and says what it understood."
    )
    settings: type[BaseModel] = ProceduralSettings
    presets = PRESETS
    process = ProcessPolicy(imports=("videogen.engines.frames", "videogen.engines.procedural.scene"))

    def probe(self) -> Capabilities:
        """See `Engine.probe`."""
        return Capabilities(
            types=("video", "image"), negative_prompt=True, image_input=True, last_frame=True,
            exact_progress=True, resume=True,
        )  # fmt: skip

    def normalise(self, request: RenderRequest) -> Recipe:
        """See `Engine.normalise`. The recipe contains the parsed scene, so that a later version does not parse it
        differently."""
        recipe = video_recipe(self, request)
        spec = _parse(recipe)
        update = {
            "settings": recipe.settings | {"scene": to_json(spec.without_interpretations())},
            "understanding": understanding(spec, has_last=recipe.last_digest is not None),
        }
        return recipe.model_copy(update=update)

    def extend(self, request: RenderRequest, before: Recipe) -> Recipe:
        """See `Engine`: a drawn scene goes on as if it had been longer; from all else, its last frame is a picture."""
        recipe = video_recipe(self, request.model_copy(update={"input_digest": None}))
        if not can_go_on(request, recipe, before):
            made = self.normalise(request)
            return made.model_copy(
                update={"settings": made.settings | {"scene": without_light(made.settings["scene"], before)}}
            )
        made = self.normalise(request.model_copy(update={"input_digest": None}))
        return going_on(made, before)

    def explain(self, request: RenderRequest) -> Explanation:
        """What of the prompt is drawn, and what is not. It costs nothing to render."""
        return Explanation(understanding=self.normalise(request).understanding)

    def render(self, recipe: Recipe, ctx: RenderContext) -> Artifact:
        """See `Engine.render`. The first report says what was understood."""
        # Imported here, because they import numpy and av, which the web process does not need.
        from videogen.engines.frames import render_at, render_still
        from videogen.engines.procedural.still import CLIP_SECONDS, best_still

        build, message = _scene_factory(recipe)
        size = (recipe.width, recipe.height)
        if recipe.type == "image":
            return render_still(recipe, ctx, lambda: best_still(lambda size: build(size, CLIP_SECONDS), size), message)
        if TIMELINE in recipe.settings:
            return render_at(recipe, ctx, frames_of(recipe, pinned_scene(recipe)), message, THREADS)
        scene = build(size, recipe.duration_seconds)
        return render_at(recipe, ctx, lambda index: scene.frame(index / recipe.fps), message, THREADS)


def pinned_scene(recipe: Recipe) -> SceneSpec:
    """The scene in the recipe. Without one, the prompt is parsed."""
    scene = recipe.settings.get("scene")
    if scene is None:
        return _parse(recipe)
    found = recipe.understanding or Understanding()
    return replace(from_json(scene), ignored=found.ignored, unused=found.unused)


def _parse(recipe: Recipe) -> SceneSpec:
    """The scene that the prompt describes. With an input picture: only what applies to a picture, or to two."""
    spec = parse_prompt(recipe.prompt, recipe.negative_prompt)
    if recipe.last_digest is not None:
        return restrict_to_camera(spec)
    return spec if recipe.input_digest is None else restrict_to_photo(spec)


def understanding(spec: SceneSpec, *, has_last: bool = False) -> Understanding:
    """What was understood of a prompt, for users; with a last frame, what becomes of the pictures as well."""
    phrases = tuple(
        UnderstoodPhrase(phrase=part.phrase, became=part.became, role=_role(part.became)) for part in spec.understood
    )
    if has_last:
        became = f"camera: {spec.shots[0].camera or DEFAULT_MOTION} from one to the other, with a dissolve"
        phrases = (UnderstoodPhrase(phrase=FIRST_AND_LAST, became=became, role="setting"), *phrases)
    return Understanding(
        understood=phrases, ignored=spec.ignored, unused=spec.unused, not_drawn=spec.not_drawn, abstract=spec.is_guess
    )


def _role(became: str) -> Literal["subject", "setting", "other"]:
    first = became.partition("; ")[0].partition(", ")[0]
    if first in KINDS:
        return "subject"
    return "setting" if ": " in first or first in ("loop", "title") else "other"


def _scene_factory(recipe: Recipe) -> tuple[Callable[[tuple[int, int], float], Scene | PhotoScene | CrossMove], str]:
    """A function that builds the scene for a size (width, height) and a length in seconds, and the text about the
    prompt."""
    from videogen.engines.frames import read_input, read_last
    from videogen.engines.procedural.photo.cross_move import CrossMove
    from videogen.engines.procedural.photo.own_still import new_light, scene_of
    from videogen.engines.procedural.photo.scene import PhotoScene
    from videogen.engines.procedural.scene import build_scene

    spec = pinned_scene(recipe)
    if recipe.last_digest is not None:
        pictures, shot, last = (read_input(recipe), read_last(recipe)), spec.shots[0], recipe.num_frames - 1
        message = describe_move(shot, spec)
        return lambda size, _: CrossMove(pictures, shot, size, recipe.seed, last / recipe.fps), message
    if recipe.input_digest is not None:
        picture, shot = read_input(recipe), spec.shots[0]
        message = describe_photo(shot, spec)
        light = new_light(shot, scene_of(recipe.input_path))
        return lambda size, seconds: PhotoScene(picture, shot, size, recipe.seed, seconds, light), message
    # Fast: shots are built when their first frame is rendered, after the first report.
    return lambda size, seconds: build_scene(spec, size, recipe.seed, seconds), describe(spec)
