"""The kind `videos-http` as the app runs it, against its stand-in, in child processes. Its page is run too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.engine_docs import documented_engines
from tests.support.providers.videos import Dialect, VideosStandIn
from tests.support.remote_conformance import RemoteConformance
from tests.support.stand_in import Served, StandIn, serve
from videogen.engines.base import RenderRequest
from videogen.engines.process.host import RenderHandle
from videogen.engines.process.pool import ProcessPool
from videogen.engines.process.protocol import RenderJob
from videogen.engines.registry import load_engine
from videogen.engines.spec import EngineSpec


class TestVideosHttp(RemoteConformance):
    @classmethod
    @contextmanager
    def provider(cls) -> Iterator[tuple[StandIn, str]]:
        with serve(VideosStandIn().app) as site:
            options = {"base_url": f"{site.url}/v1", "poll_seconds": 0.01}
            yield site, EngineSpec(id="stand-in", kind="videos-http", options=options).reference


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files of the page are."""
    return tmp_path_factory.mktemp("page")


@pytest.mark.parametrize(("name", "dialect"), [("wan", "vllm"), ("wan", "sglang"), ("company", "litellm")])
def test_an_engine_of_the_page_renders(
    served: Served, children: ProcessPool, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, dialect: Dialect
) -> None:
    provider = VideosStandIn(dialect, key="right" if dialect == "litellm" else "")
    monkeypatch.setenv("GATEWAY_KEY", "right")
    with served(provider.app) as site:
        reference = documented_engines("videos-http", folder, site.url)[name]
        recipe = load_engine(reference).normalise(RenderRequest(prompt="a red kite over the sea"))
        job = RenderJob(engine=reference, recipe=recipe, generation_id=dialect, workdir=folder / dialect)
        with RenderHandle(job, children) as render:
            end = list(render.messages())[-1]
        assert end.t == "done", end
        assert site.posts() == 1
    assert (end.artifact.width, end.artifact.height) == (recipe.width, recipe.height)
    sent = next(iter(provider.jobs.values())).fields
    if name == "company":
        assert sent == {
            "model": "video-large", "prompt": "a red kite over the sea", "seconds": "4", "size": "1280x720",
            "quality": "standard",
        }  # fmt: skip
    else:
        assert {"seconds": "2", "size": "832x480", "fps": "16"}.items() <= sent.items()
