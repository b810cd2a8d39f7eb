"""A picture that this engine drew has its light already: to animate it with its own prompt changes no colours."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from PIL import Image

from videogen.engines.procedural.language import SceneSpec, ShotSpec, from_json
from videogen.engines.procedural.photo.prompt import restrict_to_photo

_MAX_TEXT = 1_000_000


def scene_of(path: Path | None) -> SceneSpec | None:
    """The scene in the recipe that a still of this engine carries; None for any other picture."""
    if path is None:
        return None
    try:
        with Image.open(path) as image:
            text = image.info.get("Comment", "")
        if not isinstance(text, str) or len(text) > _MAX_TEXT:
            return None
        recipe = json.loads(text)
        is_own = recipe["engine"] == "procedural" and recipe["type"] == "image" and recipe.get("inputDigest") is None
        return restrict_to_photo(from_json(recipe["settings"]["scene"])) if is_own else None
    except (OSError, SyntaxError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None  # the picture itself is read, and refused, elsewhere


def new_light(shot: ShotSpec, shown: SceneSpec | None) -> ShotSpec:
    """The shot with only the light that the picture has not yet."""
    if shown is None:
        return shot
    had = shown.shots[0]
    weather = {subject.kind for subject in had.subjects}
    return replace(
        shot,
        subjects=tuple(subject for subject in shot.subjects if subject.kind not in weather),
        time="" if shot.time == had.time else shot.time,
        palette=tuple(colour for colour in shot.palette if colour not in had.palette),
        mood="" if shot.mood == had.mood else shot.mood,
        style="" if shot.style == had.style else shot.style,
    )
