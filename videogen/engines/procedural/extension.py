"""What comes after a drawn video: its time and motion go on, or it fades into another scene."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from videogen.engines.base import Recipe, RenderRequest
from videogen.engines.procedural.language import SceneSpec, from_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TIMELINE: Final = "timeline"
"""The setting of a recipe that goes on from another one: `begin` and `base` in seconds, and the scene before it.

`base` is the length that the scene was built for, which decides its motion; `begin` is where in it the recipe begins.
"""
_LIGHT: Final = ("time", "palette", "mood", "style")


def can_go_on(request: RenderRequest, recipe: Recipe, before: Recipe) -> bool:
    """Whether a recipe can go on from a scene instead of its last frame: the same program has drawn it as it would."""
    same = all(getattr(recipe, name) == getattr(before, name) for name in ("width", "height", "fps", "engine_version"))
    drawn = "scene" in before.settings and before.input_digest is None and before.last_digest is None
    return same and drawn and before.type == "video" and request.last_digest is None


def going_on(recipe: Recipe, before: Recipe) -> Recipe:
    """The recipe of what comes after `before`: the same scene goes on, another one begins with a fade."""
    scene = recipe.settings["scene"]
    then = before.settings.get(TIMELINE) or {}
    base = then.get("base", before.duration_seconds)
    end = then.get("begin", 0.0) + before.duration_seconds
    if scene == before.settings["scene"] and recipe.seed == before.seed:
        timeline: dict[str, Any] = {"begin": round(end, 6), "base": base}
    else:
        old = {"scene": before.settings["scene"], "seed": before.seed, "begin": round(end, 6), "base": base}
        timeline = {"begin": 0.0, "base": recipe.duration_seconds, "before": old}
    return recipe.model_copy(update={"settings": recipe.settings | {TIMELINE: timeline}})


def without_light(scene: dict[str, Any], before: Recipe) -> dict[str, Any]:
    """A scene for a picture that was lit for the same prompt already: it is not lit again."""
    lit = before.input_digest is not None and before.settings.get("scene") == scene
    if not lit:
        return scene
    shots = [{name: value for name, value in shot.items() if name not in _LIGHT} for shot in scene["shots"]]
    return {**scene, "shots": shots}


def frames_of(recipe: Recipe, spec: SceneSpec) -> Callable[[int], NDArray[np.uint8]]:
    """Make the frames of a recipe with a timeline, by number: uint8 arrays of shape (H, W, 3), RGB."""
    from videogen.engines.procedural.scene import FADE_SECONDS, build_scene, crossfade

    timeline, size, fps = recipe.settings[TIMELINE], (recipe.width, recipe.height), recipe.fps
    scene = build_scene(spec, size, recipe.seed, timeline["base"])
    old = timeline.get("before")
    if old is None or spec.shots[0].transition == "cut":
        return lambda index: scene.frame(timeline["begin"] + index / fps)
    before = build_scene(from_json(old["scene"]), size, old["seed"], old["base"])
    fade = max(1, round(min(FADE_SECONDS, 0.4 * recipe.duration_seconds) * fps))

    def frame(index: int) -> NDArray[np.uint8]:
        shown = scene.frame(timeline["begin"] + index / fps)
        if index >= fade:
            return shown
        return crossfade(before.frame(old["begin"] + index / fps), shown, index / fade)

    return frame
