"""In a renderer process, as in the app: it stays with its model. A lost device costs the process, not the job."""

from contextlib import closing

import pytest

pytest.importorskip("torch", reason="diffusers is not installed; `make test-diffusers` runs this")

from tests.engines.diffusers.attempts import STEPS
from videogen.engines.base import RenderLost
from videogen.engines.process.host import RenderHandle
from videogen.engines.process.pool import ProcessPool
from videogen.engines.process.protocol import RenderJob

ENGINE = """
from videogen.engines.diffusers.engine import DiffusersEngine
from videogen.engines.diffusers.options import DiffusersOptions
from videogen.engines.spec import EngineSpec


class Engine(DiffusersEngine):
    def render(self, recipe, ctx):
        from videogen.engines.diffusers.job import _Reporter

        step_done = _Reporter.step_done

        def loses_the_device(reporter, run, step, total):
            step_done(reporter, run, step, total)
            if recipe.prompt == "lost" and ctx.attempt == 1 and step == 3:
                raise RuntimeError("CUDA error: device lost")

        _Reporter.step_done = loses_the_device
        try:
            return super().render(recipe, ctx)
        finally:
            _Reporter.step_done = step_done


spec = EngineSpec.model_validate_json(SPEC)
engine = Engine(spec, spec.parse(DiffusersOptions))
"""


@pytest.fixture(scope="module")
def pool():
    with closing(ProcessPool(spares=1)) as pool:
        yield pool


@pytest.fixture
def job_for(spec_for, engine_for, recipe_for, tmp_path):
    reference = tmp_path / "mine.py"
    reference.write_text(f"SPEC = {spec_for('wan').model_dump_json()!r}\n{ENGINE}")

    def job(name, prompt="a sea", attempt=1):
        return RenderJob(
            engine=f"{reference}:engine",
            recipe=recipe_for(engine_for("wan"), prompt=prompt),
            generation_id=f"gen_{name}",
            workdir=tmp_path / name,
            attempt=attempt,
        )

    return job


def render(job, pool):
    """All messages of a job, and the process that it had."""
    with RenderHandle(job, pool) as handle:
        return list(handle.messages()), handle.pid


def denoised(messages):
    steps = (message.step for message in messages if message.t == "progress" and message.stage == "denoising")
    return list(dict.fromkeys(steps))


def test_a_child_stays_with_its_model_and_a_lost_device_costs_the_child_and_not_the_job(pool, job_for):
    first, pid = render(job_for("a"), pool)
    assert first[-1].t == "done", first[-1]
    loading = next(message for message in first if message.t == "progress" and message.stage == "loading")
    assert loading.message.startswith("Loading tiny-wan on cpu, ")
    assert denoised(first) == list(range(1, STEPS + 1))
    second, same = render(job_for("b"), pool)
    assert same == pid
    assert not any(message.t == "progress" and message.stage == "loading" for message in second)
    assert second[-1].artifact.path.read_bytes() == first[-1].artifact.path.read_bytes()

    lost = job_for("c", prompt="lost")
    with pytest.raises(RenderLost, match=r"ended with exit status 75 at step 3.*The device is lost.*CUDA error"):
        render(lost, pool)
    again, other = render(job_for("c", prompt="lost", attempt=2), pool)
    assert other != pid
    assert again[-1].t == "done"
    assert again[0].resumed_at in (2, 3)
    assert denoised(again)[0] >= 3
