"""Presets of the built-in engine: prompts with seeds. Their posters are in this folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from videogen.engines.base import Preset

FOLDER: Final = Path(__file__).parent
_WIDE: Final = {"width": 854, "height": 480}
_SQUARE: Final = {"width": 480, "height": 480}
_FULL: Final = {"width": 1280, "height": 720}


def _preset(title: str, prompt: str, seed: int, *, negative: str = "", type_: str = "video", **settings: Any) -> Preset:
    name = "-".join(title.lower().split())
    size = settings.pop("size", _WIDE)
    values = size | ({"fps": 24, "durationSeconds": 4.0} if type_ == "video" else {}) | settings | {"seed": seed}
    return Preset(
        id=name,
        title=title,
        prompt=prompt,
        negative_prompt=negative,
        type=type_,
        settings=values,
        poster=FOLDER / f"{name}.webp",
    )


PRESETS: Final = (
    _preset("Golden sea", "Ocean at sunset, calm sea, a sailing boat, slow pan to the right", 21),
    _preset("Neon rain", "Neon city in the rain at night, reflections, slow zoom in", 12),
    _preset("Northern lights", "Green aurora over snowy mountains and a lake at night, stars, tilt up", 11),
    _preset("Lantern festival", "Lantern festival over a lake at night, slow push in", 7),
    _preset("Balloons at dawn", "Three hot air balloons over mountains at sunrise, watercolour", 19),
    _preset("Under the sea", "Underwater with many fish, seamless loop", 6),
    _preset("Red planet", "A red planet in space with a nebula and stars", 3, type_="image", size=_FULL),
    _preset("Violet silk", "Colourful abstract silk, seamless loop", 13, size=_SQUARE),
)
