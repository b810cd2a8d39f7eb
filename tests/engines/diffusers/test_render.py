"""One render in this process: it equals the plain pipeline, and a fault of any phase ends it with what to do."""

import errno
import hashlib
import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="diffusers is not installed; `make test-diffusers` runs this")

from diffusers import DiffusionPipeline  # noqa: E402

from tests.engines.diffusers.attempts import MORE_FAMILIES, STEPS  # noqa: E402
from videogen.engines.base import RenderCancelled, RenderFailed  # noqa: E402
from videogen.engines.diffusers import checkpoints, job, loading  # noqa: E402
from videogen.engines.diffusers.arguments import _pictures, call_arguments  # noqa: E402
from videogen.engines.diffusers.outputs import frames_of, sound_of  # noqa: E402
from videogen.media.playable import examine_video  # noqa: E402

FAMILIES = ("wan", "ltx", "sdxl", "wan-i2v", "ltx-i2v", "cogvideox", "hunyuan-video-1.5", *MORE_FAMILIES)


@pytest.fixture
def frames(monkeypatch, recorder):
    """Renders a recipe, and returns the frames that would be encoded."""

    def render(engine, recipe, ctx=None):
        seen = []
        with monkeypatch.context() as patch:
            patch.setattr(job, "render_sequence", lambda r, c, f, **_: seen.extend(f))
            patch.setattr(job, "render_still", lambda r, c, make: seen.append(make()))
            engine.render(recipe, ctx or recorder())
        return np.stack(seen)

    return render


@pytest.fixture
def wan(engine_for, recorder, recipe_for):
    """The engine of a tiny Wan whose pipeline is loaded."""
    engine = engine_for("wan")
    if engine._loaded is None:
        engine._loaded = loading.load(engine._files, recipe_for(engine), engine._options, recorder())
    return engine


@pytest.fixture
def transformer(wan):
    return wan._loaded.pipe.transformer


class Interrupting:
    """Makes a recorder's `raise_if_cancelled` raise when a condition holds, and counts the calls after that."""

    def __init__(self, ctx, condition):
        self.condition, self.raised = condition, 0
        ctx.raise_if_cancelled = self

    def __call__(self):
        if self.condition():
            self.raised += 1
            raise RenderCancelled


@pytest.mark.parametrize("name", ["wan", "sdxl"])
def test_a_watched_pipeline_makes_what_the_plain_one_makes(name, engine_for, recipe_for, frames, model_folder):
    engine = engine_for(name)
    recipe = recipe_for(engine, negative_prompt="rain")
    watched = frames(engine, recipe)
    plain = DiffusionPipeline.from_pretrained(model_folder(name), local_files_only=True)
    arguments, _ = call_arguments(engine._loaded, recipe)
    assert np.array_equal(watched, frames_of(plain(**arguments)))


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_renders_in_16_bits_with_a_vae_in_32(name, engine_for, recipe_for, frames):
    engine = engine_for(name, dtype="bfloat16")
    made = frames(engine, recipe_for(engine, steps=2))
    assert made.dtype == np.uint8
    assert made.std() > 0
    pipe = engine._loaded.pipe
    denoiser = getattr(pipe, "transformer", None) or pipe.unet
    assert (denoiser.dtype, pipe.vae.dtype) == (torch.bfloat16, torch.float32)


def test_weights_in_8_bits_render(engine_for, recipe_for, frames):
    engine = engine_for("wan", dtype="bfloat16", fp8=True)
    assert frames(engine, recipe_for(engine, steps=2)).std() > 0
    stored = {weight.dtype for weight in engine._loaded.pipe.transformer.parameters()}
    assert torch.float8_e4m3fn in stored


def test_a_pipeline_is_loaded_once(wan, recipe_for, recorder):
    pipe = wan._loaded.pipe
    for seed in (1, 2):
        ctx = recorder()
        wan.render(recipe_for(wan, seed=seed, steps=2), ctx)
        assert "loading" not in [report[2] for report in ctx.reports]
    assert wan._loaded.pipe is pipe


def test_progress_is_exact_and_never_falls(wan, recipe_for, recorder):
    ctx = recorder()
    wan.render(recipe_for(wan), ctx)
    assert denoised(ctx) == list(range(1, STEPS + 1))
    assert {report[1] for report in ctx.reports} == {STEPS}
    steps = [report[0] for report in ctx.reports]
    assert steps == sorted(steps)
    assert [saved["step"] for saved in ctx.saved] == list(range(1, STEPS + 1)), "each step is durable"
    assert not (ctx.workdir / checkpoints.STATE_NAME).exists(), "a result needs no checkpoint"


@pytest.mark.long
def test_the_sound_of_a_pipeline_is_in_its_video(engine_for, recipe_for, recorder):
    engine, ctx = engine_for("ltx-2"), recorder()
    found = examine_video(engine.render(recipe_for(engine, steps=2), ctx).path)
    assert (found.has_audio, found.faults) == (True, ())
    assert found.duration_seconds == pytest.approx(9 / 8)


