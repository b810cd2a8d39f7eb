"""Limits of memory and time, each with a real child that exceeds it. See also tests/engines/test_bad_engines.py."""

import re
import sys
from pathlib import Path

import pytest

from tests.support.renderers import await_death, until
from videogen.engines.base import RenderLost, RenderRequest
from videogen.engines.process import protocol
from videogen.engines.registry import load_engine

LIMITED = f"{Path(__file__).with_name('modes.py')}:limited"
linux = pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc elsewhere")


def as_limited(job, behaviour):
    """The same job for the engine `limited`, which behaves like a fake."""
    settings = {"width": 64, "height": 64, "fps": 8, "durationSeconds": 0.5, "behaviour": behaviour}
    recipe = load_engine(LIMITED).normalise(RenderRequest(prompt="bars", settings=settings))
    return job.model_copy(update={"engine": LIMITED, "recipe": recipe})


@linux
def test_a_child_that_takes_too_much_memory_is_killed_and_another_attempt_is_of_no_use(start, job_for):
    with start(job_for("hungry")) as render:
        end = list(render.messages())[-1]
        await_death(render.pid)
    assert (end.t, end.code, end.retryable) == ("failed", "out_of_memory", False)
    assert "more than the 200 MiB that it may take, and was killed at step 1. Its log ends: and more." in end.message


@linux
def test_memory_that_another_job_of_the_child_may_have_taken_costs_an_attempt_and_not_the_job(start, job_for):
    first = as_limited(job_for("bars"), "bars")
    with start(first) as render:
        assert list(render.messages())[-1].t == "done"
    second = as_limited(job_for("bars", generation_id="gen_b", workdir=first.workdir.with_name("b")), "hungry")
    with start(second) as render, pytest.raises(RenderLost, match="more than the 200 MiB"):
        list(render.messages())


def test_a_job_that_takes_too_long_is_stopped_and_fails_with_the_end_of_its_log(start, job_for):
    with start(job_for("endless")) as render:
        end = list(render.messages())[-1]
        await_death(render.pid)
    assert (end.t, end.code) == ("failed", "time_limit")
    # A child that has not begun within the limit, on a busy machine, has no log.
    assert re.fullmatch(
        r"The render took more than the 2 seconds that it may, and was stopped\.( Its log ends: still thinking\.)? "
        r"Choose a smaller size or a shorter video\.",
        end.message,
    )


def test_a_cancel_ends_a_conversion_and_leaves_nothing_half_done(start, job_for):
    job = job_for("other_format", width=320, height=192, durationSeconds=40)
    with start(job, grace=30) as render:
        messages = render.messages()
        while (message := until(messages, "progress")).stage != "converting":
            pass
        render.cancel()
        assert isinstance(list(messages)[-1], protocol.Cancelled)
    assert message.total == 40 * 8
    assert not [path.name for path in job.workdir.iterdir() if "mp4" in path.name]
