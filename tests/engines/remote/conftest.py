"""Engines at the stand-in `studio`, for what all remote engines share."""

from contextlib import closing, contextmanager

import pytest

from tests.support.providers.studio import ServedStudio
from tests.support.stand_in import serve
from videogen.engines.base import RenderEnd, RenderRequest
from videogen.engines.process.host import RenderHandle
from videogen.engines.process.pool import ProcessPool
from videogen.engines.process.protocol import RenderJob
from videogen.engines.registry import load_engine

SMALL = {"width": 64, "height": 64, "fps": 8, "durationSeconds": 1.0, "seed": 7}


@pytest.fixture(scope="module")
def served_studio():
    studio = ServedStudio()
    with serve(studio.app) as served, pytest.MonkeyPatch.context() as patch:
        patch.setenv("STUDIO_KEY", studio.key)
        studio.served = served
        yield studio


@pytest.fixture
def studio(served_studio):
    """The stand-in, as at first; one server for the module."""
    served_studio.reset()
    served_studio.served.requests.clear()
    return served_studio


@pytest.fixture(scope="module")
def children():
    """One pool for the module: jobs of one engine share a child."""
    with closing(ProcessPool()) as pool:
        yield pool


@pytest.fixture
def start(children, tmp_path):
    """Starts a job of an engine in a child."""

    def start(reference, name="gen_a", attempt=1, checkpoint=None, **settings):
        recipe = load_engine(reference).normalise(RenderRequest(prompt="a cat", settings={**SMALL, **settings}))
        job = RenderJob(
            engine=reference, recipe=recipe, generation_id=name, workdir=tmp_path / name, attempt=attempt,
            checkpoint=checkpoint,
        )  # fmt: skip
        return RenderHandle(job, children)

    return start


@pytest.fixture
def run(start):
    """Runs a job to its end, and returns its messages."""

    def run(*arguments, **options):
        with start(*arguments, **options) as render:
            return list(render.messages())

    return run


class _Switch:
    """An app that is another one for each test."""

    app = None

    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def one_server():
    switch = _Switch()
    with serve(switch) as site:
        yield switch, site


@pytest.fixture
def served(one_server):
    """Serves an app like `serve`, with one server for the module: its start and stop take 0.2 s."""

    @contextmanager
    def served(app):
        switch, site = one_server
        switch.app = app
        site.requests.clear()
        yield site

    return served


@pytest.fixture
def render(recorder):
    """Renders in this process, and returns the context, with what came of it in `end`: an artifact or an exception."""

    def render(reference, checkpoint=None, recipe=None, **settings):
        engine, ctx = load_engine(reference), recorder(checkpoint=checkpoint)
        request = RenderRequest(prompt="a cat", settings={**SMALL, **settings})
        try:
            ctx.end = engine.render(recipe or engine.normalise(request), ctx)
        except RenderEnd as problem:
            ctx.end = problem
        return ctx

    return render