def test_sound_with_invalid_numbers_is_no_sound():
    output = SimpleNamespace(audio=torch.full((1, 2, 8), float("nan")))
    with pytest.raises(RenderFailed, match="invalid numbers"):
        sound_of(output, None)
    assert sound_of(SimpleNamespace(frames=None), None) is None


@pytest.mark.parametrize("name", ["wan-i2v", "ltx-i2v"])
def test_the_picture_is_the_first_frame(name, engine_for, recipe_for, frames, tmp_path):
    engine = engine_for(name)
    recipe = recipe_for(engine, steps=2)
    other = tmp_path / "other.png"
    Image.new("RGB", (64, 64), (250, 10, 10)).save(other)
    digest = hashlib.sha256(other.read_bytes()).hexdigest()
    changed = recipe.model_copy(update={"input_path": other, "input_digest": digest})
    assert not np.array_equal(frames(engine, recipe), frames(engine, changed))


def test_the_picture_is_the_last_frame_too(engine_for, recipe_for, frames):
    engine = engine_for("wan-i2v")
    first, both = (frames(engine, recipe_for(engine, steps=2, inputFrame=where)) for where in ("first", "both"))
    assert not np.array_equal(first, both)


def test_a_picture_of_its_own_is_the_last_frame(engine_for, recipe_for, frames, tmp_path):
    engine = engine_for("wan-i2v")
    path = tmp_path / "last.png"
    Image.new("RGB", (90, 64), (250, 10, 10)).save(path)
    update = {"last_path": path, "last_digest": hashlib.sha256(path.read_bytes()).hexdigest()}
    alone, same = (recipe_for(engine, steps=2, inputFrame=where) for where in ("first", "both"))
    other = alone.model_copy(update=update)
    made = [frames(engine, recipe) for recipe in (alone, same, other)]
    assert not np.array_equal(made[0], made[2])
    assert not np.array_equal(made[1], made[2])


def test_conditions_hold_each_picture_at_its_frame(recipe_for, engine_for, picture):
    recipe, traits = recipe_for(engine_for("wan-i2v")), SimpleNamespace(last_frame="alone")
    path, digest = picture
    last = {"last_path": path, "last_digest": digest}
    for update, indices in (
        (last, [0, recipe.num_frames - 1]),
        (last | {"input_digest": None}, [recipe.num_frames - 1]),
    ):
        found = _pictures(recipe.model_copy(update=update), traits)["conditions"]
        assert [condition.frame_index for condition in found] == indices


def test_a_prompt_a_seed_and_the_guidance_change_the_result(wan, recipe_for, frames):
    base = frames(wan, recipe_for(wan, steps=2))
    assert np.array_equal(base, frames(wan, recipe_for(wan, steps=2)))
    for change in ({"prompt": "a city"}, {"seed": 4}, {"guidanceScale": 9.0}, {"negative_prompt": "rain"}):
        assert not np.array_equal(base, frames(wan, recipe_for(wan, steps=2, **change))), change


# Cancel


def test_a_cancel_stops_within_a_block_of_a_step(wan, transformer, recipe_for, recorder):
    ctx, blocks = recorder(), []
    hooks = [block.register_forward_hook(lambda *_: blocks.append(1)) for block in transformer.blocks]
    cancel = Interrupting(ctx, lambda: len(blocks) == 3)  # the first block of the second call
    with pytest.raises(RenderCancelled):
        wan.render(recipe_for(wan), ctx)
    for hook in hooks:
        hook.remove()
    assert (len(blocks), cancel.raised) == (3, 1)
    assert wan.render(recipe_for(wan, steps=1), recorder()), "the pipeline is of use for the next job"


def test_a_decode_can_be_cancelled(wan, recipe_for, recorder):
    ctx, vae, ended = recorder(), wan._loaded.pipe.vae, []
    hook = vae.decoder.register_forward_hook(lambda *_: ended.append(1))
    Interrupting(ctx, lambda: bool(ended))
    with pytest.raises(RenderCancelled):
        wan.render(recipe_for(wan, steps=1), ctx)
    hook.remove()
    assert len(ended) == 1, "of three chunks of frames"
    assert ctx.reports[-1][2] == "decoding"


def test_a_long_step_reports_that_it_goes_on(wan, recipe_for, recorder, monkeypatch):
    monkeypatch.setattr(job, "_ALIVE_SECONDS", 0.0)
    ctx = recorder()
    wan.render(recipe_for(wan, steps=2), ctx)
    assert [report[:3] for report in ctx.reports].count((1, 2, "denoising")) > 2


# Faults


def failure(engine, recipe, ctx):
    with pytest.raises(RenderFailed) as caught:
        engine.render(recipe, ctx)
    return caught.value


