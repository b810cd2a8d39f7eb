"""Presets: as pictures, in the visitor's language; and the person's own."""

import pytest

from tests.ui.conftest import engine
from videogen.core.i18n import DEFAULT, languages
from videogen.engines.procedural.language import parse_prompt
from videogen.engines.procedural.presets import PRESETS
from videogen.ui.form import Limits
from videogen.ui.form_fields import engine_forms
from videogen.ui.own_presets import OwnPreset
from videogen.ui.tab import Site
from videogen.ui.texts import Texts

KITE = {"id": "kite", "title": "A <b>kite</b>", "prompt": "a kite", "settings": {"seed": 21}, "posterUrl": "/kite.webp"}


@pytest.fixture(autouse=True)
def _engines(tab):
    tab.site = Site(
        engine_forms([engine(presets=[KITE]), engine(id="gone", available=False, presets=[KITE])], Limits())
    )


def test_a_preset_is_a_picture_that_starts_and_offers_its_seed_apart(html):
    markup = html("presets")
    assert 'src="/kite.webp"' in markup
    assert "A &lt;b&gt;kite&lt;/b&gt;" in markup
    assert markup.count('data-preset="procedural/kite"') == 2
    assert 'data-seed="21"' in markup
    assert "Seed 21, as pictured" in markup
    assert "gone/kite" not in markup


def test_an_empty_stage_shows_the_first_ones_without_seeds(html):
    assert 'data-preset="procedural/kite"' in html("stage")
    assert "data-seed" not in html("stage")


def test_own_presets_can_be_started_renamed_and_deleted(tab, html):
    assert 'id="own-presets" class="presets" aria-label="Presets of your own" hidden' in html("presets")
    tab.presets = (OwnPreset("pre_1", "<i>Mine</i>", {"prompt": "${bad} {{x}}", "engine": "procedural", "seed": "5"}),)
    markup = html("presets")
    assert "&lt;i&gt;Mine&lt;/i&gt;" in markup
    assert "${bad} {{x}}" in markup
    assert "Seed 5" in markup
    for attribute in ('data-fill="own-preset"', 'data-do="rename-preset"', 'data-do="delete-preset"'):
        assert attribute in markup


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.id)
def test_a_translated_preset_gives_the_same_scene(preset):
    for tag, words in languages().items():
        texts = Texts(words)
        prompt = texts.preset_text("procedural", preset.id, "prompt")
        scene = parse_prompt(prompt, preset.negative_prompt)
        original = parse_prompt(preset.prompt, preset.negative_prompt)
        assert scene.without_interpretations() == original.without_interpretations(), tag
        assert scene.not_drawn == original.not_drawn == ()
        if tag == DEFAULT:
            assert (texts.preset_text("procedural", preset.id, "title"), prompt) == (preset.title, preset.prompt)
