"""docs/page.md says how to change the page: its examples work."""

import re

import gradio as gr
import pytest
from jinja2 import DictLoader

from tests.client.answers import generation_json
from tests.support.app import ROOT
from tests.ui.conftest import engine
from videogen.ui import form_fields, panels
from videogen.ui.form import Limits, engine_form
from videogen.ui.handlers import HANDLERS, Click
from videogen.ui.templating import _environment

GUIDE = (ROOT / "docs" / "page.md").read_text().partition("## Change the page")[2]
BLOCKS = [(language, text) for language, text in re.findall(r"```(\w+)\n(.*?)```", GUIDE, re.DOTALL)]


def block(first_line):
    (text,) = (text for _, text in BLOCKS if text.startswith(first_line))
    return text


@pytest.fixture
def templates(monkeypatch):
    """Templates of the guide, beside those of the page."""
    made = {}
    monkeypatch.setattr(_environment(), "loader", DictLoader(made))
    return made


def test_the_panel_is_rendered_and_its_test_passes(tab, templates, monkeypatch):
    templates["finished.html"] = block('<p id="finished"')
    module: dict = {}
    exec(block("# videogen/ui/panels/finished.py"), module)
    monkeypatch.setattr(panels, "PANELS", (panels.Panel("finished", module["finished"]),))
    example: dict = {}
    exec(block("# tests/ui/panels/test_finished.py"), example)
    example["test_what_has_ended_is_counted"](tab, lambda _name: panels.render_panel(panels.PANELS[0], tab))


async def test_the_button_shows_a_notice(api, tab, templates, monkeypatch):
    monkeypatch.setattr("videogen.ui.handlers.registry.HANDLERS", dict(HANDLERS))
    api.session("mine", generation_json("gen_a", prompt="the sea"))
    module: dict = {}
    exec(block("# videogen/ui/handlers/shout.py"), module)
    (name,) = re.findall(r'data-do="(\w+)"', block('<button type="button" data-do="shout"'))
    await module[name](tab, Click({"generationId": "gen_a"}))
    assert tab.notice.text == "THE SEA"


async def test_the_field_is_part_of_the_form():
    in_build, in_request = block("# in build_form").split("# in FormFields.request\n")
    with gr.Blocks():
        made = form_fields.build_form([engine_form(engine(), Limits())], Limits())
        exec(in_build, {"gr": gr, "made": made})
    assert "mood" in made.fields
    named = {"prompt": "the sea", "mood": "calm"}
    exec(in_request, {"named": named})
    assert named["prompt"] == "the sea, calm"
