"""The model's input of a job, and the settings of its engine: both follow from the rows of `inputs`."""

from __future__ import annotations

import copy
import math
import re
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal, Optional

from annotated_types import Ge, Le
from pydantic import BaseModel, Field, create_model
from pydantic.fields import FieldInfo

from videogen.core.errors import InvalidRequestError
from videogen.engines.base import Recipe, RenderRequest
from videogen.engines.remote.options import FixedInput, InputRow, Inputs, Scalar
from videogen.engines.settings import VideoSettings
from videogen.schemas.base import Model

MAX_SEED: Final = 2**31 - 1
"""The largest seed where a row names none: most models take 31 bits."""
FRAMES: Final = ("first_frame", "last_frame")
_FPS: Final = 24
_SECONDS: Final = 4.0
_LANDSCAPE: Final = (16, 9)
_SHORT_SIDE: Final = 720
_RATIOS: Final = ("16:9", "9:16", "1:1")
_RESOLUTIONS: Final = ("480p", "720p", "1080p")
_TYPES: Final[Mapping[str, Any]] = {"string": str, "integer": int, "number": float, "boolean": bool}


class Rows:
    """The rows of one engine's `inputs`."""

    def __init__(self, inputs: Inputs) -> None:
        self.rows = {name: row for name, row in inputs.items() if isinstance(row, InputRow)}
        """Those with a value of the recipe or a setting."""
        self._fixed = {
            name: value.value if isinstance(value, FixedInput) else value
            for name, value in inputs.items()
            if name not in self.rows
        }
        self._own = {_setting_name(name): row for name, row in self.rows.items() if row.source is None}
        self._has_size = bool({"width", "height"} & self._sources) or self._is_free_size

    def row_of(self, source: str) -> InputRow | None:
        """The row that sends this part of the recipe."""
        return next((row for row in self.rows.values() if row.source == source), None)

    def settings_model(self) -> type[BaseModel]:
        """The settings of the engine: those of the rows, no others."""
        fields: dict[str, Any] = {}
        if self._has_size:
            fields |= {name: self._number(name, name) for name in ("width", "height")}
        else:
            fields |= {
                name: (Literal[choices], self._choice_field(name, choices))
                for name in ("size", "aspect_ratio", "resolution")
                if (choices := self._choices(name))
            }
        if self._sources & {"seconds", "num_frames"}:
            fields["duration_seconds"] = self._number("duration_seconds", "seconds")
        if "fps" in self._sources:
            fields["fps"] = self._number("fps", "fps")
        if "seed" in self._sources:
            seed = _copied("seed", low=0, high=self._max_seed)
            fields["seed"] = (Optional[int], seed)  # noqa: UP045 - as pydantic reads it
        fields |= {name: _own_field(name, row) for name, row in self._own.items()}
        made: type[BaseModel] = create_model("RemoteSettings", __base__=Model, **fields)
        return made

    def recipe(self, engine: Any, request: RenderRequest) -> Recipe:
        """The recipe of a request; `settings` holds the rows' own settings.

        Raises:
            pydantic.ValidationError: a setting is wrong.
            InvalidRequestError: the model needs a picture, and there is none.
        """
        values = engine.settings.model_validate(request.settings).model_dump(mode="json")
        last_digest = getattr(request, "last_digest", None)
        for source, digest, field in zip(
            FRAMES, (request.input_digest, last_digest), ("inputFileId", "lastFrameFileId"), strict=True
        ):
            row = self.row_of(source)
            if row and row.required and digest is None:
                raise InvalidRequestError(field, "a picture of yours, since the model starts from one", None)
        width, height = self._pixels(values)
        fps = round(values.get("fps") or _FPS)
        seconds = values.get("duration_seconds") or _SECONDS
        seed = values.get("seed")
        kept = (*self._own, "size", "aspect_ratio", "resolution")
        frames = {} if last_digest is None else {"last_digest": last_digest}
        return Recipe(
            type=request.type,
            engine=engine.id,
            engine_version=engine.version,
            prompt=request.prompt,
            negative_prompt=request.negative_prompt,
            seed=secrets.randbelow(self._max_seed + 1) if seed is None else seed,
            width=width // 2 * 2,
            height=height // 2 * 2,
            fps=fps,
            num_frames=max(1, round(seconds * fps)) if request.type == "video" else 1,
            settings={name: values[name] for name in kept if values.get(name) is not None},
            input_digest=request.input_digest,
            **frames,
        )

    def input_of(self, recipe: Recipe, picture: Callable[[Path], Any] | None = None) -> dict[str, Any]:
        """The model's input, nested as it is sent; what has no value is left out.

        Args:
            recipe: what to render.
            picture: makes a value of the path of a picture; None: frames are left out.
        """
        nested: dict[str, Any] = {}
        for name, value in self._fixed.items():
            _put(nested, name, value)
        for name, row in self.rows.items():
            if row.source in FRAMES:
                path = recipe.input_path if row.source == "first_frame" else getattr(recipe, "last_path", None)
                value = picture(path) if picture and path else None
            elif row.source is None:
                value = recipe.settings.get(_setting_name(name))
            else:
                value = _sent(row, _part(row, recipe))
            if value is not None and value != "":
                _put(nested, name, value)
        return nested

    @property
    def _sources(self) -> set[str]:
        return {row.source for row in self.rows.values() if row.source}

    @property
    def _is_free_size(self) -> bool:
        row = self.row_of("size")
        return row is not None and not row.choices

    @property
    def _max_seed(self) -> int:
        row = self.row_of("seed")
        return int(row.maximum) if row and row.maximum is not None else MAX_SEED

    def _choices(self, source: str) -> tuple[str, ...]:
        row = self.row_of(source)
        usual = {"aspect_ratio": _RATIOS, "resolution": _RESOLUTIONS}.get(source, ())
        return () if row is None else tuple(map(str, row.choices or usual))

    def _choice_field(self, source: str, choices: tuple[str, ...]) -> FieldInfo:
        row = self.row_of(source)
        default = row.default if row and row.default is not None else choices[0]
        title = (row.title if row else "") or source.replace("_", " ").capitalize()
        group: dict[str, Any] = {"group": "Size"}
        return FieldInfo(default=str(default), title=title, json_schema_extra=group)

    def _number(self, setting: str, source: str) -> tuple[Any, FieldInfo]:
        """A field of `VideoSettings` with the default and the bounds of a row."""
        row = self.row_of(source) or self._seconds_of_frames()
        default = None if row.default is None else _as_number(row.default)
        if row.choices:
            numbers = tuple(_whole(_as_number(choice)) for choice in row.choices)
            field = _copied(setting, default=numbers[0] if default is None else _whole(default))
            field.metadata = []
            return Literal[numbers], field
        kind: Any = VideoSettings.model_fields[setting].annotation
        usual = VideoSettings.model_fields[setting].default
        low, high = row.minimum, row.maximum
        default = min(max(usual, low or usual), high or usual) if default is None else default
        return kind, _copied(setting, default=kind(default), low=low, high=high)

    def _seconds_of_frames(self) -> InputRow:
        """The bounds of a length that follow from those of the number of frames, at the usual rate."""
        frames, rate = self.row_of("num_frames"), self.row_of("fps")
        if frames is None:
            return InputRow(source="seconds")
        counts = [_as_number(choice) for choice in frames.choices or ()]
        low, high = (min(counts), max(counts)) if counts else (frames.minimum, frames.maximum)
        fps = _as_number(rate.default) if rate and rate.default is not None else _FPS
        bounds = {name: round(count / fps, 2) for name, count in (("minimum", low), ("maximum", high)) if count}
        return InputRow(source="seconds", **bounds)

    def _pixels(self, values: Mapping[str, Any]) -> tuple[int, int]:
        """Width and height of the result, as far as they are known from the settings."""
        if self._has_size:
            return values["width"], values["height"]
        if found := re.fullmatch(r"(\d+)\s*[x*]\s*(\d+)", str(values.get("size", ""))):
            return int(found[1]), int(found[2])
        ratio = re.fullmatch(r"(\d+):(\d+)", str(values.get("aspect_ratio", "")))
        wide, tall = (int(ratio[1]), int(ratio[2])) if ratio else _LANDSCAPE
        short = _short_side(str(values.get("resolution", "")))
        return round(short * max(1.0, wide / tall)), round(short * max(1.0, tall / wide))


