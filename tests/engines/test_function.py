import hashlib
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from videogen.core.errors import InvalidRequestError
from videogen.engines.base import Engine, ProcessPolicy, RenderFailed, RenderRequest
from videogen.engines.function import as_engine, engine
from videogen.media.probe import probe
from videogen.schemas.engines import Capabilities

SETTINGS = {"width": 64, "height": 64, "fps": 4, "durationSeconds": 1, "seed": 3}


def test_ten_lines_are_an_engine(recorder):
    @engine("plasma", title="Plasma")
    def plasma(recipe):
        """Waves of colour."""
        for index in range(recipe.num_frames):
            yield np.full((recipe.height, recipe.width, 3), index * 40, np.uint8)

    assert isinstance(plasma, Engine)
    assert (plasma.id, plasma.version, plasma.title, plasma.description) == (
        "plasma",
        "1",
        "Plasma",
        "Waves of colour.",
    )
    assert plasma.probe() == Capabilities()
    ctx = recorder()
    recipe = plasma.normalise(RenderRequest(prompt="a wave", settings=SETTINGS))
    artifact = plasma.render(recipe, ctx)
    assert probe(artifact.path).num_frames == artifact.num_frames == 4
    assert artifact.duration_seconds == 1
    metadata = probe(artifact.path).metadata
    assert metadata["title"] == "a wave"
    comment = json.loads(metadata["comment"])
    assert comment == json.loads(
        recipe.model_dump_json(by_alias=True, exclude={"input_path", "last_path", "source_path", "source_frame_path"})
    )
    assert (comment["seed"], comment["numFrames"], comment["engineVersion"]) == (3, 4, "1")


def test_a_function_may_take_the_context(recorder):
    seen = []

    @engine("nosy", capabilities=Capabilities(negative_prompt=True))
    def nosy(recipe, ctx):
        seen.append(ctx)
        return [np.zeros((64, 64, 3), np.uint8)] * recipe.num_frames

    ctx = recorder()
    nosy.render(nosy.normalise(RenderRequest(prompt="p", settings=SETTINGS)), ctx)
    assert [(given.workdir, given.attempt, given.checkpoint) for given in seen] == [(ctx.workdir, 1, None)]
    assert nosy.title == "Nosy"
    assert nosy.probe().negative_prompt


@pytest.mark.parametrize("function", [lambda: (), lambda a, b, c: (), lambda *, recipe: ()])
def test_a_function_with_other_parameters_is_refused_when_it_is_decorated(function):
    with pytest.raises(TypeError, match=r"expected a function of \(recipe\) or \(recipe, ctx\), got \("):
        engine("odd")(function)


def test_the_function_stays_callable():
    @engine("plain")
    def plain(recipe):
        return [recipe]

    assert plain(7) == [7]


def test_a_still_is_the_first_frame(recorder):
    @engine("waves", capabilities=Capabilities(types=("video", "image")))
    def waves(recipe):
        for index in range(9):
            yield np.full((recipe.height, recipe.width, 3), 40 + index / recipe.fps, np.uint8)

    recipe = waves.normalise(RenderRequest(type="image", prompt="a wave", settings=SETTINGS))
    assert (recipe.num_frames, recipe.fps, recipe.duration_seconds) == (1, 24, 0)
    ctx = recorder()
    artifact = waves.render(recipe, ctx)
    assert (artifact.content_type, artifact.fps, artifact.num_frames) == ("image/png", 0, 1)
    with Image.open(artifact.path) as image:
        assert image.getpixel((5, 5)) == (40, 40, 40)
    assert [report[:3] for report in ctx.reports] == [(0, 1, "preparing"), (1, 1, "finishing")]
    assert len(ctx.previews) == 1


def test_a_still_without_a_frame_or_of_another_shape_is_refused(recorder):
    @engine("odd", capabilities=Capabilities(types=("image",)))
    def odd(recipe):
        yield from [] if recipe.seed == 3 else [np.zeros((8, 8, 3), np.uint8)]

    for seed, code in ((3, "wrong_frame_count"), (4, "wrong_frame")):
        recipe = odd.normalise(RenderRequest(type="image", prompt="p", settings=SETTINGS | {"seed": seed}))
        with pytest.raises(RenderFailed) as caught:
            odd.render(recipe, recorder())
        assert caught.value.code == code
    with pytest.raises(InvalidRequestError, match="type must be image, which is what engine odd makes"):
        odd.normalise(RenderRequest(prompt="p"))


def image_file(tmp_path):
    file = tmp_path / "input.png"
    Image.new("RGB", (8, 6), (10, 20, 30)).save(file)
    return file, hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_function_gets_the_input_image_by_the_name_of_its_parameter(recorder, tmp_path):
    seen = []

    @engine("still-life")
    def still_life(recipe, image, image_path=None):
        seen.append((image, image_path))
        yield from [np.zeros((64, 64, 3), np.uint8)] * recipe.num_frames

    assert still_life.probe().image_input, "the parameter says so"
    file, digest = image_file(tmp_path)
    recipe = still_life.normalise(RenderRequest(prompt="p", settings=SETTINGS, input_digest=digest))
    still_life.render(recipe.model_copy(update={"input_path": file}), recorder())
    image, path = seen.pop()
    assert (image.shape, tuple(image[0, 0]), path) == ((6, 8, 3), (10, 20, 30), file)
    still_life.render(still_life.normalise(RenderRequest(prompt="p", settings=SETTINGS)), recorder())
    assert seen == [(None, None)]


