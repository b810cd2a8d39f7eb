"""The form: Gradio's own fields; those of an engine's own settings are made from its JSON Schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import gradio as gr
import orjson

from videogen.schemas.engines import EngineInfo
from videogen.schemas.generations import GenerationCreate
from videogen.ui import form
from videogen.ui.form import CUSTOM, MAX_SEED_DIGITS, EngineForm, Limits
from videogen.ui.schema import SettingField
from videogen.ui.start_image import takes_last
from videogen.ui.texts import DETAILS, SHAPES, engine_mark, mark

MAX_LINES: Final = 20
"""Prompts in one form."""
LARGEST: Final = 2**53
"""Of the numbers that a browser can hold exactly."""
_BASICS: Final = ("prompt", "negative", "shape", "detail", "seconds", "fps", "seed", "engine")
"""In the order that `form.request` takes them."""


@dataclass(slots=True)
class FormFields:
    """The form's fields by name, in the order of the page."""

    engines: Sequence[EngineForm]
    fields: dict[str, Any] = field(default_factory=dict)
    """`prompt`, `negative`, ..., and `engine.setting` for an engine's own."""
    own: dict[str, gr.Column] = field(default_factory=dict)
    """The own settings of each engine."""

    def all(self) -> list[Any]:
        """The components."""
        return list(self.fields.values())

    def engine(self, engine_id: object) -> EngineForm:
        """An engine by id; the first where there is none."""
        return next((one for one in self.engines if one.id == engine_id), self.engines[0])

    def request(self, values: Sequence[Any]) -> GenerationCreate:
        """The fields' values, in the order of `all`, as a request.

        Raises:
            form.FormError: a value cannot be sent.
            pydantic.ValidationError: a value is not of the right type.
        """
        named = self.named(values)
        engine = self.engine(named["engine"])
        own = {one.name: _read(one, named[f"{engine.id}.{one.name}"]) for one in engine.fields}
        # One that makes a single type shows no choice; the field may hold that of another engine.
        kind = named["type"] if len(engine.types) > 1 else engine.types[0]
        extend = named["extend_id"] if kind == "video" and engine.extend else ""
        wishes = {
            "type": kind,
            "variations": named["variations"],
            "inputFileId": named["image_id"] if engine.image and not extend else None,
            "lastFrameFileId": named["last_id"] if takes_last(engine, kind, extend or named["image_id"]) else None,
            "extend": extend or None,
            "size": (named["width"], named["height"]),
            "settings": {name: value for name, value in own.items() if value not in (None, "")},
        }
        return form.request([named[name] for name in _BASICS], self.engines, wishes)

    def requests(self, values: Sequence[Any]) -> list[GenerationCreate]:
        """The same as one request, or, where the form says so, as one for each line of the prompt.

        Raises:
            form.FormError: a value cannot be sent, or there are more than `MAX_LINES` lines.
            pydantic.ValidationError: a value is not of the right type.
        """
        named = self.named(values)
        if named.get("per_line") is not True:
            return [self.request(values)]
        lines = [line.strip() for line in str(named["prompt"] or "").splitlines() if line.strip()]
        if len(lines) > MAX_LINES:
            raise form.FormError("form.lines_many", count=len(lines), most=MAX_LINES)
        return [self.request([*(named | {"prompt": line}).values()]) for line in lines or [""]]

    def named(self, values: Sequence[Any]) -> dict[str, Any]:
        """The fields' values, in the order of `all`, by name."""
        return dict(zip(self.fields, values, strict=True))

    def filled(self) -> list[Any]:
        """The outputs of an event that fills the form: the fields, and what another engine or shape shows or hides."""
        return [*self.all(), *self.own.values()]

    def updates(self, values: Mapping[str, Any], gettext: Callable[[str], str]) -> list[Any]:
        """The new values of `filled`: `values` by field name, all else stays; `gettext` gives the words of a key.

        Anybody may have written them, as a browser's storage has: what a field cannot hold is left out.
        """
        values = {name: value for name, value in values.items() if _can_hold(self.fields.get(name), value)}
        changes = engine_updates(self, values["engine"], gettext) if "engine" in values else {}
        if "prompt" in values:
            # Whatever it was made for, it is one prompt.
            values = {"per_line": False, **values}
        if type(values.get("fps")) is int:
            rates = sorted({*self.engine(values.get("engine")).fps_choices, values["fps"]})
            changes[self.fields["fps"]] = gr.update(choices=[(f"{rate} fps", rate) for rate in rates])
        engine, seconds = self.engine(values.get("engine")), values.get("seconds")
        if (
            values.get("extend_id")
            and isinstance(seconds, int | float)
            and engine.max_seconds < seconds <= engine.longest
        ):
            # The whole may be longer than what the engine makes at once.
            field = self.fields["seconds"]
            changes[field] = {**changes.get(field, {}), **gr.update(maximum=seconds)}
        for name, value in values.items():
            if (component := self.fields.get(name)) is not None:
                changes[component] = {**changes.get(component, {}), **gr.update(value=value)}
        return [changes.get(component, gr.skip()) for component in self.filled()]


