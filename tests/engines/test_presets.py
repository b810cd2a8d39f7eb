"""The presets of engines: only valid ones are listed, and those of the built-in engine are all valid."""

import logging

import pytest
from PIL import Image
from pydantic import ValidationError

from videogen.core.config import AppConfig
from videogen.core.errors import NotFoundError
from videogen.engines.base import Preset
from videogen.engines.function import engine
from videogen.engines.presets import poster_path, preset_infos, presets_of
from videogen.engines.procedural.engine import ProceduralEngine, understanding
from videogen.engines.procedural.language import parse_prompt
from videogen.schemas.generations import GenerationCreate
from videogen.services.submission import check_request, engine_infos

GOOD = Preset(id="good", title="Good", prompt="a kite", settings={"fps": 12})
PROCEDURAL = ProceduralEngine()
MOST_POSTER_BYTES = 8_000


def made(*presets):
    return engine("own/engine", presets=presets)(lambda recipe: None)


def test_an_engine_without_presets_has_none():
    assert preset_infos(made(), "") == ()


def test_presets_are_listed_with_the_url_of_their_poster(tmp_path):
    poster = tmp_path / "kite.webp"
    Image.new("RGB", (32, 18)).save(poster)
    with_poster = GOOD.model_copy(update={"id": "seen", "poster": poster})
    plain, seen = preset_infos(made(GOOD, with_poster), "https://video.example.org/app")
    assert (plain.prompt, plain.settings, plain.poster_url) == ("a kite", {"fps": 12}, None)
    assert seen.poster_url == "https://video.example.org/app/api/v1/engines/own%2Fengine/presets/seen/poster.webp"
    assert str(tmp_path) not in seen.model_dump_json()
    assert poster_path(made(with_poster), "seen") == poster


@pytest.mark.parametrize("name", ["good", "seen", "nothing", "../../secret.key"])
def test_a_poster_that_does_not_exist_is_not_found(name, tmp_path):
    lost = GOOD.model_copy(update={"id": "seen", "poster": tmp_path / "gone.webp"})
    for engine_or_none in (None, made(GOOD, lost)):
        with pytest.raises(NotFoundError):
            poster_path(engine_or_none, name)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (GOOD.model_copy(update={"settings": {"fps": 999}}), "settings.fps must be at most 60; this was 999"),
        (GOOD.model_copy(update={"settings": {"speed": 1}}), "settings.speed must be left out"),
        (GOOD.model_copy(update={"type": "image"}), "type must be video; this was image"),
        ({"id": "plain"}, "expected each preset to be a Preset"),
    ],
)
def test_an_invalid_preset_is_left_out_and_the_reason_is_logged(bad, reason, caplog):
    with caplog.at_level(logging.WARNING):
        assert presets_of(made(bad, GOOD.model_copy(update={"id": "other"})))[0].id == "other"
    assert reason in caplog.text


def test_of_two_presets_with_the_same_id_the_first_counts(caplog):
    second = GOOD.model_copy(update={"title": "Second"})
    assert [preset.title for preset in presets_of(made(GOOD, second))] == ["Good"]
    assert "two presets have the id 'good'" in caplog.text


@pytest.mark.parametrize("name", ["", "Upper", "a/b", "..", "x" * 65])
def test_the_id_of_a_preset_is_valid_in_a_url(name):
    with pytest.raises(ValidationError):
        Preset(id=name, title="t", prompt="p")


# The built-in engine's


def test_there_are_enough_presets_and_no_two_are_alike():
    presets = presets_of(PROCEDURAL)
    assert len(presets) == len(PROCEDURAL.presets) >= 6
    assert len({preset.title for preset in presets}) == len(presets)


@pytest.mark.parametrize("preset", PROCEDURAL.presets, ids=lambda preset: preset.id)
def test_each_preset_is_valid_is_understood_completely_and_has_a_small_poster(preset):
    create = GenerationCreate(type=preset.type, prompt=preset.prompt, settings=preset.settings, engine="procedural")
    request = check_request(create, {"procedural": PROCEDURAL}, AppConfig(), "{}: {}".format)
    assert request.recipe(request.seed).width == preset.settings["width"]
    understood = understanding(parse_prompt(preset.prompt, preset.negative_prompt))
    assert understood.understood
    assert (understood.ignored, understood.abstract) == ((), False)
    assert preset.poster.stat().st_size <= MOST_POSTER_BYTES
    with Image.open(preset.poster) as poster:
        assert (poster.format, poster.size) == ("WEBP", (320, 180))


def test_the_api_lists_engines_with_their_presets():
    (info,) = engine_infos({"procedural": PROCEDURAL}, AppConfig(root_path="/app"))
    assert [preset.id for preset in info.presets] == [preset.id for preset in PROCEDURAL.presets]
    assert info.presets[0].poster_url == "/app/api/v1/engines/procedural/presets/golden-sea/poster.webp"
