"""Sizes, frames and parameters, which are known without torch and before a render."""

import json
import re
import subprocess
import sys

import pytest

from videogen.core.errors import ConfigError, InvalidRequestError
from videogen.engines.base import Engine, RenderRequest
from videogen.engines.diffusers import engine as engine_module
from videogen.engines.diffusers import families
from videogen.engines.diffusers.engine import create
from videogen.engines.diffusers.signature import REQUIRED
from videogen.engines.spec import EngineSpec

VIDEO = {"prompt": None, "negative_prompt": None, "height": 480, "width": 832, "num_frames": 81,
         "num_inference_steps": 50, "guidance_scale": 5.0}  # fmt: skip
IMAGE = {name: value for name, value in VIDEO.items() if name != "num_frames"}
CALLS = {
    "WanPipeline": VIDEO,
    "WanImageToVideoPipeline": {"image": REQUIRED, "last_image": None, **VIDEO},
    "LTXPipeline": {**VIDEO, "frame_rate": 25},
    "LTXConditionPipeline": {**VIDEO, "image": None, "frame_index": 0},
    "SanaVideoPipeline": {**IMAGE, "frames": 81},
    "HunyuanVideo15Pipeline": {name: value for name, value in VIDEO.items() if name != "guidance_scale"},
    "StableDiffusionXLPipeline": IMAGE,
    "AllegroPipeline": VIDEO,
    "NewVideoPipeline": {**VIDEO, "num_frames": 33, "num_inference_steps": 8},
}


@pytest.fixture(autouse=True)
def calls(monkeypatch):
    """The calls of some pipelines, whether diffusers is installed or not."""
    monkeypatch.setattr(families, "call_parameters", CALLS.get)
    monkeypatch.setattr(engine_module, "call_parameters", CALLS.get)
    monkeypatch.setattr(engine_module, "missing_packages", list)


@pytest.fixture
def engine(tmp_path):
    """Makes the engine of a folder with a pipeline of a class, and nothing else."""

    def make(pipeline="WanPipeline", configs=None, **options):
        folder = tmp_path / "model"
        for name, content in {"model_index.json": {"_class_name": pipeline}, **(configs or {})}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(json.dumps(content))
        return create(EngineSpec(id="mine", kind="diffusers", model=str(folder), options=options))

    return make


def normalise(engine, digest=None, last=None, **settings):
    digests = {"input_digest": digest, "last_digest": last}
    request = RenderRequest(type=engine.traits.kind, prompt="a sea", settings=settings, **digests)
    return engine.normalise(request)


@pytest.mark.parametrize(
    ("pipeline", "asked", "made"),
    [
        ("WanPipeline", (831, 479, 80), (816, 464, 81)),
        ("WanPipeline", (64, 70, 82), (64, 64, 81)),
        ("LTXPipeline", (850, 500, 100), (832, 480, 97)),
        ("SanaVideoPipeline", (850, 500, 100), (832, 480, 101)),
        ("StableDiffusionXLPipeline", (1023, 517, 1), (1016, 512, 1)),
        ("NewVideoPipeline", (850, 500, 100), (832, 480, 97)),
    ],
)
def test_a_recipe_has_the_size_and_the_frames_that_its_pipeline_makes(engine, pipeline, asked, made):
    width, height, frames = asked
    recipe = normalise(engine(pipeline), width=width, height=height, fps=10, durationSeconds=max(0.5, frames / 10))
    assert (recipe.width, recipe.height, recipe.num_frames) == made


def test_the_model_s_own_configuration_is_stricter_than_its_family(engine):
    configs = {
        "vae/config.json": {"scale_factor_spatial": 16, "scale_factor_temporal": 4},
        "transformer/config.json": {"patch_size": [1, 2, 2]},
    }
    recipe = normalise(engine(configs=configs), width=850, height=500)
    assert (recipe.width, recipe.height) == (832, 480)


