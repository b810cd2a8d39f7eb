"""The form: what an engine lets one choose, and what was chosen, as a request."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from videogen import language
from videogen.schemas import EngineInfo, GenerationCreate

SHAPES: Final = {"16:9": (16, 9), "1:1": (1, 1), "9:16": (9, 16)}
DETAILS: Final = (288, 480, 720, 1080)
FPS: Final = (8, 12, 16, 24, 25, 30, 60)
MAX_SEED_DIGITS: Final = 18


class FormError(ValueError):
    """Something in the form cannot be sent; `key` and `values` say which field, what was expected and what came."""

    def __init__(self, key: str, **values: str) -> None:
        super().__init__(language.words(language.DEFAULT).say(key, **values))
        self.key, self.values = key, values


@dataclass(frozen=True, slots=True)
class EngineForm:
    """What the form offers for one engine."""

    id: str
    title: str
    description: str
    available: bool
    reason: str | None
    negative: bool
    image: bool
    """Whether it starts from an image."""
    types: tuple[str, ...]
    """What it makes: `video`, `image`."""
    details: tuple[str, ...]
    multiple: int
    """Width and height are multiples of this."""
    min_seconds: float
    max_seconds: float
    seconds: float
    fps_choices: tuple[int, ...]
    fps: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What the app allows, whatever the engine could do."""

    max_pixels: int = 1920 * 1080
    max_seconds: float = 20.0
    max_prompt_chars: int = 2000
    max_upload_mb: float = 20.0


def engine_form(engine: EngineInfo, limits: Limits) -> EngineForm:
    """Read the engine's JSON Schema; where it says nothing, common choices are offered."""
    width, height = _number(engine, "width"), _number(engine, "height")
    seconds, fps = _number(engine, "durationSeconds"), _number(engine, "fps")
    multiple = math.lcm(2, int(width.get("multipleOf", 1)), int(height.get("multipleOf", 1)))
    longest = min(width.get("maximum", math.inf), height.get("maximum", math.inf))
    shortest = max(width.get("minimum", 0), height.get("minimum", 0))
    fitting = [
        short
        for short in DETAILS
        if shortest <= short
        and max(size("16:9", short, multiple)) <= longest
        and math.prod(size("16:9", short, multiple)) <= limits.max_pixels
    ]
    rates = fps.get("enum") or [rate for rate in FPS if fps.get("minimum", 1) <= rate <= fps.get("maximum", math.inf)]
    most = min(limits.max_seconds, seconds.get("maximum", math.inf))
    least = min(most, max(1.0, seconds.get("minimum", seconds.get("exclusiveMinimum", 1.0))))
    return EngineForm(
        id=engine.id,
        title=engine.title,
        description=engine.description,
        available=engine.available,
        reason=engine.reason,
        negative=engine.capabilities.negative_prompt,
        image=engine.capabilities.image_input,
        types=engine.capabilities.types,
        details=tuple(str(short) for short in fitting) or (str(DETAILS[0]),),
        multiple=multiple,
        min_seconds=least,
        max_seconds=most,
        seconds=min(most, max(least, seconds.get("default", 4.0))),
        fps_choices=tuple(rates),
        fps=fps.get("default", 24) if fps.get("default", 24) in rates else rates[len(rates) // 2],
    )


def size(shape: str, short: int, multiple: int) -> tuple[int, int]:
    """Width and height in pixels of a shape whose short side is about `short`."""
    across, down = SHAPES[shape]
    unit = short / min(across, down)
    return _nearest(across * unit, multiple), _nearest(down * unit, multiple)


def request(
    values: Sequence[Any], engines: Sequence[EngineForm], wishes: Mapping[str, Any] | None = None
) -> GenerationCreate:
    """What was chosen, in the order of the form's fields, as a request.

    Args:
        wishes: what the plain part of the form asks for: `type`, `variations`, `inputFileId`.

    Raises:
        FormError: a value cannot be sent; everything else is left to the API to check.
    """
    prompt, negative, shape, detail, seconds, fps, seed, engine_id = values
    if not str(prompt or "").strip():
        raise FormError("form.prompt_missing")
    engine = next((one for one in engines if one.id == engine_id), None)
    try:
        width, height = size(str(shape), int(detail), engine.multiple if engine else 2)
    except (KeyError, TypeError, ValueError):
        raise FormError("form.size_expected", got=repr(f"{shape} {detail}")) from None
    wishes = wishes or {}
    video = wishes.get("type", "video") == "video"
    settings = {
        "width": width,
        "height": height,
        "durationSeconds": seconds if video else None,
        "fps": fps if video else None,
        "seed": read_seed(seed),
    }
    return GenerationCreate(
        type=wishes.get("type") or "video",
        variations=wishes.get("variations") or 1,
        input_file_id=wishes.get("inputFileId") or None,
        prompt=str(prompt).strip(),
        negative_prompt=str(negative or "").strip() if engine is None or engine.negative else "",
        engine=engine_id or None,
        settings={name: value for name, value in settings.items() if value is not None},
    )


def read_seed(text: object) -> int | None:
    """The seed as typed; nothing means that one is drawn.

    Raises:
        FormError: it is not a whole number.
    """
    plain = str(text or "").strip()
    if not plain:
        return None
    if not (plain.isascii() and plain.isdigit() and len(plain) <= MAX_SEED_DIGITS):
        raise FormError("form.seed_expected", got=repr(plain[:40]))
    return int(plain)


def _nearest(pixels: float, multiple: int) -> int:
    return max(multiple, round(pixels / multiple) * multiple)


def _number(engine: EngineInfo, name: str) -> dict[str, Any]:
    """The part of the schema that bounds a number, also where it may be null."""
    found = engine.settings_schema.get("properties", {}).get(name, {})
    options = [found, *found.get("anyOf", ()), *found.get("allOf", ())]
    merged: dict[str, Any] = {}
    for option in options:
        merged |= {key: value for key, value in option.items() if key not in ("anyOf", "allOf")}
    return merged
