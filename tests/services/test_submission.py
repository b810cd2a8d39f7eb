import pytest

from videogen.core.config import AppConfig
from videogen.core.errors import InvalidRequestError
from videogen.engines.function import engine
from videogen.engines.registry import load_engine
from videogen.engines.settings import MAX_SEED
from videogen.engines.spec import EngineSpec
from videogen.schemas.engines import Capabilities
from videogen.schemas.generations import GenerationCreate
from videogen.services.engine_choice import default_engine
from videogen.services.submission import check_request, engine_infos, recipe_columns, seeds

CONFIG = AppConfig(max_prompt_chars=20, max_pixels=10_000, max_seconds=2.0, engines=("plain", "off"))
TINY = {"width": 64, "height": 64, "durationSeconds": 1.0, "fps": 8}


@engine("plain", title="Plain")
def plain(recipe):
    """Nothing but frames."""


@engine("off", capabilities=Capabilities(available=False, reason="its model is not here"))
def off(recipe):
    """Is not available."""


@engine("careful", capabilities=Capabilities(negative_prompt=True))
def careful(recipe):
    """Knows what should not be seen."""


@engine("closes")
def closes(recipe, image, last_image):
    """Goes from one image to another."""


@engine("ends", capabilities=Capabilities(types=("video", "image")))
def ends(recipe, last_image):
    """Ends with an image."""


ENGINES = {made.id: made for made in (plain, off, careful, closes, ends)}


def _check(settings=None, **body):
    body = {"prompt": "sea", "settings": TINY | (settings or {})} | body
    return check_request(GenerationCreate.model_validate(body), ENGINES, CONFIG, "{}: {}".format)


def test_a_request_becomes_a_recipe_of_its_engine():
    request = _check({"seed": 7, "width": 65}, prompt="  sea ")
    recipe = request.recipe(request.seed)
    assert (recipe.engine, recipe.engine_version, recipe.prompt, recipe.seed) == ("plain", "1", "sea", 7)
    assert (recipe.width, recipe.height, recipe.fps, recipe.num_frames) == (64, 64, 8, 8)


def test_the_same_request_and_seed_give_the_same_digest_and_another_seed_another():
    recipes = [_check().recipe(seed) for seed in (1, 1, 2)]
    assert recipes[0].digest == recipes[1].digest != recipes[2].digest


def test_a_seed_is_drawn_where_none_is_given():
    request = _check()
    assert request.seed is None
    assert request.recipe(None).seed != request.recipe(None).seed


def test_an_engine_without_seed_size_and_length_is_given_none_of_them(monkeypatch):
    monkeypatch.setenv("FAL_KEY", "a")
    remote = load_engine(EngineSpec(id="remote", kind="fal", model="an/engine").reference)
    config = AppConfig(engines=("remote",))
    request = check_request(GenerationCreate(prompt="sea"), {"remote": remote}, config, "{}: {}".format)
    columns = recipe_columns(request, request.recipe(None))
    assert columns["settings"] == {}
    again = GenerationCreate(prompt="sea", settings=columns["settings"])
    assert check_request(again, {"remote": remote}, config, "{}: {}".format).settings == {}


def test_variations_of_a_seed_are_the_seeds_after_it():
    assert seeds(_check({"seed": 7}), 3) == [7, 8, 9]
    assert seeds(_check(), 3) == [None, None, None]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"prompt": ""}, "prompt"),
        ({"prompt": " \n\t "}, "prompt"),
        ({"prompt": "x" * 21}, "prompt"),
        ({"engine": "careful", "negativePrompt": "x" * 21}, "negativePrompt"),
        ({"negativePrompt": "people"}, "negativePrompt"),
        ({"engine": "none"}, "engine"),
        ({"engine": "off"}, "engine"),
        ({"type": "image"}, "type"),
        ({"inputFileId": "fil_a"}, "inputFileId"),
        ({"lastFrameFileId": "fil_a"}, "lastFrameFileId"),
        ({"engine": "closes", "lastFrameFileId": "fil_a"}, "inputFileId"),
        ({"engine": "ends", "type": "image", "lastFrameFileId": "fil_a"}, "lastFrameFileId"),
        ({"settings": {"colour": "blue"}}, "settings.colour"),
        ({"settings": {"width": 63}}, "settings.width"),
        ({"settings": {"width": "64"}}, "settings.width"),
        ({"settings": {"height": 1e9}}, "settings.height"),
        ({"settings": {"width": 128, "height": 80}}, "settings.width"),
        ({"settings": {"durationSeconds": 2.5}}, "settings.durationSeconds"),
        ({"settings": {"fps": 0}}, "settings.fps"),
        ({"settings": {"seed": -1}}, "settings.seed"),
        ({"settings": {"seed": MAX_SEED + 1}}, "settings.seed"),
        ({"settings": {"seed": 1.5}}, "settings.seed"),
    ],
    ids=repr,
)
def test_a_fault_is_told_with_field_expected_and_got(body, field):
    with pytest.raises(InvalidRequestError) as caught:
        _check(body.pop("settings", None), **body)
    (fault,) = caught.value.errors
    assert fault["field"] == field
    assert fault["expected"]
    assert fault["got"]
    assert caught.value.detail == f"{field} must be {fault['expected']}; this was {fault['got']}."


def test_each_image_of_a_request_is_in_the_recipe_by_its_digest():
    images = {"inputFileId": "fil_a", "lastFrameFileId": "fil_b"}
    recipe = _check(engine="closes", **images).recipe(7)
    assert (recipe.input_digest, recipe.last_digest) == ("input_file_id: fil_a", "last_frame_file_id: fil_b")
    alone = _check(engine="ends", lastFrameFileId="fil_b").recipe(7)
    assert (alone.input_digest, alone.last_digest) == (None, "last_frame_file_id: fil_b")
    assert len({recipe.digest, _check(engine="closes", inputFileId="fil_a").recipe(7).digest}) == 2


def test_every_fault_of_the_settings_is_told():
    with pytest.raises(InvalidRequestError) as caught:
        _check({"width": 1, "fps": 0})
    assert [fault["field"] for fault in caught.value.errors] == ["settings.width", "settings.fps"]


def test_variations_whose_seeds_pass_the_largest_one_are_a_fault_too():
    request = _check({"seed": MAX_SEED})
    with pytest.raises(InvalidRequestError) as caught:
        [request.recipe(seed) for seed in seeds(request, 2)]
    assert [fault["field"] for fault in caught.value.errors] == ["settings.seed"]


def test_an_engine_that_is_not_available_says_why():
    with pytest.raises(InvalidRequestError, match="its model is not here"):
        _check(engine="off")


def test_the_default_engine_is_the_one_that_is_set_or_the_first_that_can_render():
    assert default_engine(ENGINES, AppConfig()) == "plain"
    assert default_engine({"off": off, "plain": plain}, AppConfig()) == "plain"
    assert default_engine({"off": off}, AppConfig()) == "off"
    assert default_engine(ENGINES, AppConfig(engine="careful")) == "careful"


def test_engines_tell_what_they_can_do_and_what_may_be_set():
    infos = {info.id: info for info in engine_infos(ENGINES, CONFIG)}
    assert [(info.id, info.default) for info in infos.values()] == [(name, name == "plain") for name in ENGINES]
    assert (infos["plain"].title, infos["plain"].description) == ("Plain", "Nothing but frames.")
    assert (infos["off"].available, infos["off"].reason) == (False, "its model is not here")
    assert infos["careful"].capabilities.negative_prompt
    assert {"width", "height", "durationSeconds", "fps", "seed"} <= infos["plain"].settings_schema["properties"].keys()
