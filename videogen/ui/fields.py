"""The form's fields and buttons, from top to bottom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from videogen.ui import assets
from videogen.ui.form import MAX_SEED_DIGITS, EngineForm, Limits
from videogen.ui.texts import SHAPES, mark


@dataclass(frozen=True, slots=True)
class Fields:
    """The form's fields, in the order that the scripts and `form.request` know."""

    prompt: gr.Textbox
    negative: gr.Textbox
    shape: gr.Radio
    detail: gr.Radio
    seconds: gr.Slider
    fps: gr.Dropdown
    seed: gr.Textbox
    engine: gr.Dropdown

    def all(self) -> list[Any]:
        """Every field."""
        return [getattr(self, name) for name in self.__slots__]


@dataclass(frozen=True, slots=True)
class Buttons:
    """The form's buttons."""

    generate: gr.Button
    dice: gr.Button


def build_form(forms: Sequence[EngineForm], limits: Limits) -> tuple[Fields, Buttons]:
    """Build the form, with the first engine's values. Its words are marks, which each document fills in.

    The choices are those of all engines together; the scripts show what the chosen one offers.
    """
    prompt = _words("prompt", mark("form.prompt"), mark("form.prompt_hint"), limits, lines=4, max_lines=10)
    generate = gr.Button(mark("form.generate"), variant="primary", elem_id="generate")
    _intake(limits)
    about = {"lines": 1, "visible": forms[0].negative}
    negative = _words("negative", mark("form.negative"), mark("form.negative_hint"), limits, **about)
    shape, detail = _size(forms)
    _own("size")
    with gr.Row(elem_id="timing"):
        seconds, fps = _timing(forms)
    with gr.Row(elem_id="chance"):
        seed, dice = _chance()
    engine = gr.Dropdown(
        [(one.title, one.id) for one in forms],
        value=forms[0].id,
        label=mark("form.engine"),
        filterable=False,
        elem_id="engine",
    )
    _own("engine_note")
    return Fields(prompt, negative, shape, detail, seconds, fps, seed, engine), Buttons(generate, dice)


def _intake(limits: Limits) -> gr.HTML:
    """What needs nothing of Gradio: video or still, variations, the image to start from, and the form's error."""
    part = assets.read("html/intake.html").replace("{megabytes}", f"{limits.max_upload_mb:g}")
    return gr.HTML(part, js_on_load=assets.read("js/mount/intake.js"), apply_default_css=False)


def _own(name: str) -> gr.HTML:
    """A place for what the scripts make of the engine's schema."""
    return gr.HTML(
        assets.read(f"html/{name}.html"), js_on_load=assets.read("js/mount/settings.js"), apply_default_css=False
    )


def _words(name: str, label: str, placeholder: str, limits: Limits, **options: Any) -> gr.Textbox:
    return gr.Textbox(label=label, placeholder=placeholder, max_length=limits.max_prompt_chars, elem_id=name, **options)


def _size(forms: Sequence[EngineForm]) -> tuple[gr.Radio, gr.Radio]:
    shapes = [(mark(word), value) for value, word in SHAPES.items()]
    shape = gr.Radio(shapes, value=shapes[0][1], label=mark("form.shape"), elem_id="shape")
    details = assets.detail_choices(sorted({short for one in forms for short in one.details}, key=int), mark)
    detail = gr.Radio(details, value=forms[0].details[0], label=mark("form.detail"), elem_id="detail")
    return shape, detail


def _timing(forms: Sequence[EngineForm]) -> tuple[gr.Slider, gr.Dropdown]:
    seconds = gr.Slider(
        min(one.min_seconds for one in forms),
        max(one.max_seconds for one in forms),
        value=forms[0].seconds,
        step=0.5,
        label=mark("form.seconds"),
        buttons=[],
        elem_id="seconds",
    )
    rates = sorted({rate for one in forms for rate in one.fps_choices})
    fps = gr.Dropdown(
        [(f"{rate} fps", rate) for rate in rates],
        value=forms[0].fps,
        label=mark("form.fps"),
        filterable=False,
        elem_id="fps",
    )
    return seconds, fps


def _chance() -> tuple[gr.Textbox, gr.Button]:
    # Text, since a seed may have more digits than a browser's numbers hold.
    seed = gr.Textbox(
        label=mark("form.seed"),
        placeholder=mark("form.seed_hint"),
        max_length=MAX_SEED_DIGITS,
        elem_id="seed",
        html_attributes=gr.InputHTMLAttributes(autocomplete="off"),
    )
    return seed, gr.Button(mark("form.dice"), size="sm", elem_id="dice")