@pytest.mark.parametrize(
    ("pipeline", "steps", "width", "fps", "kind"),
    [
        ("WanPipeline", 50, 832, 16, "video"),
        ("LTXPipeline", 50, 704, 24, "video"),
        ("StableDiffusionXLPipeline", 50, 1024, 24, "image"),
        ("NewVideoPipeline", 8, 832, 16, "video"),
    ],
)
def test_the_form_begins_with_what_suits_the_pipeline(engine, pipeline, steps, width, fps, kind):
    made = engine(pipeline)
    settings = made.settings()
    assert (settings.steps, settings.width, settings.fps) == (steps, width, fps)
    assert made.probe().types == (kind,)
    properties = made.settings.model_json_schema()["properties"]
    assert properties["steps"]["maximum"] == 200
    assert properties["width"]["title"] == "Width"
    assert "multiple of" in properties["width"]["description"]


def test_a_form_has_what_the_pipeline_takes_and_no_more(engine):
    assert "guidance_scale" in engine("HunyuanVideo15Pipeline").settings.model_fields, "its guider has it"
    fields = engine("WanPipeline", loras=[{"name": "film", "path": "film.safetensors"}]).settings.model_fields
    assert {"lora", "lora_weight"} <= fields.keys()
    assert "input_frame" not in fields


@pytest.mark.parametrize(
    ("pipeline", "choices"),
    [("WanImageToVideoPipeline", ["first", "both"]), ("LTXConditionPipeline", ["first", "last", "both"])],
)
def test_a_picture_is_the_first_frame_or_the_last_one_where_the_pipeline_takes_it(engine, pipeline, choices):
    made = engine(pipeline)
    found = made.probe()
    assert (found.image_input, found.last_frame, found.last_frame_alone) == (True, True, "last" in choices)
    assert made.settings.model_json_schema()["properties"]["inputFrame"]["enum"] == choices


def test_a_last_frame_of_its_own_leaves_the_first_picture_in_its_place(engine):
    made = engine("WanImageToVideoPipeline")
    assert normalise(made, digest="0" * 64, last="1" * 64).last_digest == "1" * 64
    with pytest.raises(InvalidRequestError, match=r"settings.inputFrame must be first, since another picture is the l"):
        normalise(made, digest="0" * 64, last="1" * 64, inputFrame="both")


def test_a_model_that_makes_nothing_of_a_last_frame_takes_none(engine):
    index = {"_class_name": "WanImageToVideoPipeline", "expand_timesteps": True}
    made = engine(configs={"model_index.json": index})
    assert (made.probe().image_input, made.probe().last_frame) == (True, False)
    assert "input_frame" not in made.settings.model_fields


def test_a_pipeline_that_starts_from_a_picture_asks_for_one(engine):
    with pytest.raises(
        InvalidRequestError, match="inputFileId must be a picture of yours, since WanImageToVideoPipeline"
    ):
        normalise(engine("WanImageToVideoPipeline"))
    assert normalise(engine("WanImageToVideoPipeline"), digest="0" * 64).input_digest == "0" * 64


def test_a_model_of_the_frames_between_two_pictures_asks_for_both(engine):
    made = engine("WanImageToVideoPipeline", configs={"transformer/config.json": {"pos_embed_seq_len": 514}})
    with pytest.raises(InvalidRequestError, match="lastFrameFileId must be a picture of yours, since this model makes"):
        normalise(made, digest="0" * 64)
    assert normalise(made, digest="0" * 64, last="1" * 64).last_digest == "1" * 64
    assert normalise(made, digest="0" * 64, inputFrame="both").settings["input_frame"] == "both"


def test_a_recipe_names_its_model_and_no_path(engine, tmp_path):
    recipe = normalise(engine())
    assert recipe.settings["model"] == "model"
    assert str(tmp_path) not in recipe.model_dump_json()


