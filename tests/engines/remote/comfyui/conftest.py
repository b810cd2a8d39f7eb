"""One stand-in of ComfyUI for all tests here, and jobs of an engine at it, in this process."""

import hashlib
import json

import pytest

from tests.support.providers.comfyui import ComfyUI
from tests.support.providers.comfyui_workflows import WAN, write
from tests.support.stand_in import serve
from videogen.engines.base import RenderCancelled, RenderRequest
from videogen.engines.registry import load_engine
from videogen.engines.spec import EngineSpec
from videogen.testing import RecordingContext

SMALL = {"width": 64, "height": 64, "durationSeconds": 1.0, "seed": 7, "steps": 3}


class Job(RecordingContext):
    """A context of a job that is cancelled in a stage."""

    cancelled_in = None

    def raise_if_cancelled(self):
        if self.cancelled_in and self.reports and self.reports[-1][2] == self.cancelled_in:
            raise RenderCancelled


@pytest.fixture(scope="session")
def served():
    made = ComfyUI()
    with serve(made.app) as stand_in:
        yield made, stand_in


@pytest.fixture
def comfy(served):
    """The server, without jobs and faults. `comfy.stand_in` has its address and what it was asked."""
    made, stand_in = served
    made.reset()
    stand_in.requests.clear()
    made.stand_in = stand_in
    yield made
    made.release()


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("workflows")


@pytest.fixture
def engine(comfy, folder):
    """Makes references of engines at the server. Waits are short unless they are given."""

    def engine(workflow=WAN, **options):
        waits = {"poll_seconds": 0.01, "forgotten_seconds": 0.2, "request_seconds": 5, "download_seconds": 5}
        place = folder / hashlib.sha256(json.dumps(workflow).encode()).hexdigest()[:12]
        place.mkdir(exist_ok=True)
        given = {"base_url": comfy.stand_in.url, **waits, **options}
        return EngineSpec(id="wan", kind="comfyui", model=str(write(place, workflow)), options=given).reference

    return engine


@pytest.fixture
def job(tmp_path):
    """The context of a job."""
    return Job(tmp_path)


@pytest.fixture
def render(job):
    """Renders with an engine, and returns the artifact. `request` and `recipe` are changes of these."""

    def render(reference, *, checkpoint=None, request=None, recipe=None, **settings):
        job.checkpoint = checkpoint
        made = load_engine(reference)
        asked = RenderRequest(**{"prompt": "a cat", "settings": {**SMALL, **settings}, **(request or {})})
        return made.render(made.normalise(asked).model_copy(update=recipe or {}), job)

    return render