def _part(row: InputRow, recipe: Recipe) -> Scalar:
    """The part of a recipe that a row sends, before it is bounded."""
    match row.source:
        case "seconds":
            return recipe.duration_seconds
        case "size":
            return str(recipe.settings.get("size") or f"{recipe.width}x{recipe.height}")
        case "aspect_ratio":
            return str(recipe.settings.get("aspect_ratio") or _nearest_ratio(row, recipe))
        case "resolution":
            sides = {str(choice): _short_side(str(choice)) for choice in row.choices or _RESOLUTIONS}
            short = min(recipe.width, recipe.height)
            return str(recipe.settings.get("resolution") or min(sides, key=lambda one: abs(sides[one] - short)))
        case source:
            value: Scalar = getattr(recipe, str(source))
            return value


def _sent(row: InputRow, value: Scalar) -> Scalar:
    """A value as the model takes it: one of its choices, within its bounds, of its type."""
    if isinstance(value, str):
        return value
    if row.choices:
        return min(row.choices, key=lambda choice: abs(_as_number(choice) - value))
    number = min(
        max(value, value if row.minimum is None else row.minimum), value if row.maximum is None else row.maximum
    )
    if row.type == "string":
        return f"{number:g}"
    return round(number) if row.type == "integer" else _whole(number)


