"""Pipelines with random weights in real folders, and engines of them. Only with torch; see `make test-diffusers`."""

import hashlib
import os

import numpy as np
import pytest
from PIL import Image

from tests.engines.diffusers.attempts import SIZE, TIMEOUT_SECONDS
from videogen.engines.base import RenderRequest
from videogen.engines.diffusers.signature import missing_packages
from videogen.engines.spec import EngineSpec

# Such small models are fastest on one thread; and two processes test at once.
OPTIONS = {"ltx-2": {"call": {"spatio_temporal_guidance_blocks": [1], "max_sequence_length": 128}}}
"""Of engines whose pipelines do not take their defaults, being tiny."""

os.environ.setdefault("OMP_NUM_THREADS", "1")
if os.environ.get("VIDEOGEN_TEST_DIFFUSERS") and (missing := missing_packages()):
    raise pytest.UsageError(f"not installed: {', '.join(missing)}; remove .venv-diffusers, then `make test-diffusers`")


def pytest_collection_modifyitems(items):
    for item in items:
        # What torch and diffusers warn about is not ours to mend.
        item.add_marker(pytest.mark.filterwarnings("default"))
        # The first test of a process imports torch, diffusers and transformers.
        item.add_marker(pytest.mark.timeout(3 * TIMEOUT_SECONDS))


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory):
    """Saves a pipeline, once per session: `model_folder("wan")`."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    root = tmp_path_factory.mktemp("models")

    def folder(name):
        from tests.engines.diffusers import tiny_pipelines

        path = root / f"tiny-{name}"
        if not path.exists():
            tiny_pipelines.save(name, path)
        return path

    return folder


@pytest.fixture(scope="session")
def spec_for(model_folder):
    """Makes the spec of an engine with a pipeline: `spec_for("wan", dtype="bfloat16")`."""

    def spec(name, **options):
        options = {"device": "cpu"} | OPTIONS.get(name, {}) | options
        return EngineSpec(id=f"tiny-{name}", kind="diffusers", model=str(model_folder(name)), options=options)

    return spec


@pytest.fixture(scope="session")
def engine_for(spec_for):
    """Makes engines. Each keeps the pipeline that it has loaded, so tests with the same options share it."""
    from videogen.engines.diffusers.engine import create

    engines = {}

    def engine(name, **options):
        key = name, repr(options)
        if key not in engines:
            engines[key] = create(spec_for(name, **options))
        return engines[key]

    return engine


@pytest.fixture(scope="session")
def picture(tmp_path_factory):
    """The path of a picture, and its digest."""
    path = tmp_path_factory.mktemp("pictures") / "picture.png"
    y, x = np.mgrid[0:90, 0:120]
    Image.fromarray(np.stack([x * 2, y * 2, 255 - x], axis=-1).astype(np.uint8)).save(path)
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="session")
def recipe_for(engine_for, picture):
    """Makes the recipe of an engine: `recipe_for(engine, steps=3)`. Engines that need a picture get one."""

    def recipe(engine, prompt="a sea", with_picture=None, negative_prompt="", **settings):
        path, digest = picture
        settings = ({"inputFrame": "both"} if engine.traits.needs_last else {}) | settings
        needs = engine.traits.first_frame == "required" if with_picture is None else with_picture
        request = RenderRequest(
            type=engine.traits.kind,
            prompt=prompt,
            negative_prompt=negative_prompt,
            settings=SIZE | settings,
            input_digest=digest if needs else None,
        )
        made = engine.normalise(request)
        return made.model_copy(update={"input_path": path}) if needs else made

    return recipe
