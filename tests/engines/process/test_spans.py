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
from videogen.services.extensions import part_recipe, whole_recipe
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
    """Renders a recipe in a folder; with `kill` its first attempt is killed at its first checkpoint."""

    def run(engine, recipe, name, *, kill=False):
        def start(attempt):
            workdir = tmp_path / name
            job = protocol.RenderJob(engine=engine, recipe=recipe, generation_id=name, workdir=workdir, attempt=attempt)
            return ConformanceJob(job, pool)

        if kill:
            with start(1) as killed:
                next(message for message in killed.messages() if isinstance(message, protocol.Checkpoint))
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
        results.append(render(name, whole, "killed", kill=True))
        assert isinstance(results[1][0], protocol.Started)
        assert results[1][0].resumed_at, "it began anew"
    for messages in results:
        steps = [message.step for message in messages if isinstance(message, protocol.Progress)]
        assert steps == sorted(steps)
        found = probe(messages[-1].artifact.path)
        assert (found.num_frames, found.fps) == (2 * first.num_frames, 8)
    assert len({messages[-1].artifact.path.read_bytes() for messages in results}) == 1