def test_memory_that_runs_out_in_a_step_ends_the_job_alone(wan, transformer, recipe_for, recorder, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(transformer, "forward", raiser(torch.OutOfMemoryError("CUDA out of memory")))
        end = failure(wan, recipe_for(wan), recorder())
    assert end.code == "out_of_memory"
    assert str(end).startswith("There is not enough memory for 64 x 64 with 9 frames: it ran out while denoising.")
    assert "Choose a smaller size" in str(end)
    assert wan.render(recipe_for(wan, steps=1), recorder())


def test_a_decode_that_runs_out_of_memory_is_tried_again_in_tiles(wan, recipe_for, recorder, frames, monkeypatch):
    recipe = recipe_for(wan, steps=2)
    expected = frames(wan, recipe)
    vae, tiled = wan._loaded.pipe.vae, []
    forward = vae.decoder.forward

    def fails_untiled(*args, **kwargs):
        tiled.append(vae.use_tiling)
        if not vae.use_tiling:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(vae.decoder, "forward", fails_untiled)
        made = frames(wan, recipe)
    assert tiled[:2] == [False, True]
    assert made.shape == expected.shape
    assert not vae.use_tiling, "the next job decodes as a whole"


def test_a_decode_that_runs_out_of_memory_in_tiles_too_ends_the_job(wan, recipe_for, recorder, monkeypatch):
    monkeypatch.setattr(wan._loaded.pipe.vae.decoder, "forward", raiser(torch.OutOfMemoryError("out of memory")))
    end = failure(wan, recipe_for(wan, steps=1), recorder())
    assert end.code == "out_of_memory"
    assert "it ran out while decoding, not even in tiles." in str(end)


def test_invalid_numbers_end_the_job_at_their_step(wan, transformer, recipe_for, recorder, monkeypatch):
    forward, calls = transformer.forward, []

    def nan_from_the_third_call(*args, **kwargs):
        calls.append(1)
        (output, *rest) = forward(*args, **kwargs)
        return (output * (float("nan") if len(calls) > 2 else 1.0), *rest)

    monkeypatch.setattr(transformer, "forward", nan_from_the_third_call)
    end = failure(wan, recipe_for(wan), recorder())
    assert end.code == "invalid_numbers"
    assert "The model made invalid numbers (NaN) at step 2." in str(end)
    assert 'Set dtype = "bfloat16" or "float32"' in str(end)


def test_invalid_numbers_of_the_vae_are_no_video(wan, recipe_for, recorder, monkeypatch):
    decoder = wan._loaded.pipe.vae.decoder
    forward = decoder.forward
    monkeypatch.setattr(decoder, "forward", lambda *args, **kwargs: forward(*args, **kwargs) * float("nan"))
    assert failure(wan, recipe_for(wan, steps=1), recorder()).code == "invalid_numbers"


def test_without_disk_space_for_a_checkpoint_the_render_goes_on_and_says_so(wan, recipe_for, recorder, monkeypatch):
    class FullDisk(io.FileIO):
        def write(self, _):
            raise OSError(errno.ENOSPC, "No space left on device")

    recipe, ctx = recipe_for(wan), recorder()
    monkeypatch.setattr(Path, "open", lambda path, mode="r", **_: FullDisk(path, mode))
    assert wan.render(recipe, ctx).num_frames == 9
    assert ctx.saved == []
    said = {report[3] for report in ctx.reports if report[2] == "denoising"}
    assert "The disk is full, so there is no new checkpoint. Make space in the data folder." in said


def test_a_checkpoint_that_is_broken_or_of_another_request_is_not_used(wan, recipe_for, recorder):
    recipe = recipe_for(wan, steps=3)
    for content in (b"", b"no checkpoint", None):
        ctx = recorder(checkpoint={"step": 2, "total": 3, "file": checkpoints.STATE_NAME})
        if content is None:
            torch.save({"origin": {"recipe": "another"}, "state": {}}, ctx.workdir / checkpoints.STATE_NAME)
        else:
            (ctx.workdir / checkpoints.STATE_NAME).write_bytes(content)
        wan.render(recipe, ctx)
        assert denoised(ctx) == [1, 2, 3]


def test_a_request_of_another_size_length_or_type_is_refused_with_one_that_fits(wan, recipe_for, recorder):
    recipe = recipe_for(wan)
    for change, code, hint in (
        ({"width": 70}, "wrong_size", "multiples of 16, not 70 x 64. Choose 64 x 64."),
        ({"num_frames": 8}, "wrong_frame_count", "4 n + 1 frames, not 8. Choose 1.12 seconds, which is 9 frames."),
        ({"type": "image", "num_frames": 1}, "wrong_type", "WanPipeline makes videos only."),
    ):
        end = failure(wan, recipe.model_copy(update=change), recorder())
        assert (end.code, hint in str(end)) == (code, True), str(end)


def test_what_the_pipeline_refuses_is_shown_in_its_words(wan, recipe_for, recorder, monkeypatch):
    monkeypatch.setattr(type(wan._loaded.pipe), "check_inputs", raiser(ValueError("`height` has to be larger.")))
    end = failure(wan, recipe_for(wan), recorder())
    assert end.code == "refused_by_model"
    assert "WanPipeline does not accept this request: `height` has to be larger. Change the settings" in str(end)


def denoised(ctx):
    """The steps that were reported; one that takes long is reported again."""
    return list(dict.fromkeys(report[0] for report in ctx.reports if report[2] == "denoising"))


def raiser(error):
    def raise_it(*_, **__):
        raise error

    return raise_it
