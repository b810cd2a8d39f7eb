"""The provider `videos-http` against its stand-in: what is sent, and what is made of the answers."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any, Self

import openai
import pytest

from tests.support.providers.faults import Refusal
from tests.support.providers.videos import Dialect, VideosStandIn
from tests.support.stand_in import Served, StandIn
from videogen.engines.base import Recipe
from videogen.engines.remote.http import Connections, HttpClient
from videogen.engines.remote.provider import RemoteFault, RemoteJob, State, Submitted, Update
from videogen.engines.remote.videos_http import VideosHttp, VideosOptions

INPUTS = {"prompt": "a red kite", "seconds": 1, "size": "64x48", "fps": 8, "seed": 7}
PICTURE = "data:image/png;base64," + base64.b64encode(b"png").decode()


class Client:
    """The provider with the connection and the job that it is called with."""

    def __init__(
        self, site: StandIn, *, inputs: dict[str, Any] | None = None, key: str = "", base: str = "/v1", **options: Any
    ) -> None:
        values = VideosOptions(base_url=f"{site.url}{base}", **options)
        self.provider = VideosHttp()
        self.connections = Connections(self.provider, values, key)
        self.http = HttpClient(self.connections, lambda seconds: None, 0.0)
        recipe = Recipe(engine="e", engine_version="1", prompt="a", seed=7, width=64, height=48, fps=8, num_frames=8)
        self.job = RemoteJob(
            id="", model="", inputs=inputs or INPUTS, recipe=recipe, options=values, generation_id="g", attempt=1,
            sent_at=datetime.now(UTC),
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.connections.client.close()
        self.connections.once.close()

    def submit(self) -> Submitted:
        return self.provider.submit(self.http, self.job)

    def poll(self, sent: Submitted) -> Update:
        return self.provider.poll(self.http, self.job, sent)

    def cancel(self, sent: Submitted) -> str:
        return self.provider.cancel(self.http, self.job, sent)

    def end(self, sent: Submitted) -> Update:
        while self.provider.states.get((seen := self.poll(sent)).state) in (State.WAITING, State.RENDERING):
            pass
        return seen


@pytest.mark.parametrize("dialect", ["vllm", "sglang", "litellm"])
def test_a_job_is_sent_as_a_form_with_its_picture_as_a_file(served: Served, dialect: Dialect) -> None:
    provider = VideosStandIn(dialect)
    with served(provider.app) as site:
        table = {"lora": {"name": "ink"}, "enable_teacache": True}
        with Client(site, inputs={**INPUTS, "input_reference": PICTURE, **table}) as client:
            sent = client.submit()
        assert site.posts() == 1
    job = provider.jobs[sent.id]
    assert (job.content_type, job.picture) == ("multipart/form-data", b"png")
    texts = {name: str(value) for name, value in INPUTS.items()}
    assert job.fields == {**texts, "lora": '{"name": "ink"}', "enable_teacache": "true"}


@pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")
def test_the_form_is_the_one_that_the_sdk_sends(served: Served) -> None:
    provider = VideosStandIn("sglang")
    values = {"prompt": "a red kite", "seconds": "4", "size": "1280x720"}
    with served(provider.app) as site:
        with openai.OpenAI(base_url=f"{site.url}/v1", api_key="any", max_retries=0) as sdk:
            sdk.videos.create(**values, input_reference=("input_reference.png", b"png", "image/png"))
        with Client(site, inputs={**values, "input_reference": PICTURE}) as client:
            client.submit()
    theirs, ours = provider.jobs.values()
    assert (ours.fields, ours.picture, ours.content_type) == (theirs.fields, theirs.picture, theirs.content_type)


def test_json_is_sent_if_the_operator_wants_it(served: Served) -> None:
    provider = VideosStandIn("sglang")
    with served(provider.app) as site:
        with Client(site, format="json", inputs={**INPUTS, "input_reference": PICTURE}) as client:
            sent = client.submit()
        assert site.posts() == 1
    job = provider.jobs[sent.id]
    assert job.content_type == "application/json"
    assert job.fields == {**INPUTS, "input_reference": {"image_url": PICTURE}}


def test_json_follows_a_form_that_the_server_has_shown_not_to_read(served: Served) -> None:
    provider = VideosStandIn("sglang", takes_multipart=False)
    with served(provider.app) as site:
        with Client(site) as client:
            sent = client.submit()
        assert site.posts() == 2
    assert list(provider.jobs) == [sent.id], "the refused POST made no job"
    assert provider.jobs[sent.id].content_type == "application/json"


@pytest.mark.parametrize(
    ("refusal", "posts"),
    [
        (Refusal(415, {"detail": "Unsupported Media Type"}), 2),
        (Refusal(422, {"detail": [{"type": "missing", "loc": ["body", "prompt"], "msg": "Field required"}]}), 2),
        (Refusal(400, {"detail": "prompt is required"}), 2),
        (Refusal(400, {"detail": "size: String should match pattern"}), 1),
        (Refusal(422, {"detail": "negative_prompt is required"}), 1),
        (Refusal(500, {"detail": "prompt is required"}), 1),
        (Refusal(503, {"detail": "busy"}), 1),
        (Refusal(429, {"detail": "prompt is required, slow down"}), 1),
    ],
)
def test_only_a_refusal_of_the_format_lets_a_second_post_follow(served: Served, refusal: Refusal, posts: int) -> None:
    provider = VideosStandIn("sglang")
    provider.faults.on_submit = refusal
    with served(provider.app) as site, Client(site) as client:
        if posts == 1:
            with pytest.raises(RemoteFault):
                client.submit()
        else:
            client.submit()
        assert site.posts() == posts
    assert len(provider.jobs) == posts - 1


def test_a_form_that_was_asked_for_is_not_followed_by_json(served: Served) -> None:
    provider = VideosStandIn("sglang", takes_multipart=False)
    with served(provider.app) as site:
        with (
            Client(site, format="multipart") as client,
            pytest.raises(RemoteFault, match="does not read a job in this format"),
        ):
            client.submit()
        assert site.posts() == 1


def test_progress_is_shown_where_it_moves(served: Served) -> None:
    with served(VideosStandIn(polls=3).app) as site, Client(site) as client:
        sent = client.submit()
        seen = [client.poll(sent) for _ in range(4)]
    assert [(one.state, one.step, one.total) for one in seen] == [
        ("queued", 0, 0), ("in_progress", 50, 100), ("in_progress", 75, 100), ("completed", 100, 100)
    ]  # fmt: skip
    provider = VideosStandIn()
    provider.faults.stands_still = True
    with served(provider.app) as site, Client(site) as client:
        sent = client.submit()
        seen = [client.poll(sent) for _ in range(3)]
    assert {(one.step, one.total) for one in seen} == {(0, 0)}


@pytest.mark.parametrize("base", ["", "/v1", "/v1/"])
def test_the_address_may_end_in_v1(served: Served, base: str) -> None:
    provider = VideosStandIn()
    with served(provider.app) as site, Client(site, base=base) as client:
        client.submit()
    assert len(provider.jobs) == 1


@pytest.mark.parametrize("dialect", ["vllm", "sglang", "litellm"])
def test_a_failed_job_has_the_text_of_the_server(served: Served, dialect: Dialect) -> None:
    provider = VideosStandIn(dialect, polls=0)
    provider.faults.failure = "CUDA out of memory"
    with served(provider.app) as site, Client(site) as client:
        seen = client.end(client.submit())
    assert seen.state == "failed"
    assert seen.error is not None
    assert (seen.error.kind, seen.error.message) == ("failed", "CUDA out of memory")


def test_the_result_is_the_content_or_the_address_in_the_job(served: Served) -> None:
    provider = VideosStandIn("sglang", polls=0)
    with served(provider.app) as site, Client(site) as client:
        sent = client.submit()
        assert client.end(sent).results[0].url == f"/videos/{sent.id}/content"
        provider.cloud = f"{site.url}/cloud"
        assert client.poll(sent).results[0].url == f"{site.url}/cloud/{sent.id}.mp4"


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("vllm", "The server stopped the job and deleted it."),
        ("sglang", "It cannot stop a render, so this one may go on there."),
        ("litellm", "did not confirm that it stopped the job: Method Not Allowed"),
    ],
)
def test_what_the_server_answers_to_a_cancel_is_kept(served: Served, dialect: Dialect, text: str) -> None:
    with served(VideosStandIn(dialect).app) as site, Client(site) as client:
        assert text in client.cancel(client.submit())


def test_a_job_that_is_still_being_cancelled_says_so(served: Served) -> None:
    with served(VideosStandIn("vllm", is_cancelling=True).app) as site, Client(site) as client:
        assert "Cancellation in progress" in client.cancel(client.submit())


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"error": {"message": "Invalid proxy server token passed"}}, "key"),
        (403, {"error": {"message": "This key may not use the model"}}, "key"),
        (402, {"error": {"message": "Pay"}}, "credit"),
        (400, {"error": {"message": "Budget has been exceeded!", "type": "budget_exceeded"}}, "credit"),
        (429, {"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}, "credit"),
        (400, {"error": {"message": "Blocked", "code": "moderation_blocked"}}, "moderation"),
        (400, {"error": {"message": "Not allowed", "type": "content_policy_violation"}}, "moderation"),
        (429, {"error": {"message": "Slow down"}}, "rate_limit"),
        (400, {"detail": "Model mismatch"}, "invalid"),
    ],
)
def test_a_refused_post_is_of_one_kind(served: Served, status: int, body: dict[str, Any], kind: str) -> None:
    provider = VideosStandIn()
    provider.faults.on_submit = Refusal(status, body, {"Retry-After": "7"})
    with served(provider.app) as site, Client(site) as client, pytest.raises(RemoteFault) as caught:
        client.submit()
    assert (caught.value.kind, caught.value.is_refusal) == (kind, True)
    assert caught.value.retry_after == 7


def test_an_answer_without_a_job_may_have_made_one(served: Served) -> None:
    provider = VideosStandIn()
    provider.faults.on_submit = Refusal(200, {"data": []})
    with served(provider.app) as site, Client(site) as client, pytest.raises(RemoteFault) as caught:
        client.submit()
    assert not caught.value.is_refusal


def test_a_forgotten_job_is_not_found_and_a_key_goes_along(served: Served) -> None:
    provider = VideosStandIn(key="right")
    with served(provider.app) as site, Client(site, key="right") as client:
        sent = client.submit()
        provider.faults.forgets = True
        with pytest.raises(RemoteFault) as caught:
            client.poll(sent)
    assert caught.value.kind == "not_found"
