"""A workflow at the stand-in, in child processes: what must be true of every engine, and docs/engines/comfyui.md."""

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.engine_docs import documented_engines
from tests.support.providers.comfyui import ComfyUI
from tests.support.providers.comfyui_workflows import BLOCKS, PAGE, changed, write
from tests.support.remote_conformance import RemoteConformance
from tests.support.stand_in import serve
from videogen.engines.base import RenderRequest
from videogen.engines.process.host import RenderHandle
from videogen.engines.process.protocol import RenderJob
from videogen.engines.registry import load_engine
from videogen.engines.remote.comfyui.marks import INPUTS
from videogen.engines.spec import EngineSpec


class TestComfyUI(RemoteConformance):
    settings = {"width": 64, "height": 64, "durationSeconds": 1.0, "steps": 2}  # noqa: RUF012
    long_settings = {"steps": 60}  # noqa: RUF012
    submit_path = "/prompt"

    @classmethod
    @contextmanager
    def provider(cls):
        with serve(ComfyUI(pace=0.02).app) as served, TemporaryDirectory() as folder:
            options = {"base_url": served.url, "poll_seconds": 0.02}
            path = write(Path(folder))
            yield served, EngineSpec(id="wan", kind="comfyui", model=str(path), options=options).reference


def page_engines(folder, url):
    (folder / "wan.json").write_text(next(code for kind, code in BLOCKS if kind == "json"))
    return documented_engines("comfyui", folder, url)


def test_an_engine_of_the_page_renders_with_the_workflow_of_the_page(comfy, children, tmp_path):
    reference = page_engines(tmp_path, comfy.stand_in.url)["wan"]
    made = load_engine(reference)
    assert (made.title, made.settings.model_fields["steps"].title) == ("Wan 2.1 in ComfyUI", "Steps")
    recipe = made.normalise(RenderRequest(prompt="a red kite over the sea"))
    job = RenderJob(engine=reference, recipe=recipe, generation_id="gen_a", workdir=tmp_path / "gen_a")
    with RenderHandle(job, children) as render:
        end = list(render.messages())[-1]
    assert end.t == "done", end
    artifact = end.artifact
    assert (artifact.width, artifact.height, artifact.fps, artifact.num_frames) == (128, 64, 16, 17)
    assert artifact.poster_path.read_bytes().startswith(b"\xff\xd8")
    assert comfy.stand_in.posts("/prompt") == 1
    (entry,) = comfy.history.values()
    assert entry["prompt"][2] == changed(n4={"text": "a red kite over the sea"}, n7={"seed": recipe.seed})


def test_the_engine_with_a_table_renders_too(comfy, render, tmp_path):
    reference = page_engines(tmp_path, comfy.stand_in.url)["wan-samplers"]
    render(reference, fps=8, sampler="euler", denoise=0.5)
    (post,) = comfy.stand_in.asked("POST", "/prompt")
    nodes = post.json["prompt"]
    assert (nodes["7"]["inputs"]["sampler_name"], nodes["7"]["inputs"]["denoise"]) == ("euler", 0.5)
    assert (nodes["9"]["inputs"]["fps"], nodes["6"]["inputs"]["length"]) == (8, 8)


def test_the_page_names_every_mark():
    assert [name for name in (*INPUTS, "output") if f"`{name}`" not in PAGE] == []
