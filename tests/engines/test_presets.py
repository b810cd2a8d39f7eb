"""Presets that engines bring: only good ones are told, and those of the built-in engine are all good."""

import logging

import pytest
from PIL import Image
from pydantic import ValidationError

from videogen.core.config import AppConfig
from videogen.core.errors import NotFoundError
from videogen.engines.base import Preset
from videogen.engines.function import engine
from videogen.engines.presets import poster_of, preset_infos, presets_of
from videogen.engines.procedural.engine import ProceduralEngine, understanding
from videogen.engines.procedural.language import parse_prompt
from videogen.schemas.generations import GenerationCreate
from videogen.services.submission import engine_infos, prepare

GOOD = Preset(id="good", title="Good", prompt="a kite", settings={"fps": 12})
PROCEDURAL = ProceduralEngine()
MOST_POSTER_BYTES = 8_000


def made(*presets):
    return engine("own/engine", presets=presets)(lambda recipe: None)


def test_an_engine_without_presets_has_none():
    assert preset_infos(made(), "") == ()


def test_presets_are_told_with_the_address_of_their_picture(tmp_path):
    poster = tmp_path / "kite.webp"
    Image.new("RGB", (32, 18)).save(poster)
    with_poster = GOOD.model_copy(update={"id": "seen", "poster": poster})
    plain, seen = preset_infos(made(GOOD, with_poster), "https://video.example.org/app")
    assert (plain.prompt, plain.settings, plain.poster_url) == ("a kite", {"fps": 12}, None)
    assert seen.poster_url == "https://video.example.org/app/api/v1/engines/own%2Fengine/presets/seen/poster.webp"
    assert str(tmp_path) not in seen.model_dump_json()
    assert poster_of(made(with_poster), "seen") == poster


@pytest.mark.parametrize("name", ["good", "seen", "nothing", "../../secret.key"])
def test_a_picture_that_is_not_there_is_not_found(name, tmp_path):
    lost = GOOD.model_copy(update={"id": "seen", "poster": tmp_path / "gone.webp"})
    for found in (None, made(GOOD, lost)):
        with pytest.raises(NotFoundError):
            poster_of(found, name)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (GOOD.model_copy(update={"settings": {"fps": 999}}), "settings.fps: expected at most 60, got 999"),
        (GOOD.model_copy(update={"settings": {"speed": 1}}), "settings.speed: expected no such field"),
        (GOOD.model_copy(update={"type": "image"}), "type: expected video, got image"),
        ({"id": "plain"}, "expected its presets to be Preset"),
    ],
)
def test_a_wrong_one_is_left_out_and_said(bad, said, caplog):
    with caplog.at_level(logging.WARNING):
        assert presets_of(made(bad, GOOD.model_copy(update={"id": "other"})))[0].id == "other"
    assert said in caplog.text


def test_of_two_with_one_name_the_first_counts(caplog):
    second = GOOD.model_copy(update={"title": "Second"})
    assert [preset.title for preset in presets_of(made(GOOD, second))] == ["Good"]
    assert "two presets are called 'good'" in caplog.text


@pytest.mark.parametrize("name", ["", "Upper", "a/b", "..", "x" * 65])
def test_a_preset_has_a_name_that_an_address_can_hold(name):
    with pytest.raises(ValidationError):
        Preset(id=name, title="t", prompt="p")


# The built-in engine's


def test_there_are_enough_and_no_two_look_alike():
    presets = presets_of(PROCEDURAL)
    assert len(presets) == len(PROCEDURAL.presets) >= 6
    assert len({preset.title for preset in presets}) == len(presets)


@pytest.mark.parametrize("preset", PROCEDURAL.presets, ids=lambda preset: preset.id)
def test_each_can_be_asked_for_is_understood_to_the_last_word_and_has_a_small_picture(preset):
    create = GenerationCreate(type=preset.type, prompt=preset.prompt, settings=preset.settings, engine="procedural")
    request = prepare(create, {"procedural": PROCEDURAL}, AppConfig(), str.upper)
    assert request.recipe(request.seed).width == preset.settings["width"]
    told = understanding(parse_prompt(preset.prompt, preset.negative_prompt))
    assert told.understood
    assert (told.ignored, told.abstract) == ((), False)
    assert preset.poster.stat().st_size <= MOST_POSTER_BYTES
    with Image.open(preset.poster) as poster:
        assert (poster.format, poster.size) == ("WEBP", (320, 180))


def test_the_engines_are_told_with_their_presets():
    (info,) = engine_infos({"procedural": PROCEDURAL}, AppConfig(root_path="/app"))
    assert [preset.id for preset in info.presets] == [preset.id for preset in PROCEDURAL.presets]
    assert info.presets[0].poster_url == "/app/api/v1/engines/procedural/presets/golden-sea/poster.webp"
