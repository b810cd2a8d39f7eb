"""The small form in which a queued generation is changed: plain fields, whose text is read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import orjson

from videogen.client.calls import EditOptions
from videogen.schemas.generations import Generation
from videogen.ui.form import EngineForm
from videogen.ui.schema import SettingField

_BASICS: Final = {"width": "width", "height": "height", "durationSeconds": "seconds", "fps": "fps", "seed": "seed"}
"""The settings that every form has, and the keys of their words."""
_TIMING: Final = ("durationSeconds", "fps")


@dataclass(frozen=True, slots=True)
class EditField:
    """One field. `was` and `text` are what it held and what it holds, as text."""

    name: str
    key: str
    """Of its label's words; empty where `label` has them."""
    was: str
    text: str
    label: str = ""
    number: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    """What is shown, and the text of the value."""


@dataclass(frozen=True, slots=True)
class EditForm:
    """The fields for one generation."""

    fields: tuple[EditField, ...]

    @classmethod
    def of(cls, item: Generation, engine: EngineForm | None) -> Self:
        """The fields for a generation; without its engine only the prompt."""
        made = [EditField("prompt", "prompt", item.prompt, item.prompt)]
        if engine is None:
            return cls(tuple(made))
        if engine.negative:
            made.append(EditField("negativePrompt", "negative", item.negative_prompt, item.negative_prompt))
        left_out = {*engine.lacks, *(_TIMING if item.type == "image" else ())}
        settings = item.settings | {"seed": item.seed}
        for name, key in _BASICS.items():
            if name not in left_out:
                made.append(_field(engine.basics[name], settings.get(name), key))
        made += [_field(one, settings.get(one.name)) for one in engine.fields if one.kind != "json"]
        return cls(tuple(made))


def _field(one: SettingField, value: Any, key: str = "") -> EditField:
    text = _text(value)
    choices = [(label, _text(chosen)) for label, chosen in one.choices]
    if one.kind == "boolean":
        choices = [("setting.yes", "true"), ("setting.no", "false")]
    if choices and one.optional:
        choices.insert(0, ("", ""))
    label = f"{one.title} ({one.unit})" if one.unit else one.title
    number = bool(key) or (one.kind in ("integer", "number") and not choices)
    return EditField(one.name, key, text, text, "" if key else label, number, tuple(choices))


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()


def read_changes(fields: Sequence[EditField], typed: Mapping[str, Any]) -> tuple[tuple[EditField, ...], EditOptions]:
    """What was typed, in the fields, and what of it is to be changed. Anybody may have written it."""
    filled = tuple(replace(one, text=_typed(typed.get(one.name), one.text)) for one in fields)
    changed = {one.name: one for one in filled if one.text != one.was}
    changes = EditOptions()
    if (prompt := changed.pop("prompt", None)) is not None:
        changes["prompt"] = prompt.text
    if (negative := changed.pop("negativePrompt", None)) is not None:
        changes["negative_prompt"] = negative.text
    if changed:
        changes["settings"] = {name: _value(one) for name, one in changed.items()}
    return filled, changes


def _typed(text: object, before: str) -> str:
    return text.replace("\r\n", "\n").strip() if isinstance(text, str) else before


def _value(field: EditField) -> Any:
    """The value that a text stands for; what is none is refused by the API, by name."""
    if not field.text:
        return None
    if field.number or field.choices:
        try:
            return orjson.loads(field.text.replace(",", ".") if field.number else field.text)
        except ValueError:
            return field.text
    return field.text
