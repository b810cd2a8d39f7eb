"""A video in parts: a part that is killed goes on from its checkpoint, and the whole is the same to the byte."""

import hashlib
import os
import signal
from contextlib import suppress

import pytest

from videogen.engines.base import RenderLost, RenderRequest, Source, Span
from videogen.engines.process import protocol
from videogen.engines.process.pool import ProcessPool
from videogen.engines.registry import load_engine
from videogen.media.probe import probe
from videogen.services.shots import ShotPlan, shots_recipe
from videogen.services.span_recipes import part_recipe, whole_recipe
from videogen.testing.conformance import ConformanceJob

SETTINGS = {"width": 64, "height": 64, "fps": 8, "durationSeconds": 4.0, "seed": 7}
ENGINES = ("procedural", "tests/fakes.py:looks")


@pytest.fixture
def pool():
    made = ProcessPool(0)
    yield made
    made.close()


@pytest.fixture
def render(pool, tmp_path):
    """Renders a recipe in a folder; its first attempt is killed at the first checkpoint for which `kill` is true."""

    def run(engine, recipe, name, *, kill=None):
        def start(attempt):
            workdir = tmp_path / name
            job = protocol.RenderJob(engine=engine, recipe=recipe, generation_id=name, workdir=workdir, attempt=attempt)
            return ConformanceJob(job, pool)

        if kill:
            with start(1) as killed:
                next(one for one in killed.messages() if isinstance(one, protocol.Checkpoint) and kill(one.data))
                os.kill(killed.pid, signal.SIGKILL)
                with suppress(RenderLost):
                    list(killed.messages())
        with start(2 if kill else 1) as job:
            messages = list(job.messages())
        assert isinstance(messages[-1], protocol.Done), messages[-1]
        return messages

    return run


@pytest.mark.parametrize("name", ENGINES)
def test_an_extension_that_is_killed_is_the_same_to_the_byte(render, name):
    engine = load_engine(name)
    first = engine.normalise(RenderRequest(prompt="an ocean at sunset, pan right", settings=SETTINGS))
    made = render(name, first, "source")[-1].artifact
    frame = made.frame_paths[first.num_frames]
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (made.path, frame)]
    request = RenderRequest(prompt=first.prompt, settings=SETTINGS)
    part = part_recipe(engine, request, first, digests[1])
    spans = [Span(num_frames=first.num_frames, kept_from=0, prompt=first.prompt, recipe=first)]
    source = Source(digest=digests[0], frame_digest=digests[1])
    whole = whole_recipe(part, spans, [part], source)
    whole = whole.model_copy(update={"source_path": made.path, "source_frame_path": frame})
    results = [render(name, whole, "unbroken")]
    if engine.probe().resume:
        results.append(render(name, whole, "killed", kill=lambda _data: True))
        assert isinstance(results[1][0], protocol.Started)
        assert results[1][0].resumed_at, "it began anew"
    for messages in results:
        steps = [message.step for message in messages if isinstance(message, protocol.Progress)]
        assert steps == sorted(steps)
        found = probe(messages[-1].artifact.path)
        assert (found.num_frames, found.fps) == (2 * first.num_frames, 8)
    assert len({messages[-1].artifact.path.read_bytes() for messages in results}) == 1


def test_shots_that_are_killed_go_on_within_the_shot_and_are_the_same_to_the_byte(render):
    engine = load_engine("procedural")
    request = RenderRequest(prompt="", settings=SETTINGS | {"durationSeconds": 2.0})
    prompts = ("an ocean at sunset, pan right", "an ocean at sunset, pan right", "a desert at noon")
    recipe = shots_recipe(engine, request, [ShotPlan(prompt, 2.0) for prompt in prompts], None)
    unbroken = render("procedural", recipe, "unbroken")
    killed = render("procedural", recipe, "killed", kill=lambda data: data["span"] == 1 and data.get("data"))
    assert killed[0].resumed_at == 24, "it began anew, or before its second shot"
    for messages in (unbroken, killed):
        steps = [message.step for message in messages if isinstance(message, protocol.Progress)]
        assert steps == sorted(steps)
        assert {message.total for message in messages if isinstance(message, protocol.Progress)} == {48}
    assert unbroken[-1].artifact.path.read_bytes() == killed[-1].artifact.path.read_bytes()
    assert sorted(killed[-1].artifact.frame_paths) == [16, 32, 48]


def test_the_costs_of_all_shots_are_added_up_also_after_a_kill(render):
    name = "tests/fakes.py:priced_looks"
    request = RenderRequest(prompt="", settings=SETTINGS | {"durationSeconds": 1.0})
    recipe = shots_recipe(load_engine(name), request, [ShotPlan("a", 1.0), ShotPlan("b", 1.0)], None)
    for kill in (None, lambda data: data["span"] == 1):
        messages = render(name, recipe, "killed" if kill else "unbroken", kill=kill)
        costs = [message.cost.amount for message in messages if isinstance(message, protocol.Spent)]
        assert costs[-1] == 0.5
