"""An engine's JSON Schema, read into the fields that the form shows for what is the engine's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

COMFORTABLE: Final = {
    "width": "integer",
    "height": "integer",
    "durationSeconds": "number",
    "fps": "integer",
    "seed": "integer",
}
"""Settings for which the form has controls of its own, and the type of one that a schema does not tell."""
Kind = Literal["integer", "number", "boolean", "choice", "text", "json"]
Schema = Mapping[str, Any]
_DEPTH: Final = 16
"""References followed in a row; a schema may lead in a circle."""


@dataclass(frozen=True, slots=True)
class SettingField:
    """One setting as the form asks for it. Bounds are None where there are none."""

    name: str
    title: str
    help: str
    group: str
    unit: str
    kind: Kind
    optional: bool
    """Whether it may be null."""
    required: bool
    """Whether a request without it is refused: it has no default."""
    default: Any
    minimum: float | None
    maximum: float | None
    above: float | None
    """It must be more than this."""
    below: float | None
    """It must be less than this."""
    multiple: float | None
    min_length: int | None
    max_length: int | None
    pattern: str | None
    choices: tuple[tuple[str, Any], ...]
    """What is shown, and the value."""


def own_fields(schema: Schema) -> tuple[SettingField, ...]:
    """The fields of an engine's own settings, in the order of its schema."""
    shared, required = schema.get("$defs", {}), schema.get("required", ())
    return tuple(
        _field(name, part, shared, name in required)
        for name, part in schema.get("properties", {}).items()
        if name not in COMFORTABLE
    )


def comfortable_fields(schema: Schema) -> dict[str, SettingField]:
    """What an engine says of the settings that the form has controls of its own for."""
    shared, parts = schema.get("$defs", {}), schema.get("properties", {})
    return {
        name: _field(name, parts.get(name) or {"type": kind}, shared, required=False)
        for name, kind in COMFORTABLE.items()
    }


def lacking(schema: Schema) -> tuple[str, ...]:
    """The comfortable settings that an engine does not have; one that describes nothing has all."""
    known = schema.get("properties")
    return tuple(name for name in COMFORTABLE if known and name not in known)


def _field(name: str, part: Schema, shared: Schema, required: bool) -> SettingField:
    whole, optional = _whole(part, shared)
    choices = _choices(whole)
    return SettingField(
        name=name,
        title=_title(name, whole.get("title")),
        help=str(whole.get("description") or ""),
        group=str(whole.get("group") or ""),
        unit=str(whole.get("unit") or ""),
        kind="choice" if choices else _kind(whole),
        optional=optional,
        required=required,
        default=whole.get("default"),
        minimum=_number(whole, "minimum"),
        maximum=_number(whole, "maximum"),
        above=_number(whole, "exclusiveMinimum"),
        below=_number(whole, "exclusiveMaximum"),
        multiple=_number(whole, "multipleOf"),
        min_length=whole.get("minLength"),
        max_length=whole.get("maxLength"),
        pattern=whole.get("pattern"),
        choices=choices,
    )


def _title(name: str, given: object) -> str:
    """The title that somebody wrote, such as `LoRA`; pydantic's own `Guidancescale` for `guidanceScale` is none."""
    text = str(given or "")
    is_made = text == text.title() and text.replace(" ", "").lower() in ("", name.lower())
    return _words(name) if is_made else text


def _whole(part: Schema, shared: Schema, depth: int = 0) -> tuple[dict[str, Any], bool]:
    """A part with all that it refers to, and whether it may be null. What stands nearer wins."""
    if depth > _DEPTH:
        return {}, False
    found: dict[str, Any] = {}
    optional = part.get("type") == "null"
    if "$ref" in part:
        found, optional = _whole(shared.get(str(part["$ref"]).rpartition("/")[2], {}), shared, depth + 1)
    for other in part.get("allOf", ()):
        more, also = _whole(other, shared, depth + 1)
        found, optional = found | more, optional or also
    alternatives = [_whole(other, shared, depth + 1) for other in part.get("anyOf", part.get("oneOf", ()))]
    optional = optional or any(also for _, also in alternatives)
    found |= _either([one for one, _ in alternatives if one.get("type") != "null"])
    found |= {key: value for key, value in part.items() if key not in ("$ref", "allOf", "anyOf", "oneOf")}
    if isinstance(kinds := found.get("type"), list):
        optional = optional or "null" in kinds
        found |= _either([{"type": kind} for kind in kinds if kind != "null"])
    if None in found.get("enum", ()):
        optional, found["enum"] = True, [value for value in found["enum"] if value is not None]
    return found, optional


def _either(alternatives: list[dict[str, Any]]) -> dict[str, Any]:
    """Several alternatives as one: choices go together, a whole number is a number, all else is any JSON."""
    if len(alternatives) <= 1:
        return alternatives[0] if alternatives else {}
    values = [_choices(one) for one in alternatives]
    if all(values):
        return {"enum": [value for one in values for _, value in one]}
    return {"type": "number" if {one.get("type") for one in alternatives} == {"integer", "number"} else "any"}


def _kind(whole: Schema) -> Kind:
    match whole.get("type"):
        case "integer":
            return "integer"
        case "number":
            return "number"
        case "boolean":
            return "boolean"
        case "string":
            return "text"
    return "json"


def _choices(whole: Schema) -> tuple[tuple[str, Any], ...]:
    values = whole.get("enum") or ([whole["const"]] if "const" in whole else [])
    labels = whole.get("labels", {})
    return tuple((str(labels.get(str(value)) or _label(value)), value) for value in values)


def _label(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return _words(value) if isinstance(value, str) else str(value)


def _words(name: str) -> str:
    """A name as people write it: `film_noir` and `filmNoir` as `Film noir`."""
    apart = re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: f" {found[1].lower()}", name)
    text = " ".join(apart.replace("_", " ").replace("-", " ").split()) or name
    return text[:1].upper() + text[1:]


def _number(whole: Schema, key: str) -> float | None:
    found = whole.get(key)
    return found if isinstance(found, int | float) and not isinstance(found, bool) else None