def test_a_function_gets_the_last_frame_by_the_name_of_its_parameter(recorder, tmp_path):
    seen = []

    @engine("morph")
    def morph(recipe, image_path, last_image, last_image_path=None):
        seen.append((last_image, last_image_path))
        yield from [np.zeros((64, 64, 3), np.uint8)] * recipe.num_frames

    @engine("arrives")
    def arrives(recipe, last_image): ...

    able = [
        (made.probe().image_input, made.probe().last_frame, made.probe().last_frame_alone) for made in (morph, arrives)
    ]
    assert able == [(True, True, False), (False, True, True)]
    file, digest = image_file(tmp_path)
    recipe = morph.normalise(RenderRequest(prompt="p", settings=SETTINGS, last_digest=digest))
    morph.render(recipe.model_copy(update={"last_path": file}), recorder())
    image, path = seen.pop()
    assert (tuple(image[0, 0]), path) == ((10, 20, 30), file)
    with pytest.raises(RenderFailed, match="The last frame cannot be read any more") as caught:
        morph.render(recipe, recorder())
    assert caught.value.code == "input_missing"
    morph.render(morph.normalise(RenderRequest(prompt="p", settings=SETTINGS)), recorder())
    assert seen == [(None, None)]


def test_what_load_returns_is_given_to_each_job_and_loaded_once(recorder):
    loads, used = [], []

    def load():
        loads.append(1)
        return {"colour": 7}

    @engine("loaded", load=load)
    def loaded(recipe, ctx, *, model):
        used.append(model)
        yield from [np.full((64, 64, 3), model["colour"], np.uint8)] * recipe.num_frames

    assert (loaded.process.mode, loaded.concurrency) == ("sequential", 1)
    assert loads == [], "not where the app only asks it"
    contexts = [recorder() for _ in "ab"]
    for ctx in contexts:
        loaded.render(loaded.normalise(RenderRequest(prompt="p", settings=SETTINGS)), ctx)
    assert (len(loads), len(used)) == (1, 2)
    assert [[report[2] for report in ctx.reports].count("loading") for ctx in contexts] == [1, 0]


def test_a_load_that_fails_is_tried_again_by_the_next_job(recorder):
    attempts = []

    def load():
        attempts.append(1)
        raise OSError("no weights here")

    loaded = engine("loaded", load=load)(lambda recipe, model: ())
    for _ in "ab":
        with pytest.raises(OSError, match="no weights here"):
            loaded.render(loaded.normalise(RenderRequest(prompt="p", settings=SETTINGS)), recorder())
    assert len(attempts) == 2


def test_a_function_that_loads_nothing_has_a_process_for_each_job():
    assert engine("plain")(lambda recipe: ()).process.mode == "per_job"
    own = ProcessPolicy(mode="concurrent")
    assert engine("own", process=own)(lambda recipe: ()).process is own


def test_wrong_options_are_refused_when_it_is_decorated():
    with pytest.raises(TypeError, match=r"expected options of title, version, .*; got titel$"):
        engine("odd", titel="Odd")
    with pytest.raises(
        TypeError, match=r"odd: a parameter `model` needs a function with @engine\(\.\.\., load=\.\.\.\)"
    ):
        engine("odd")(lambda recipe, model: ())
    with pytest.raises(TypeError, match=r"a class with a method render"):
        engine("odd")(object)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_function_may_return_the_path_of_a_video_that_it_has_made(recorder, tmp_path, elsewhere):
    made = engine("frames")(lambda recipe: [np.full((64, 64, 3), 90, np.uint8)] * recipe.num_frames)
    recipe = made.normalise(RenderRequest(prompt="p", settings=SETTINGS))
    video = made.render(recipe, recorder(tmp_path / "other")).path

    @engine("file")
    def file(recipe, ctx):
        if elsewhere:
            return str(video)
        shutil.copyfile(video, ctx.workdir / "mine.mp4")
        return "mine.mp4"

    ctx = recorder()
    artifact = file.render(recipe, ctx)
    assert artifact.path.parent == ctx.workdir
    assert (artifact.width, artifact.height, artifact.fps, artifact.num_frames) == (64, 64, 4, 4)
    assert artifact.poster_path.is_file()


def test_a_returned_path_may_be_a_picture_and_must_exist(recorder):
    @engine("picture", capabilities=Capabilities(types=("image",)))
    def picture(recipe, ctx):
        Image.new("RGB", (recipe.width, recipe.height)).save(ctx.workdir / "mine.png")
        return ctx.workdir / ("mine.png" if recipe.seed == 3 else "nothing.png")

    request = RenderRequest(type="image", prompt="p", settings=SETTINGS)
    artifact = picture.render(picture.normalise(request), recorder())
    assert (artifact.content_type, artifact.fps, artifact.width) == ("image/png", 0, 64)
    with pytest.raises(RenderFailed, match=r"Expected the path of a file that render\(\) has made, got .*nothing\.png"):
        picture.render(picture.normalise(request.model_copy(update={"settings": SETTINGS | {"seed": 4}})), recorder())


def test_a_plain_function_or_class_is_an_engine_of_its_name():
    def ripples(recipe):
        yield recipe

    class Ripples:
        def render(self, recipe):
            """Rings."""

    for made in (as_engine(ripples), as_engine(Ripples)):
        assert isinstance(made, Engine)
        assert made.id == "ripples"
    assert as_engine(7) == 7