def _nearest_ratio(row: InputRow, recipe: Recipe) -> str:
    if not row.choices:
        common = math.gcd(recipe.width, recipe.height)
        return f"{recipe.width // common}:{recipe.height // common}"
    known = {str(choice): re.fullmatch(r"(\d+):(\d+)", str(choice)) for choice in row.choices}
    ratios = {name: int(found[1]) / int(found[2]) for name, found in known.items() if found}
    wanted = recipe.width / recipe.height
    return min(ratios, key=lambda name: abs(math.log(ratios[name] / wanted)), default=str(row.choices[0]))


def _own_field(name: str, row: InputRow) -> tuple[Any, FieldInfo]:
    """A setting that the model alone knows."""
    sample = row.default if row.default is not None else (row.choices or (None,))[0]
    kind: Any = Literal[row.choices] if row.choices else _TYPES[row.type] if row.type else type(sample)
    default = row.default
    if default is None and row.choices:
        default = row.choices[0]
    bounds = {} if row.choices or kind in (str, bool) else {"ge": row.minimum, "le": row.maximum}
    title = row.title or name.replace("_", " ").capitalize()
    group: dict[str, Any] = {"group": "Model"}
    field: FieldInfo = Field(
        default=default, title=title, description=row.description or None, json_schema_extra=group, **bounds
    )  # type: ignore[call-overload]
    return (kind if default is not None else kind | None), field


def _copied(setting: str, *, default: Any = None, low: float | None = None, high: float | None = None) -> FieldInfo:
    """A field of `VideoSettings` with another default and other bounds; what is None stays."""
    field = copy.copy(VideoSettings.model_fields[setting])
    if default is not None:
        field.default = default
    replaced = (*((Ge,) if low is not None else ()), *((Le,) if high is not None else ()))
    field.metadata = [part for part in field.metadata if not isinstance(part, replaced)]
    field.metadata += [Ge(low)] if low is not None else []
    field.metadata += [Le(high)] if high is not None else []
    return field


def _setting_name(name: str) -> str:
    """The name of the setting for a field of the model's input."""
    made = re.sub(r"\W+", "_", name).strip("_").lower()
    is_taken = hasattr(BaseModel, made) or made.startswith("model_") or not made.isidentifier()
    return f"input_{made}" if is_taken else made


def _put(nested: dict[str, Any], name: str, value: Any) -> None:
    *folders, last = name.split(".")
    for folder in folders:
        nested = nested.setdefault(folder, {})
    nested[last] = value


def _as_number(value: Scalar) -> float:
    """The number in a value such as 5, "5" or "8s"."""
    found = re.match(r"\d+(\.\d+)?", str(value))
    return float(found[0]) if found else 0.0


def _whole(value: float) -> int | float:
    return int(value) if value == int(value) else value


def _short_side(resolution: str) -> int:
    """The pixels of the shorter side in `720p`, `480`, `2k` or `4K`."""
    found = re.match(r"(\d+)\s*([pk]?)", resolution.lower())
    if not found:
        return _SHORT_SIDE
    return int(found[1]) * 540 if found[2] == "k" else int(found[1])
