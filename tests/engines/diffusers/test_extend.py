"""A model that starts from an image goes on from a finished video: from its lossless last frame, in a real process."""

import hashlib
from contextlib import closing

import av
import pytest

pytest.importorskip("torch", reason="diffusers is not installed; `make test-diffusers` runs this")

from tests.engines.diffusers.attempts import SIZE
from videogen.engines.base import RenderRequest, Source, Span
from videogen.engines.process.host import RenderHandle
from videogen.engines.process.pool import ProcessPool
from videogen.engines.process.protocol import RenderJob
from videogen.services.span_recipes import part_recipe, whole_recipe

ENGINE = """
from videogen.engines.diffusers.engine import DiffusersEngine
from videogen.engines.diffusers.options import DiffusersOptions
from videogen.engines.spec import EngineSpec


class Engine(DiffusersEngine):
    def render(self, recipe, ctx):
        (ctx.workdir / "began-with.png").write_bytes(recipe.input_path.read_bytes())
        return super().render(recipe, ctx)


spec = EngineSpec.model_validate_json(SPEC)
engine = Engine(spec, spec.parse(DiffusersOptions))
"""


@pytest.fixture
def render(spec_for, tmp_path):
    """Renders a recipe in a process that stays: the artifact."""
    file = tmp_path / "mine.py"
    file.write_text(f"SPEC = {spec_for('wan-i2v').model_dump_json()!r}\n{ENGINE}")
    with closing(ProcessPool()) as pool:

        def run(recipe, name):
            job = RenderJob(
                engine=f"{file}:engine", recipe=recipe, generation_id=f"gen_{name}", workdir=tmp_path / name, attempt=1
            )
            with RenderHandle(job, pool) as handle:
                end = list(handle.messages())[-1]
            assert end.t == "done", end
            return end.artifact

        yield run


def pictures(path):
    with av.open(str(path)) as video:
        return [frame.to_ndarray(format="rgb24").tobytes() for frame in video.decode(video=0)]


def digest_of(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_it_begins_with_the_exact_last_frame_and_keeps_what_was_there(engine_for, recipe_for, render, tmp_path):
    engine, recipe = engine_for("wan-i2v"), recipe_for(engine_for("wan-i2v"), steps=2)
    first = render(recipe, "first")
    frame = first.frame_paths[recipe.num_frames]
    source = Source(digest=digest_of(first.path), frame_digest=digest_of(frame))
    asked = RenderRequest(prompt="the sea goes on", settings=SIZE | {"steps": 2})
    part = part_recipe(engine, asked, recipe, source.frame_digest)
    kept = Span(num_frames=recipe.num_frames, kept_from=0, prompt=recipe.prompt, recipe=recipe)
    whole = whole_recipe(part, [kept], [part], source)
    assert [span.join for span in whole.spans] == ["start", "picture"]
    whole = whole.model_copy(update={"source_path": first.path, "source_frame_path": frame})
    longer = render(whole, "whole")
    assert (tmp_path / "whole" / "span1" / "began-with.png").read_bytes() == frame.read_bytes()
    before, after = pictures(first.path), pictures(longer.path)
    assert len(after) == 2 * recipe.num_frames
    assert after[: len(before)] == before
    assert after[-1] != before[-1]
    assert list(longer.frame_paths) == [recipe.num_frames, whole.num_frames], "each shot can be gone on from"
