"""The form: what an engine lets one choose, and what was chosen, as a request."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from videogen.core import i18n as language
from videogen.schemas.engines import EngineInfo, PresetInfo
from videogen.schemas.generations import GenerationCreate
from videogen.ui.schema import COMFORTABLE, SettingField, comfortable_fields, lacking, own_fields

SHAPES: Final = {"16:9": (16, 9), "1:1": (1, 1), "9:16": (9, 16)}
CUSTOM: Final = "custom"
"""The shape whose width and height are typed."""
LIKE_IMAGE: Final = "image"
"""The shape of the image to start from; width and height are those of `start_image.like_image`."""
DETAILS: Final = (288, 480, 720, 1080)
SHORTEST: Final = 0.5
"""Seconds; where a schema says no more than that a length is above nothing."""
FPS: Final = (8, 12, 16, 24, 25, 30, 60)
MAX_SEED_DIGITS: Final = 18


_CAPABILITIES: Final = ("last_frame", "last_frame_alone", "extend", "exact_progress", "visitor_account", "types")


class FormError(ValueError):
    """Something in the form cannot be sent; `key` and `values` say which field, what was expected and what came."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(language.catalog(language.DEFAULT).gettext(key, **values))
        self.key, self.values = key, values


@dataclass(frozen=True, slots=True)
class EngineForm:
    """What the form offers for one engine."""

    id: str
    title: str
    version: str
    description: str
    available: bool
    reason: str | None
    negative: bool
    image: bool
    last_frame: bool
    last_frame_alone: bool
    extend: bool
    """Whether it starts from an image, ends with one, does so without one to start from; goes on from a video."""
    exact_progress: bool
    visitor_account: bool
    """Whether it renders on the own account of whoever has signed in."""
    types: tuple[str, ...]
    """What it makes: `video`, `image`."""
    details: tuple[str, ...]
    multiple: int
    """Width and height are multiples of this."""
    min_seconds: float
    max_seconds: float
    seconds: float
    longest: float  # of a video that goes on from another one: the whole
    fps_choices: tuple[int, ...]
    fps: int
    sizes: Mapping[str, Mapping[str, tuple[int, int]]]
    """Width and height in pixels, by shape and detail."""
    max_pixels: int
    """Width times height."""
    max_prompt_chars: int
    basics: Mapping[str, SettingField]
    """What the engine says of the settings that each has a control of its own for."""
    lacks: tuple[str, ...]
    """Those of them that it does not have."""
    fields: tuple[SettingField, ...]
    """The engine's own settings."""
    presets: tuple[PresetInfo, ...]

    @property
    def start(self) -> tuple[int, int]:
        """Width and height that the form begins with: the engine's own, if the app allows them."""
        width, height = self.basics["width"].default, self.basics["height"].default
        if isinstance(width, int) and isinstance(height, int) and width * height <= self.max_pixels:
            return width, height
        return self.sizes["16:9"][self.details[0]]

    def place(self, pixels: tuple[int, int]) -> tuple[str, str]:
        """Shape and detail of a size; `CUSTOM` for one that is not among them."""
        places = {one: (shape, detail) for shape, sizes in self.sizes.items() for detail, one in sizes.items()}
        return places.get(pixels, (CUSTOM, self.details[0]))


@dataclass(frozen=True, slots=True)
class Limits:
    """What the app allows, whatever the engine could do."""

    max_pixels: int = 1920 * 1080
    max_seconds: float = 20.0
    max_prompt_chars: int = 2000
    max_upload_mb: float = 20.0


def engine_form(engine: EngineInfo, limits: Limits) -> EngineForm:
    """Read the engine's JSON Schema; where it says nothing, common choices are offered."""
    basics = comfortable_fields(engine.settings_schema)
    width, height, seconds, fps = (basics[name] for name in ("width", "height", "durationSeconds", "fps"))
    multiple = math.lcm(2, int(width.multiple or 1), int(height.multiple or 1))
    details = _details(basics, multiple, limits.max_pixels)
    most = min(limits.max_seconds, seconds.maximum or math.inf)
    least = min(most, seconds.minimum or (SHORTEST if seconds.above is not None else 1.0))
    rates, rate = _rates(fps)
    return EngineForm(
        **{name: getattr(engine, name) for name in ("id", "title", "version", "description", "available", "reason")},
        negative=engine.capabilities.negative_prompt,
        image=engine.capabilities.image_input,
        **{name: getattr(engine.capabilities, name) for name in _CAPABILITIES},
        details=details,
        multiple=multiple,
        min_seconds=least,
        max_seconds=most,
        longest=limits.max_seconds,
        seconds=min(most, max(least, seconds.default or 4.0)),
        fps_choices=rates,
        fps=rate,
        sizes={shape: {short: size(shape, int(short), multiple) for short in details} for shape in SHAPES},
        max_pixels=limits.max_pixels,
        max_prompt_chars=limits.max_prompt_chars,
        basics=basics | {"durationSeconds": replace(seconds, maximum=most)},
        lacks=lacking(engine.settings_schema),
        fields=own_fields(engine.settings_schema),
        presets=engine.presets,
    )


def _details(basics: Mapping[str, SettingField], multiple: int, max_pixels: int) -> tuple[str, ...]:
    """The details that fit into the engine's sizes and the app's, at least the smallest."""
    width, height = basics["width"], basics["height"]
    longest = min(width.maximum or math.inf, height.maximum or math.inf)
    shortest = max(width.minimum or 0, height.minimum or 0)
    fitting = [
        str(short)
        for short in DETAILS
        if shortest <= short
        and max(size("16:9", short, multiple)) <= longest
        and math.prod(size("16:9", short, multiple)) <= max_pixels
    ]
    return tuple(fitting) or (str(DETAILS[0]),)


