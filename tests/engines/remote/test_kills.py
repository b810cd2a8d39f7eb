"""The renderer is killed at every point between the intent and the result: the job is sent at most once, and ends with
its result, or is for a person."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from videogen.engines.base import RenderLost

MODULE = Path(__file__).with_name("killed.py")
POINTS = {
    # The point: what becomes of the job, where the provider can find none, can find it, and knows for certain.
    "before the intent is stored": ("done", "done", "done"),
    "after the intent is stored": ("needs_attention", "needs_attention", "done"),
    "before the POST": ("needs_attention", "needs_attention", "done"),
    "after the POST": ("needs_attention", "done", "done"),
    "before the id is stored": ("needs_attention", "done", "done"),
    "after the id is stored": ("done", "done", "done"),
    "before a poll": ("done", "done", "done"),
    "after a poll": ("done", "done", "done"),
    "before the download": ("done", "done", "done"),
    "after the download": ("done", "done", "done"),
    "before the result is checked": ("done", "done", "done"),
    "after the result is checked": ("done", "done", "done"),
}
KINDS = {"Studio": "create", "Finding": "finding", "Certain": "certain"}
CASES = [(point, "Studio", ends[0]) for point, ends in POINTS.items()] + [
    (point, provider, POINTS[point][number])
    for number, provider, points in (
        (1, "Finding", ("after the intent is stored", "after the POST")),
        (2, "Certain", ("after the intent is stored", "before the POST", "after the POST")),
    )
    for point in points
]


def die(render):
    with suppress(RenderLost), render:
        pytest.fail(f"it was not killed: {list(render.messages())[-1]}")


@pytest.mark.parametrize(("point", "provider", "end"), CASES)
def test_a_kill_at_any_point_loses_and_doubles_no_job(studio, start, run, tmp_path, point, provider, end):
    engine = studio.engine(f"{MODULE}:create", die=point, mark=str(tmp_path / "died"), provider=provider)
    die(start(engine))
    sent = studio.served.posts()
    messages = run(studio.engine(KINDS[provider]), attempt=2)
    assert messages[-1].t == end, messages[-1]
    assert studio.served.posts() == 1 if end == "done" else studio.served.posts() == sent <= 1
    if end == "needs_attention":
        assert messages[-1].look_at == "https://studio.example/jobs"
        assert messages[-1].sent_at is not None


@pytest.mark.parametrize(
    ("switch", "method", "path", "end"),
    [
        ("silent", "POST", "/jobs", "needs_attention"),
        ("held", "GET", "/jobs/", "done"),
        ("stuck", "GET", "/files", "done"),
    ],
)
def test_a_kill_while_the_provider_answers_is_no_other(studio, start, run, switch, method, path, end):
    getattr(studio, switch).set()
    with suppress(RenderLost), start(studio.engine()) as render:
        studio.served.wait_for(method, path)
        os.kill(render.pid, signal.SIGKILL)
        list(render.messages())
    getattr(studio, switch).clear()
    assert run(studio.engine(), attempt=2)[-1].t == end
    assert studio.served.posts() == 1


def test_all_jobs_of_a_child_that_dies_are_followed_again(studio, start, run):
    studio.held.set()
    engine = studio.engine()
    jobs = [start(engine, name=f"gen_{number}") for number in range(5)]
    studio.served.wait_for("GET", "/jobs/job-5", count=2)
    assert len({job.pid for job in jobs}) == 1, "one child has them all"
    os.kill(jobs[0].pid, signal.SIGKILL)
    for job in jobs:
        with suppress(RenderLost), job:
            list(job.messages())
    studio.held.clear()
    again = [start(engine, name=f"gen_{number}", attempt=2) for number in range(5)]
    for job in again:
        with job:
            assert list(job.messages())[-1].t == "done"
    assert studio.served.posts() == 5


def test_a_job_that_is_cancelled_fails_or_hangs_ends_no_other(studio, start):
    studio.held.set()
    engine = studio.engine()
    kept, cancelled, taken = (start(engine, name=f"gen_{name}") for name in ("kept", "cancelled", "taken"))
    studio.served.wait_for("GET", "/jobs/job-3", count=2)
    cancelled.cancel()
    with cancelled:
        end = list(cancelled.messages())[-1]
    assert (end.t, end.message) == ("cancelled", "Studio answered cancelled, and charged 0.5 USD.")
    taken.kill()
    with suppress(RenderLost), taken:
        list(taken.messages())
    studio.held.clear()
    with kept:
        assert list(kept.messages())[-1].t == "done"
    stopped = [job.is_cancelled for job in studio.jobs.values()]
    assert sum(stopped) == 1, "what was only taken away from the child is not stopped at the provider"


def test_a_stop_of_the_server_ends_a_job_that_waits_at_once(studio, start, run):
    studio.held.set()
    with suppress(RenderLost), start(studio.engine(poll_seconds=300)) as render:
        studio.served.wait_for("GET", "/jobs/job-1")
        render.suspend(60)
        list(render.messages())
    studio.held.clear()
    assert run(studio.engine(), attempt=2)[-1].t == "done"
    assert studio.served.posts() == 1
    assert not studio.jobs["job-1"].is_cancelled
