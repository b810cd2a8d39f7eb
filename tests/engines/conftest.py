from pathlib import Path

import pytest

from videogen.engines.base import RenderRequest
from videogen.engines.process.protocol import RenderJob
from videogen.engines.registry import load_engine
from videogen.testing.context import RecordingContext

FAKES = Path(__file__).parents[1] / "fakes.py"
TINY = {"width": 64, "height": 64, "fps": 8, "durationSeconds": 2.5, "seed": 1}


@pytest.fixture(scope="session", autouse=True)
def bytecode(tmp_path_factory):
    """Lets renderer processes cache bytecode; else each would compile its imports again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        patch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.mktemp("bytecode")))
        yield


@pytest.fixture
def recorder(tmp_path):
    """Makes contexts that record all calls, with one workdir for all unless another is given."""

    def make(workdir=None, **options):
        workdir = workdir or tmp_path / "work"
        workdir.mkdir(exist_ok=True)
        return RecordingContext(workdir, **options)

    return make


def reference(name):
    """The reference of a fake; `procedural` is itself."""
    return name if name == "procedural" else f"{FAKES}:{name}"


class RecipeMaker:
    """Makes the recipe of a fake, or of `procedural`, from tiny settings."""

    reference = staticmethod(reference)

    def __call__(self, name, prompt="bars", **settings):
        request = RenderRequest(prompt=prompt, settings={**TINY, **settings})
        return load_engine(reference(name)).normalise(request)


@pytest.fixture
def recipe_for():
    return RecipeMaker()


@pytest.fixture
def job_for(tmp_path, recipe_for):
    """Makes the job of a fake, or of `procedural`."""

    def make(name, attempt=1, workdir=None, checkpoint=None, generation_id="gen_a", **settings):
        return RenderJob(
            engine=reference(name),
            recipe=recipe_for(name, **settings),
            generation_id=generation_id,
            workdir=workdir or tmp_path / "job",
            attempt=attempt,
            checkpoint=checkpoint,
        )

    return make
