"""What holds for a job in every mode of child processes: one job per child, many in sequence, many at the same time."""

import json
import os
import signal
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.support.renderers import await_death, until
from videogen.engines.base import RenderLost, RenderRequest
from videogen.engines.process import protocol
from videogen.engines.process.pool import ProcessPool
from videogen.engines.process.protocol import RenderJob
from videogen.engines.registry import load_engine
from videogen.media.probe import probe

MODES = ("per_job", "sequential", "concurrent")
SHARED = ("sequential", "concurrent")
FILE = Path(__file__).with_name("modes.py")
SIZE = {"width": 64, "height": 64, "fps": 8, "durationSeconds": 2.5, "seed": 1}
FRAMES = 20


@pytest.fixture(scope="module")
def pool():
    """One pool for all tests: a shared child is loaded once."""
    with closing(ProcessPool()) as pool:
        yield pool


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


@pytest.fixture
def job(mode, tmp_path):
    """Makes a job of a generation, named by a letter, which behaves like a fake."""

    def make(name, behaviour="paced", attempt=1, mode=mode, **settings):
        reference = f"{FILE}:{mode}"
        settings = {**SIZE, "behaviour": behaviour, **settings}
        return RenderJob(
            engine=reference,
            recipe=load_engine(reference).normalise(RenderRequest(prompt="bars", settings=settings)),
            generation_id=f"gen_{name}",
            workdir=tmp_path / name,
            attempt=attempt,
        )

    return make


@pytest.fixture
def begin(start):
    """Starts a job, and reads it up to its first step. What is left is closed at the end."""
    with ExitStack() as stack:

        def begin(job, **options):
            render = stack.enter_context(start(job, **options))
            messages = render.messages()
            next(message for message in messages if message.t == "progress" and message.step > 0)
            return render, messages

        yield begin


def test_a_job_reports_every_step_shows_a_picture_and_ends_once_with_a_video(run, job):
    messages = run(job("a", "bars"))
    kinds = [message.t for message in messages]
    assert (kinds[0], kinds[-1]) == ("started", "done")
    assert "preview" in kinds
    assert sum(protocol.is_end(message) for message in messages) == 1
    steps = [message.step for message in messages if message.t == "progress" and message.stage == "rendering"]
    assert steps == list(range(1, FRAMES + 1))
    assert probe(messages[-1].artifact.path).num_frames == FRAMES


def test_jobs_in_sequence_share_a_child_unless_each_has_its_own(start, job, mode):
    pids = []
    for name, behaviour, end in (("a", "talks", "done"), ("b", "raises", "failed"), ("c", "talks", "done")):
        with start(job(name, behaviour)) as render:
            assert list(render.messages())[-1].t == end
        pids.append(render.pid)
    assert len(set(pids)) == (1 if mode in SHARED else 3)


def test_jobs_at_the_same_time_share_a_child_only_where_the_engine_allows_it(begin, job, mode):
    renders = [begin(job(name)) for name in "ab"]
    assert (renders[0][0].pid == renders[1][0].pid) == (mode == "concurrent")
    assert [list(messages)[-1].t for _, messages in renders] == ["done", "done"]


def test_a_failure_ends_no_other_job(begin, run, job):
    _, others = begin(job("a", delay_ms=50))
    assert run(job("b", "raises"))[-1].message == "ValueError: there is no such colour"
    assert run(job("c", "exits"))[-1].message == "SystemExit: 3"
    assert list(others)[-1].t == "done"


def test_a_cancel_is_confirmed_and_ends_no_other_job(begin, job):
    _, others = begin(job("a"))
    render, messages = begin(job("b", "until_cancelled"), grace=30)
    for _ in range(3):
        render.cancel()
    assert list(messages)[-1] == protocol.Cancelled(step=1)
    render.cancel()
    assert list(others)[-1].t == "done"


def test_a_cancel_stops_only_its_own_attempt(start, begin, job):
    with start(job("a", "bars")) as first:
        assert list(first.messages())[-1].t == "done"
        _, messages = begin(job("a", attempt=2))
        first.cancel()  # too late: attempt 2 runs, perhaps in the same child
        assert list(messages)[-1].t == "done"


def test_a_job_that_ignores_its_cancel_is_stopped_and_ends_no_other_job(begin, run, job):
    other, others = begin(job("a", delay_ms=50))
    render, messages = begin(job("b", "reports_and_hangs"), grace=0.05)
    render.cancel()
    assert list(messages)[-1] == protocol.Cancelled(step=1)
    render.close()
    assert run(job("c", "bars"))[-1].t == "done", "a new job gets a child that works"
    assert list(others)[-1].t == "done"
    other.close()
    await_death(render.pid)