def _can_hold(component: Any, value: Any) -> bool:
    """Whether it is a plain value that the component can show; Gradio answers others with 500."""
    if type(value) in (int, float):
        return bool(abs(value) <= LARGEST)
    return value is None or (isinstance(value, str | bool) and not isinstance(component, gr.Number | gr.Slider))


def engine_forms(engines: Sequence[EngineInfo], limits: Limits) -> list[EngineForm]:
    """What the form offers, the default engine first."""
    return [form.engine_form(engine, limits) for engine in sorted(engines, key=lambda engine: not engine.default)]


def build_form(engines: Sequence[EngineForm], limits: Limits) -> FormFields:
    """Build the fields, with the first engine's values. Labels are marks, which each document fills in."""
    made, first = FormFields(engines), engines[0]
    put = made.fields
    with gr.Row(elem_id="form-kind"):
        put["type"], put["variations"] = _kind()
    shapes = [(mark(word), value) for value, word in SHAPES.items()]
    shape, detail = first.place(first.start)
    put["shape"] = gr.Radio(shapes, value=shape, label=mark("form.shape"), elem_id="shape")
    with gr.Row(elem_id="custom-size"):
        for name, pixels in zip(("width", "height"), first.start, strict=True):
            put[name] = gr.Number(pixels, label=mark(f"form.{name}"), elem_id=name, precision=0, min_width=100)
    put["detail"] = gr.Radio(_details(first, mark), value=detail, label=mark("form.detail"), elem_id="detail")
    with gr.Row(elem_id="form-timing"):
        put["seconds"], put["fps"] = _timing(first)
    with gr.Accordion(mark("setting.more"), open=False, elem_id="more"):
        put["negative"] = gr.Textbox(
            label=mark("form.negative"),
            placeholder=mark("form.negative_hint"),
            elem_id="negative",
        )
        for name in ("image", "last", "extend"):
            put[f"{name}_id"] = gr.Textbox(visible="hidden", elem_id=f"{name}-id")
        put["seed"] = gr.Textbox(
            label=mark("form.seed"), placeholder=mark("form.seed_hint"), max_length=MAX_SEED_DIGITS, elem_id="seed"
        )
        choices = [(engine_mark(one), one.id) for one in engines]
        put["engine"] = gr.Dropdown(
            choices, value=first.id, filterable=False, label=mark("form.engine"), elem_id="engine"
        )
        for engine in engines:
            _own_settings(made, engine, visible=engine is first)
    put["type"].value = first.types[0]
    for name, visible in _shown(first).items():
        put[name].visible = visible
    return made


def _shown(engine: EngineForm) -> dict[str, bool]:
    """Which fields the engine has a use for."""
    has_size = not {"width", "height"} <= {*engine.lacks}
    return {
        "type": len(engine.types) > 1,
        "shape": has_size,
        "detail": has_size,
        "seconds": "durationSeconds" not in engine.lacks,
        "fps": "fps" not in engine.lacks,
        "seed": "seed" not in engine.lacks,
        "negative": engine.negative,
    }


def _own_settings(made: FormFields, engine: EngineForm, *, visible: bool) -> None:
    with gr.Column(visible=visible, elem_id=f"settings-{engine.id}") as made.own[engine.id]:
        for one in engine.fields:
            made.fields[f"{engine.id}.{one.name}"] = setting(one)


