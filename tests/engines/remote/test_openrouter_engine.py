"""The kind `openrouter` as the app runs it, against its stand-in, in child processes. Its page is run too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.support.engine_docs import documented_engines
from tests.support.providers.openrouter import MODEL, OpenRouterStandIn
from tests.support.remote_conformance import RemoteConformance, environment
from tests.support.stand_in import Served, StandIn, serve
from videogen.engines.base import RenderRequest
from videogen.engines.process.host import RenderHandle
from videogen.engines.process.pool import ProcessPool
from videogen.engines.process.protocol import RenderJob
from videogen.engines.registry import load_engine
from videogen.engines.spec import EngineSpec

INPUTS = {
    "prompt": {"from": "prompt"},
    "duration": {"from": "seconds", "type": "integer"},
    "size": {"from": "size"},
    "seed": {"from": "seed"},
    "first_frame": {"from": "first_frame"},
    "last_frame": {"from": "last_frame"},
}


class TestOpenRouter(RemoteConformance):
    settings: ClassVar[dict[str, Any]] = {"width": 64, "height": 64, "durationSeconds": 1.0}

    @classmethod
    @contextmanager
    def provider(cls) -> Iterator[tuple[StandIn, str]]:
        provider = OpenRouterStandIn()
        with serve(provider.app) as site, environment(OPENROUTER_API_KEY=provider.key):
            options = {"base_url": f"{site.url}/api/v1", "poll_seconds": 0.01, "inputs": INPUTS}
            yield site, EngineSpec(id="stand-in", kind="openrouter", model=MODEL, options=options).reference


@pytest.mark.parametrize("name", ["veo", "wan"])
def test_an_engine_of_the_page_renders(
    served: Served, children: ProcessPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    provider = OpenRouterStandIn(fps=2)
    monkeypatch.setenv("OPENROUTER_API_KEY", provider.key)
    with served(provider.app) as site:
        reference = documented_engines("openrouter", tmp_path, f"{site.url}/api/v1")[name]
        recipe = load_engine(reference).normalise(
            RenderRequest(prompt="a red kite", negative_prompt="text", settings={"durationSeconds": 4.0})
        )
        job = RenderJob(engine=reference, recipe=recipe, generation_id="gen_a", workdir=tmp_path / "gen_a")
        with RenderHandle(job, children) as render:
            end = list(render.messages())[-1]
        assert end.t == "done", end
        assert site.posts() == 1
    assert (end.artifact.width, end.artifact.height) == (recipe.width, recipe.height)
    sent = next(iter(provider.jobs.values())).fields
    if name == "veo":
        expected = {"resolution": "720p", "aspect_ratio": "16:9", "seed": recipe.seed}
    else:
        options = {"alibaba": {"parameters": {"negative_prompt": "text", "prompt_extend": False}}}
        expected = {"size": "854x480", "provider": {"options": options}}
    model = load_engine(reference).spec.model
    assert sent == {"model": model, "prompt": "a red kite", "duration": 4, **expected}
