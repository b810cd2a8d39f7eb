from contextlib import closing

import pytest

from videogen.engines.process.host import RenderHandle
from videogen.engines.process.pool import ProcessPool


@pytest.fixture
def pool():
    """A pool without spare children."""
    with closing(ProcessPool()) as pool:
        yield pool


@pytest.fixture
def start(pool):
    """Starts jobs."""
    return lambda job, **options: RenderHandle(job, pool, **options)


@pytest.fixture
def run(start):
    """Renders a job, and returns all its messages."""

    def run(job, **options):
        with start(job, **options) as render:
            return list(render.messages())

    return run
