"""The configurations on the pages of fal and Replicate are run as they are printed, at the stand-ins."""

import re

import pytest

from tests.support.app import ROOT
from tests.support.providers.fal import Fal
from tests.support.providers.replicate import Replicate
from tests.support.providers.runs import render_here
from tests.support.stand_in import serve
from videogen.engines.base import RenderRequest
from videogen.engines.registry import load_engines
from videogen.engines.remote import model_inputs
from videogen.engines.spec import EngineSpec
from videogen.testing.context import RecordingContext

STAND_INS = {"fal": Fal, "replicate": Replicate}
BLOCKS = [
    (kind, name, text)
    for kind in STAND_INS
    for name, text in re.findall(
        r"^```toml\n# (\S+)\n(.*?)^```$", (ROOT / f"docs/engines/{kind}.md").read_text(), re.M | re.S
    )
]


@pytest.fixture(scope="module")
def sites():
    made = {kind: stand_in() for kind, stand_in in STAND_INS.items()}
    with (
        serve(made["fal"].app) as fal,
        serve(made["replicate"].app) as replicate,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("FAL_KEY", made["fal"].key)
        patch.setenv("HF_TOKEN", made["fal"].token)
        patch.setenv("REPLICATE_API_TOKEN", made["replicate"].token)
        yield {"fal": fal.url, "replicate": replicate.url}


@pytest.fixture
def picture(tmp_path):
    from PIL import Image

    path = tmp_path / "frame.png"
    Image.radial_gradient("L").resize((64, 64)).convert("RGB").save(path)
    return path


@pytest.mark.parametrize(("kind", "name", "text"), BLOCKS, ids=[name for _, name, _ in BLOCKS])
def test_a_configuration_of_a_page_renders(sites, picture, tmp_path, kind, name, text):
    here = text.replace("https://router.huggingface.co", f"{sites[kind]}/router")
    more = "poll_seconds = 0.002" if "base_url" in here else f'poll_seconds = 0.002\nbase_url = "{sites[kind]}"'
    (tmp_path / name).write_text(re.sub(r"^(kind = .*)$", rf"\1\n{more}", here, flags=re.M))
    for engine in load_engines([str(tmp_path / name)]).values():
        assert engine.probe().available, engine.probe().reason
        recipe = engine.normalise(RenderRequest(prompt="a kite", input_digest="0" * 64))
        context = RecordingContext(tmp_path)
        artifact = render_here(engine, recipe.model_copy(update={"input_path": picture}), context)
        assert artifact.path.stat().st_size > 0
        priced = engine.explain(RenderRequest(prompt="a kite", input_digest="0" * 64)).cost
        assert (priced is not None) == bool(context.costs)


@pytest.mark.parametrize(
    ("kind", "pattern"), [(kind, pattern) for kind, found in model_inputs.tables().items() for pattern in found]
)
def test_each_model_that_is_known_has_a_form_and_an_input(monkeypatch, kind, pattern):
    monkeypatch.setenv("FAL_KEY", "a")
    monkeypatch.setenv("REPLICATE_API_TOKEN", "a")
    model = pattern.replace("*", "x") if "/" in pattern else f"own/model{pattern.replace('*', '-')}"
    assert model_inputs.inputs_of(kind, model) is model_inputs.tables()[kind][pattern]
    (engine,) = load_engines([EngineSpec(id="x", kind=kind, model=model).reference]).values()
    recipe = engine.normalise(RenderRequest(prompt="a kite", input_digest="0" * 64))
    assert recipe.settings["model"] == model
    fields = set(model_inputs.tables()[kind][pattern])
    shown = set(engine.settings.model_fields)
    assert {"fps", "seed", "resolution", "aspect_ratio"} & fields <= shown
    assert engine.probe().image_input == bool({"image", "image_url", "start_image"} & fields)


def test_the_own_table_of_an_engine_counts_more(monkeypatch):
    monkeypatch.setenv("FAL_KEY", "a")
    spec = EngineSpec(
        id="x", kind="fal", model="fal-ai/ltx-2/text-to-video", options={"inputs": {"text": {"from": "prompt"}}}
    )
    assert model_inputs.with_inputs(spec) is spec