def test_a_job_that_hangs_is_lost_and_ends_no_other_job(start, begin, job):
    other, others = begin(job("a", delay_ms=100), stall=0)
    with (
        start(job("b", "ignores_cancel"), stall=1.0) as render,
        pytest.raises(RenderLost, match=r"sent nothing for 1 seconds at step \d and was stopped"),
    ):
        list(render.messages())
    assert list(others)[-1].t == "done"
    other.close()
    await_death(render.pid)


def test_a_killed_child_loses_all_its_jobs_and_no_other(begin, job, mode):
    _, others = begin(job("a"))
    render, messages = begin(job("b", "until_cancelled"))
    os.kill(render.pid, signal.SIGKILL)
    with pytest.raises(RenderLost, match=r"was killed by SIGKILL .* at step 1\."):
        list(messages)
    if mode == "concurrent":
        with pytest.raises(RenderLost, match="was killed by SIGKILL"):
            list(others)
    else:
        assert list(others)[-1].t == "done"


def test_a_kill_of_one_job_ends_no_other(begin, job):
    _, others = begin(job("a"))
    render, messages = begin(job("b", "ignores_cancel"))
    render.kill()
    with pytest.raises(RenderLost, match=r"was killed by SIGKILL|was stopped at step 1\."):
        list(messages)
    render.close()
    assert list(others)[-1].t == "done"


def test_jobs_suspended_at_a_stop_go_on_from_their_checkpoints_to_the_same_video(start, run, job):
    unbroken = run(job("unbroken"))[-1].artifact.path.read_bytes()
    with ExitStack() as stack:
        renders = [stack.enter_context(start(job(name))) for name in "ab"]
        for render in renders * 2:
            render.suspend(3600)
        for render in renders:
            with pytest.raises(RenderLost, match=r"^The server stopped\.$"):
                list(render.messages())
    for render in renders:
        await_death(render.pid)
    for name in "ab":
        again = job(name, attempt=2)
        assert json.loads((again.workdir / "checkpoint.json").read_bytes())["step"] == 8, "the first one"
        messages = run(again)
        assert messages[0].resumed_at == 8
        assert messages[-1].artifact.path.read_bytes() == unbroken


def test_each_job_has_its_own_log(begin, job):
    jobs = [job("a", "talks", attempt=3), job("b", "talks", attempt=4)]
    for _, messages in [begin(job) for job in jobs]:
        assert list(messages)[-1].t == "done"
    for talking in jobs:
        log = (talking.workdir / "render.log").read_text()
        assert log.startswith(f"=== attempt {talking.attempt} of ")
        assert [log.count(text) for text in ("===", "frame 19\n", "this too", "and this")] == [1, 1, 20, 20]


def test_a_checkpoint_of_another_engine_version_is_thrown_away_and_the_job_says_so(run, job):
    old = job("a", "steady")
    old = old.model_copy(update={"recipe": old.recipe.model_copy(update={"engine_version": "0"})})
    old.workdir.mkdir()
    file = old.workdir / "checkpoint.json"
    file.write_text('{"step": 8, "segments": 1}')
    messages = [message for message in run(old) if not isinstance(message, protocol.LogLine)]
    assert messages[0].resumed_at is None
    assert messages[1] == protocol.Checkpoint(data={}), "the host forgets it too"
    text = "It begins again at frame 0: it was begun with version 0 of"
    assert (messages[2].step, messages[2].stage) == (0, "starting")
    assert messages[2].message.startswith(text)
    assert text in (old.workdir / "render.log").read_text()
    steps = [message.step for message in messages if message.t == "progress" and message.stage == "rendering"]
    assert steps == list(range(1, FRAMES + 1))
    assert not file.exists()
    assert [message.t for message in messages].count("checkpoint") == 1, "no attempt could use a new one"


@pytest.mark.parametrize("mode", SHARED, indirect=True)
def test_a_handle_that_is_closed_too_early_stops_its_job(start, begin, run, job):
    _, others = begin(job("a"))
    with start(job("b", "ignores_cancel")) as render:
        until(render.messages(), "preview")
    assert run(job("c", "bars"))[-1].t == "done"
    assert list(others)[-1].t == "done"


@pytest.mark.parametrize("mode", ["unloaded"], indirect=True)
def test_a_shared_child_without_a_job_ends_after_a_while(start, job):
    with start(job("a", "bars")) as render:
        assert list(render.messages())[-1].t == "done"
    await_death(render.pid)
