"""LoRAs: chosen in the form, with a weight, and only those that fit."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="diffusers is not installed; `make test-diffusers` runs this")

from diffusers import DiffusionPipeline  # noqa: E402
from peft import LoraConfig  # noqa: E402
from peft.utils import get_peft_model_state_dict  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from videogen.engines.base import RenderFailed  # noqa: E402
from videogen.engines.diffusers import job  # noqa: E402


@pytest.fixture(scope="module")
def loras(model_folder, tmp_path_factory):
    """Files of LoRAs for a Wan, for another model, and with layers of another size."""
    folder = tmp_path_factory.mktemp("loras")
    torch.manual_seed(1)
    for name in ("wan", "ltx"):
        pipe = DiffusionPipeline.from_pretrained(model_folder(name), local_files_only=True)
        config = LoraConfig(r=4, target_modules=["to_q", "to_v"], init_lora_weights=False)
        pipe.transformer.add_adapter(config)
        layers = get_peft_model_state_dict(pipe.transformer)
        type(pipe).save_lora_weights(folder / name, transformer_lora_layers=layers)
    wide = {"transformer.blocks.0.attn1.to_q.lora_A.weight": torch.ones(4, 99),
            "transformer.blocks.0.attn1.to_q.lora_B.weight": torch.ones(99, 4)}  # fmt: skip
    save_file(wide, folder / "wide.safetensors")
    save_file({"unet.layer.lora_A.weight": torch.ones(4, 4), "unet.layer.lora_B.weight": torch.ones(4, 4)},
              folder / "other.safetensors")  # fmt: skip
    return [
        {"name": "film", "path": str(folder / "wan"), "weight": 0.5},
        {"name": "ltx", "path": str(folder / "ltx")},
        {"name": "wide", "path": str(folder / "wide.safetensors")},
        {"name": "other", "path": str(folder / "other.safetensors")},
        {"name": "gone", "path": str(folder / "gone.safetensors")},
    ]


@pytest.fixture
def engine(engine_for, loras):
    return engine_for("wan", loras=loras)


@pytest.fixture
def frames(engine, recipe_for, recorder, monkeypatch):
    def render(**settings):
        seen = []
        monkeypatch.setattr(job, "render_sequence", lambda recipe, ctx, frames, **_: seen.extend(frames))
        engine.render(recipe_for(engine, steps=2, **settings), recorder())
        return np.stack(seen)

    return render


def test_a_lora_changes_the_result_with_its_weight_and_leaves_no_trace(frames):
    plain = frames()
    film, strong = frames(lora="film"), frames(lora="film", loraWeight=2.0)
    assert not np.array_equal(plain, film)
    assert not np.array_equal(film, strong)
    assert np.array_equal(film, frames(lora="film", loraWeight=0.5)), "the weight of the engine's options"
    assert np.array_equal(plain, frames(lora="film", loraWeight=0.0))
    assert np.array_equal(plain, frames())


@pytest.mark.parametrize("name", ["ltx", "wide", "other"])
def test_a_lora_of_another_model_is_refused_and_the_engine_stays_of_use(engine, frames, recipe_for, recorder, name):
    plain = frames()
    with pytest.raises(RenderFailed) as caught:
        engine.render(recipe_for(engine, steps=2, lora=name), recorder())
    assert caught.value.code == "lora_mismatch"
    assert f"The LoRA {name} does not fit tiny-wan (" in str(caught.value)
    assert "Choose none, or one that was made for this model." in str(caught.value)
    assert np.array_equal(plain, frames())


def test_a_lora_whose_file_is_gone(engine, recipe_for, recorder):
    with pytest.raises(RenderFailed, match=r"The file of the LoRA gone does not exist.") as caught:
        engine.render(recipe_for(engine, lora="gone"), recorder())
    assert caught.value.code == "lora_missing"


def test_a_lora_that_is_not_on_offer_any_more(engine, recipe_for, recorder):
    recipe = recipe_for(engine)
    recipe = recipe.model_copy(update={"settings": recipe.settings | {"lora": "old", "lora_weight": 1.0}})
    with pytest.raises(RenderFailed, match=r"The LoRA old is not on offer any more."):
        engine.render(recipe, recorder())


def test_the_form_offers_them(engine):
    properties = engine.settings.model_json_schema()["properties"]
    assert properties["lora"]["enum"] == ["none", "film", "ltx", "wide", "other", "gone"]