def _rates(fps: SettingField) -> tuple[tuple[int, ...], int]:
    """The frame rates to choose from, and the one to begin with."""
    given = [value for _, value in fps.choices]
    rates = given or [rate for rate in FPS if (fps.minimum or 1) <= rate <= (fps.maximum or math.inf)]
    rates = rates or [int(fps.minimum or fps.maximum or 24)]
    wanted = fps.default or 24
    return tuple(rates), wanted if wanted in rates else rates[len(rates) // 2]


def size(shape: str, short: int, multiple: int) -> tuple[int, int]:
    """Width and height in pixels of a shape whose short side is about `short`."""
    across, down = SHAPES[shape]
    unit = short / min(across, down)
    return _nearest(across * unit, multiple), _nearest(down * unit, multiple)


_FROM: Final = {"input_file_id": "inputFileId", "last_frame_file_id": "lastFrameFileId", "extend": "extend"}


def request(
    values: Sequence[Any], engines: Sequence[EngineForm], wishes: Mapping[str, Any] | None = None
) -> GenerationCreate:
    """What was chosen, in the order of the form's fields, as a request.

    Args:
        wishes: what the plain parts of the form ask for: `type`, `variations`, `inputFileId`, `lastFrameFileId`,
            `extend`, `size` (a typed width and height), `settings` (the engine's own).

    Raises:
        FormError: a value cannot be sent; everything else is left to the API to check.
    """
    prompt, negative, shape, detail, seconds, fps, seed, engine_id = values
    wishes = wishes or {}
    engine = next((one for one in engines if one.id == engine_id), None)
    video = wishes.get("type", "video") == "video"
    most = engine.max_prompt_chars if engine else None
    prompt, negative = read_text("prompt", prompt, most), read_text("negative", negative, most)
    if not prompt:
        raise FormError("form.prompt_missing" if video else "form.prompt_missing_image")
    width, height = pixels(shape, detail, engine, wishes.get("size"))
    settings = {
        "width": width,
        "height": height,
        "durationSeconds": seconds if video else None,
        "fps": fps if video else None,
        "seed": read_seed(seed),
    }
    lacks = engine.lacks if engine else ()
    return GenerationCreate(
        type=wishes.get("type") or "video",
        variations=wishes.get("variations") or 1,
        **{name: wishes.get(key) or None for name, key in _FROM.items()},
        prompt=prompt,
        negative_prompt=negative if engine is None or engine.negative else "",
        engine=engine_id or None,
        settings=_own(wishes)
        | {name: value for name, value in settings.items() if value is not None and name not in lacks},
    )


def pixels(shape: object, detail: Any, engine: EngineForm | None, typed: object) -> tuple[int, int]:
    """Width and height in pixels: of a shape and a detail, or as they were typed.

    Raises:
        FormError: they are neither.
    """
    if shape in (CUSTOM, LIKE_IMAGE):
        width, height = typed if isinstance(typed, list | tuple) and len(typed) == 2 else (None, None)
        if not (type(width) is int and type(height) is int):
            raise FormError("form.custom_expected", got=repr(typed))
        return width, height
    try:
        return size(str(shape), int(detail), engine.multiple if engine else 2)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise FormError("form.size_expected", got=repr(f"{shape} {detail}")) from None


def _own(wishes: Mapping[str, Any]) -> dict[str, Any]:
    """The engine's own settings that were set; the API checks them."""
    own = wishes.get("settings")
    return {str(name): value for name, value in own.items() if name not in COMFORTABLE} if isinstance(own, dict) else {}


def values_of(wanted: GenerationCreate, engine: EngineForm) -> dict[str, Any]:
    """A request as values of the form's fields, by field name: the reverse of `FormFields.request`.

    Args:
        wanted: settings that it does not name get the engine's defaults, and no seed stays none.
        engine: the one that the form then shows.
    """
    given = {name: value for name, value in wanted.settings.items() if value is not None}
    width, height = pixels = given.get("width", engine.start[0]), given.get("height", engine.start[1])
    shape, detail = engine.place(pixels)
    own = {f"{engine.id}.{one.name}": _typed(one, given.get(one.name, one.default)) for one in engine.fields}
    return own | {
        "engine": engine.id,
        "type": wanted.type,
        "variations": wanted.variations,
        "prompt": wanted.prompt,
        "negative": wanted.negative_prompt,
        "image_id": wanted.input_file_id or "",
        "last_id": wanted.last_frame_file_id or "",
        "extend_id": wanted.extend or "",
        "shape": shape,
        "detail": detail,
        "width": width,
        "height": height,
        # A still has neither a length nor a frame rate. A length is whole frames: what it is short of them is noise.
        "seconds": round(given.get("durationSeconds") or engine.seconds, 3),
        "fps": given.get("fps") or engine.fps,
        "seed": "" if given.get("seed") is None else str(given["seed"]),
    }


def _typed(field: SettingField, value: Any) -> Any:
    """The value as its component takes it."""
    return orjson.dumps(value).decode() if field.kind == "json" and value is not None else value


def read_text(name: str, text: object, most: int | None) -> str:
    """What was typed into the field `prompt` or `negative`, without the space around it.

    Raises:
        FormError: it is longer than `most` characters.
    """
    plain = str(text or "").strip()
    if most is not None and len(plain) > most:
        raise FormError(f"form.{name}_long", count=len(plain), most=most)
    return plain


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
