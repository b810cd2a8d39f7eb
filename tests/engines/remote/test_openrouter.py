"""The provider `openrouter` against its stand-in: what is sent, and what is made of the answers."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any, Self

import pytest
from openrouter import components

from tests.support.providers.faults import Refusal
from tests.support.providers.openrouter import MODEL, OpenRouterStandIn, error_body
from tests.support.stand_in import Served, StandIn
from videogen.engines.base import Recipe
from videogen.engines.remote.http import Connections, HttpClient
from videogen.engines.remote.openrouter import OpenRouter
from videogen.engines.remote.options import RemoteOptions
from videogen.engines.remote.provider import RemoteFault, RemoteJob, State, Submitted, Update
from videogen.schemas.engines import Capabilities, Cost

KEY = "sk-or-right"
INPUTS = {"prompt": "a red kite", "duration": 1, "resolution": "720p", "aspect_ratio": "16:9", "seed": 7}


class Client:
    """The provider with the connection and the job that it is called with."""

    def __init__(self, site: StandIn, *, key: str = KEY, model: str = MODEL, **inputs: Any) -> None:
        options = RemoteOptions(base_url=f"{site.url}/api/v1")
        self.provider = OpenRouter(model, options.base_url)
        self.connections = Connections(self.provider, options, key)
        self.http = HttpClient(self.connections, lambda seconds: None, 0.0)
        recipe = Recipe(engine="e", engine_version="1", prompt="a", seed=7, width=64, height=48, fps=8, num_frames=8)
        self.job = RemoteJob(
            id="", model=model, inputs={**INPUTS, **inputs}, recipe=recipe, options=options, generation_id="g",
            attempt=1, sent_at=datetime.now(UTC),
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.connections.client.close()
        self.connections.once.close()

    def submit(self) -> Submitted:
        return self.provider.submit(self.http, self.job)

    def end(self, sent: Submitted) -> Update:
        while True:
            seen = self.provider.poll(self.http, self.job, sent)
            if self.provider.states.get(seen.state) not in (State.WAITING, State.RENDERING):
                return seen


def test_a_job_is_sent_with_its_frames_in_one_list(served: Served) -> None:
    provider = OpenRouterStandIn()
    with served(provider.app) as site:
        frames = {name: f"data:image/png;base64,{name}" for name in ("first_frame", "last_frame")}
        with Client(site, **frames) as client:
            sent = client.submit()
        assert site.posts() == 1
    fields = provider.jobs[sent.id].fields
    read = components.VideoGenerationRequest.model_validate(fields)
    assert read.model_dump(mode="json", exclude_unset=True) == fields, "the vendor's SDK knows all of it"
    sent_frames = fields.pop("frame_images")
    assert fields == {"model": MODEL, **INPUTS}
    assert sent_frames == [
        {"type": "image_url", "frame_type": name, "image_url": {"url": f"data:image/png;base64,{name}"}}
        for name in ("first_frame", "last_frame")
    ]


@pytest.mark.parametrize("absolute", [False, True])
def test_a_job_is_asked_for_at_the_address_that_came_with_it(served: Served, absolute: bool) -> None:
    with served(OpenRouterStandIn(has_absolute_urls=absolute).app) as site, Client(site) as client:
        sent = client.submit()
        assert sent.urls["poll"] == f"{site.url}/api/v1/videos/{sent.id}"
        client.end(sent)


def test_the_price_is_known_before_and_the_cost_after(served: Served) -> None:
    with served(OpenRouterStandIn(cost=0.11).app) as site, Client(site) as client:
        sent = client.submit()
        assert sent.cost == Cost(amount=0.10, currency="USD", estimated=True)
        assert client.end(sent).cost == Cost(amount=0.11, currency="USD", estimated=False)


def test_a_price_that_is_not_known_stops_nothing(served: Served) -> None:
    with served(OpenRouterStandIn().app) as site, Client(site, model="bytedance/seedance-2.0") as client:
        assert client.submit().cost is None


def test_an_unknown_model_is_refused_in_the_words_of_openrouter(served: Served) -> None:
    provider = OpenRouterStandIn(models=())
    with (
        served(provider.app) as site,
        Client(site) as client,
        pytest.raises(RemoteFault, match="No endpoints found") as caught,
    ):
        client.submit()
    assert caught.value.kind == "invalid"


def test_the_list_of_models_says_which_frames_a_model_takes_and_what_it_costs(served: Served) -> None:
    provider = OpenRouterStandIn(models=(OpenRouterStandIn().models[0] | {"supported_frame_images": ["first_frame"]},))
    with served(provider.app) as site, Client(site) as client:
        made = Capabilities(image_input=True, last_frame=True)
        assert client.provider.explain(MODEL, INPUTS).cost is None, "the first answer does not wait for the list"
        for thread in [one for one in threading.enumerate() if one.name == "openrouter-models"]:
            thread.join(30)
        found = client.provider.capabilities(made)
        assert (found.image_input, found.last_frame) == (True, False)
        cost = client.provider.explain(MODEL, INPUTS).cost
        assert cost == Cost(amount=0.10, currency="USD")
        assert len(site.asked("GET")) == 1


@pytest.mark.parametrize(
    ("results", "path"),
    [("both", "/content?index=0"), ("unsigned", "/content?index=0"), ("none", "/content?index=0")],
)
def test_the_result_is_on_the_host_of_the_api(served: Served, results: Any, path: str) -> None:
    with served(OpenRouterStandIn(results=results).app) as site, Client(site) as client:
        sent = client.submit()
        found = client.end(sent).results
    assert found[0].url.removeprefix(f"{site.url}/api/v1") == f"/videos/{sent.id}{path}"


@pytest.mark.parametrize(
    ("end", "state", "kind"),
    [("failed", State.FAILED, "failed"), ("expired", State.FAILED, "timeout"), ("cancelled", State.CANCELLED, None)],
)
def test_a_job_that_does_not_end_well(served: Served, end: str, state: State, kind: str | None) -> None:
    with served(OpenRouterStandIn(ends_as=end).app) as site, Client(site) as client:
        seen = client.end(client.submit())
    assert client.provider.states[seen.state] is state
    assert (seen.error.kind if seen.error else None) == kind


def test_a_result_that_moderation_refuses_is_told_apart(served: Served) -> None:
    provider = OpenRouterStandIn()
    provider.faults.failure = "The output was flagged by the provider's moderation"
    with served(provider.app) as site, Client(site) as client:
        seen = client.end(client.submit())
    assert seen.error is not None
    assert seen.error.kind == "moderation"


@pytest.mark.parametrize(
    ("status", "message", "metadata", "kind"),
    [
        (401, "User not found.", None, "key"),
        (402, "Insufficient credits", None, "credit"),
        (403, "Key limit exceeded (total limit)", None, "credit"),
        (403, "The prompt was not allowed", {"reasons": ["violence"], "flagged_input": "a"}, "moderation"),
        (403, "Forbidden", None, "key"),
        (400, "Input was flagged by the safety system", None, "moderation"),
        (400, "duration: Invalid input", None, "invalid"),
        (404, "No endpoints found for a/b", None, "invalid"),
        (413, "Payload too large", None, "invalid"),
        (429, "Rate limit exceeded", None, "rate_limit"),
    ],
)
def test_a_refused_post_is_of_one_kind(served: Served, status: int, message: str, metadata: Any, kind: str) -> None:
    provider = OpenRouterStandIn()
    provider.faults.on_submit = Refusal(status, error_body(status, message, metadata), {"Retry-After": "7"})
    with served(provider.app) as site, Client(site) as client, pytest.raises(RemoteFault) as caught:
        client.submit()
    assert (caught.value.kind, caught.value.message, caught.value.is_refusal) == (kind, message, True)


def test_a_forgotten_job_is_not_found(served: Served) -> None:
    provider = OpenRouterStandIn()
    with served(provider.app) as site, Client(site) as client:
        sent = client.submit()
        provider.faults.forgets = True
        with pytest.raises(RemoteFault) as caught:
            client.end(sent)
    assert caught.value.kind == "not_found"