def test_a_model_of_the_hub_that_is_not_here_yet_is_known_by_its_name(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    spec = EngineSpec(id="wan", kind="diffusers", model="Wan-AI/Wan2.1-T2V-1.3B-Diffusers")
    unknown = create(spec)
    assert unknown.probe().available
    assert normalise(unknown, width=850).width == 848
    commit = "0123456789" * 4
    snapshot = tmp_path / "models--Wan-AI--Wan2.1-T2V-1.3B-Diffusers" / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (snapshot / "model_index.json").write_text('{"_class_name": "WanPipeline"}')
    refs = snapshot.parents[1] / "refs"
    refs.mkdir()
    (refs / "main").write_text(commit)
    downloaded = create(spec)
    assert downloaded.traits.pipeline == "WanPipeline"
    assert normalise(downloaded).settings["revision"] == commit, "the recipe names the commit"


def test_the_page_hears_which_model_and_device_and_which_releases(engine):
    assert engine(device="cuda:1").description == "model, WanPipeline of diffusers, on cuda:1."
    assert engine().description == "model, WanPipeline of diffusers."
    assert re.match(r"1, diffusers [\w.]+, torch [\w.+]+$", engine().version.replace("not installed", "none"))


def test_an_engine_is_an_engine_with_one_child_that_stays(engine):
    made = engine(idle_seconds=30)
    assert isinstance(made, Engine)
    assert (made.process.mode, made.process.idle_seconds) == ("sequential", 30)
    assert {"torch", "diffusers"} <= set(made.process.imports)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"offload": "disk"}, "offload: expected one of 'none', 'group' or 'model', got 'disk'"),
        ({"device": "gpu"}, "device: expected"),
        ({"lora": "x"}, "expected one of the keys"),
        ({"token": "hf_secret"}, "token: expected"),
    ],
)
def test_a_wrong_option_is_refused_at_the_start(engine, options, message):
    with pytest.raises(ConfigError, match=message):
        engine(**options)


def test_an_engine_without_a_model_is_refused():
    with pytest.raises(ConfigError, match="model: expected the folder of a pipeline, or its name on the hub"):
        create(EngineSpec(id="mine", kind="diffusers"))


# What is missing


def problem(engine):
    capabilities = engine.probe()
    assert not capabilities.available
    return capabilities.reason


def test_a_folder_that_is_no_pipeline_makes_the_engine_unavailable(engine, tmp_path):
    made = engine()
    index = tmp_path / "model" / "model_index.json"
    index.write_text("{}")
    assert "names no pipeline class" in problem(made)
    index.unlink()
    assert "The folder model is no pipeline: it has no model_index.json." in problem(made)
    index.parent.rmdir()
    assert "There is no folder model." in problem(made)
    index.parent.write_text("weights")
    assert "The model model is a file." in problem(made)


def test_a_name_that_is_neither_folder_nor_on_the_hub_makes_the_engine_unavailable():
    made = create(EngineSpec(id="a", kind="diffusers", model="wan"))
    assert "neither a folder nor a name on the hub" in problem(made)


def test_a_class_that_this_diffusers_does_not_know_makes_the_engine_unavailable(engine):
    reason = problem(engine("FuturePipeline"))
    assert reason.startswith("The pipeline FuturePipeline of model is unknown to diffusers")
    assert reason.endswith("Run: pip install --upgrade diffusers")


def test_a_pipeline_that_cannot_be_used_makes_the_engine_unavailable(engine):
    reason = problem(engine("AllegroPipeline"))
    assert reason.startswith("The pipeline AllegroPipeline of model cannot be used: diffusers decodes")
    assert reason.endswith("Use another model.")


def test_a_missing_package_makes_the_engine_unavailable(engine, monkeypatch):
    monkeypatch.setattr(engine_module, "missing_packages", lambda: ["torch", "accelerate"])
    assert problem(engine()) == "Not installed: torch, accelerate. Run: pip install 'videogen[diffusers]'"


def test_a_missing_gpu_makes_the_engine_unavailable(engine, monkeypatch, tmp_path):
    monkeypatch.setattr(engine_module, "_NVIDIA", (tmp_path / "nvidiactl",))
    assert problem(engine(device="cuda:1")).startswith("Device cuda:1: this machine has no GPU for it.")
    (tmp_path / "nvidiactl").touch()
    assert engine(device="cuda:1").probe().available


def test_the_app_never_imports_torch(engine):
    folder = engine().spec.model
    code = f"""
import sys
from videogen.engines.base import RenderRequest
from videogen.engines.diffusers.engine import create
from videogen.engines.spec import EngineSpec
engine = create(EngineSpec(id="mine", kind="diffusers", model={folder!r}))
engine.probe(), engine.settings, engine.version, engine.process
engine.normalise(RenderRequest(prompt="a sea"))
loaded = {{"torch", "diffusers", "transformers", "numpy"}} & sys.modules.keys()
sys.exit(f"imported: {{loaded}}" if loaded else 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