def _kind() -> tuple[Any, Any]:
    kinds = [(mark("form.video"), "video"), (mark("form.still"), "image")]
    kind = gr.Radio(kinds, value="video", label=mark("form.make"), elem_id="type", min_width=120)
    variations = gr.Dropdown(
        list(range(1, 9)),
        value=1,
        label=mark("form.variations"),
        filterable=False,
        elem_id="variations",
        min_width=90,
    )
    return kind, variations


def _timing(engine: EngineForm) -> tuple[Any, Any]:
    seconds = gr.Slider(
        engine.min_seconds,
        engine.max_seconds,
        engine.seconds,
        step=0.5,
        buttons=[],
        label=mark("form.seconds"),
        elem_id="seconds",
        min_width=140,
    )
    rates = [(f"{rate} fps", rate) for rate in engine.fps_choices]
    fps = gr.Dropdown(rates, value=engine.fps, filterable=False, label=mark("form.fps"), elem_id="fps", min_width=90)
    return seconds, fps


def _read(one: SettingField, value: Any) -> Any:
    """The value as the API takes it. Text that is no JSON or number stays text, and the API says what it expects."""
    if one.kind in ("json", "integer", "number") and isinstance(value, str):
        value = value.strip() if one.kind == "json" else value.strip().replace(",", ".")
        with suppress(orjson.JSONDecodeError):
            return orjson.loads(value)
    return value


def setting(one: SettingField) -> Any:
    """The component for one of an engine's own settings."""
    about: dict[str, Any] = {
        "label": f"{one.title} ({one.unit})" if one.unit else one.title,
        "info": one.help or None,
        "elem_id": f"setting-{one.name}",
    }
    if one.kind == "boolean" and not one.optional:
        return gr.Checkbox(bool(one.default), **about)
    if one.kind in ("choice", "boolean"):
        choices = list(one.choices) or [(mark("setting.yes"), True), (mark("setting.no"), False)]
        return gr.Dropdown(choices, value=one.default, filterable=len(choices) > 12, **about)
    # Gradio's field for numbers shows and sends 0 where there is none.
    if one.kind in ("integer", "number") and one.default is not None:
        return _number(one, about)
    return gr.Textbox("" if one.default is None else str(one.default), max_length=one.max_length, **about)


def _number(one: SettingField, about: dict[str, Any]) -> Any:
    step = one.multiple or (1 if one.kind == "integer" else None)
    if not one.optional and one.minimum is not None and one.maximum is not None:
        step = step or (one.maximum - one.minimum) / 100
        return gr.Slider(one.minimum, one.maximum, one.default, step=step, buttons=[], **about)
    precision = 0 if one.kind == "integer" else None
    bounds: dict[str, Any] = {"minimum": one.minimum, "maximum": one.maximum}
    return gr.Number(one.default, step=step or 1, precision=precision, **bounds, **about)


def _details(engine: EngineForm, gettext: Callable[[str], str]) -> list[tuple[str, str]]:
    return [(gettext(DETAILS[one]) if one in DETAILS else f"{one}p", one) for one in engine.details]


def engine_updates(made: FormFields, engine_id: object, gettext: Callable[[str], str] = mark) -> dict[Any, Any]:
    """What another engine changes about the fields, by component; `gettext` gives the words of a key."""
    engine, put = made.engine(engine_id), made.fields
    shape, detail = engine.place(engine.start)
    changes: dict[str, dict[str, Any]] = {
        "type": {} if len(engine.types) > 1 else {"value": engine.types[0]},
        "detail": {"choices": _details(engine, gettext), "value": detail},
        "seconds": {"minimum": engine.min_seconds, "maximum": engine.max_seconds, "value": engine.seconds},
        "fps": {"choices": [(f"{rate} fps", rate) for rate in engine.fps_choices], "value": engine.fps},
    }
    sides: dict[str, Any] = {}
    if shape == CUSTOM:  # else the shape stays as it was chosen
        changes["shape"] = {"value": shape}
        sides = dict(zip(("width", "height"), engine.start, strict=True))
    return {
        **{put[name]: gr.update(**({"value": sides[name]} if sides else {})) for name in ("width", "height")},
        **{put[name]: gr.update(visible=shown, **changes.get(name, {})) for name, shown in _shown(engine).items()},
        **{column: gr.update(visible=name == engine.id) for name, column in made.own.items()},
    }
