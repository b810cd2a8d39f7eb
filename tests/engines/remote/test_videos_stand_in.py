"""The stand-in of `/v1/videos`, driven by the SDK `openai`: it speaks what that SDK expects."""

from __future__ import annotations

import io
from pathlib import Path

import httpx
import openai
import pytest

from tests.support.providers.faults import Refusal
from tests.support.providers.videos import Dialect, VideosStandIn
from tests.support.stand_in import Served
from videogen.media.probe import probe

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")

DIALECTS: tuple[Dialect, ...] = ("vllm", "sglang", "litellm")


def _client(url: str, key: str = "any") -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)


def _create(client: openai.OpenAI, **values: object) -> openai.types.Video:
    return client.videos.create(prompt="a red kite", seconds="1", size="64x48", **values)  # type: ignore[arg-type]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_job_is_followed_to_its_file(served: Served, dialect: Dialect, tmp_path: Path) -> None:
    provider = VideosStandIn(dialect)
    with served(provider.app) as site, _client(site.url) as client:
        made = _create(client)
        assert (made.object, made.status, made.progress, made.seconds) == ("video", "queued", 0, "1")
        seen = client.videos.poll(made.id, poll_interval_ms=1)
        assert (seen.id, seen.status, seen.progress) == (made.id, "completed", 100)
        file = tmp_path / "video.mp4"
        client.videos.download_content(made.id).write_to_file(file)
        found = probe(file)
        assert (found.width, found.height, found.num_frames) == (64, 48, 8)
        assert [one.id for one in client.videos.list()] == [made.id]


def test_progress_is_between_0_and_100_while_it_renders(served: Served) -> None:
    provider = VideosStandIn(polls=9)
    with served(provider.app) as site, _client(site.url) as client:
        name = _create(client).id
        seen = [client.videos.retrieve(name) for _ in range(10)]
    assert [one.progress for one in seen] == [0, 20, 30, 40, 50, 60, 70, 80, 90, 100]
    assert [one.status for one in seen] == ["queued", *["in_progress"] * 8, "completed"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_picture_comes_as_a_file(served: Served, dialect: Dialect) -> None:
    provider = VideosStandIn(dialect)
    with served(provider.app) as site, _client(site.url) as client:
        made = _create(client, input_reference=("first.png", io.BytesIO(b"png"), "image/png"))
    job = provider.jobs[made.id]
    assert (job.picture, job.content_type, job.fields["prompt"]) == (b"png", "multipart/form-data", "a red kite")


def test_a_failed_job_of_vllm_is_an_http_error_that_carries_the_job(served: Served) -> None:
    provider = VideosStandIn("vllm", polls=0)
    provider.faults.failure = "CUDA out of memory"
    with served(provider.app) as site, _client(site.url) as client:
        name = _create(client).id
        with pytest.raises(openai.InternalServerError) as caught:
            client.videos.retrieve(name)
        job = caught.value.response.json()
        assert (job["id"], job["status"], job["error"]["message"]) == (name, "failed", "CUDA out of memory")
        with pytest.raises(openai.UnprocessableEntityError):
            client.videos.download_content(name)


@pytest.mark.parametrize("dialect", ["sglang", "litellm"])
def test_a_failed_job_of_the_others_is_an_answer(served: Served, dialect: Dialect) -> None:
    provider = VideosStandIn(dialect, polls=0)
    provider.faults.failure = "CUDA out of memory"
    with served(provider.app) as site, _client(site.url) as client:
        seen = client.videos.retrieve(_create(client).id)
    assert seen.status == "failed"
    assert seen.error is not None
    assert seen.error.message == "CUDA out of memory"


def test_delete_stops_a_job_of_vllm_unless_it_is_still_being_cancelled(served: Served) -> None:
    provider = VideosStandIn("vllm", is_cancelling=True)
    with served(provider.app) as site, _client(site.url) as client:
        name = _create(client).id
        with pytest.raises(openai.ConflictError, match="Cancellation in progress"):
            client.videos.delete(name)
        provider.is_cancelling = False
        assert client.videos.delete(name).deleted
        with pytest.raises(openai.NotFoundError):
            client.videos.retrieve(name)


def test_delete_removes_the_record_of_sglang_and_is_unknown_to_a_gateway(served: Served) -> None:
    with served(VideosStandIn("sglang").app) as site, _client(site.url) as client:
        answer = client.videos.with_raw_response.delete(_create(client).id)
        assert answer.http_response.json()["status"] == "deleted"
    with served(VideosStandIn("litellm").app) as site, _client(site.url) as client:
        with pytest.raises(openai.APIStatusError) as caught:
            client.videos.delete(_create(client).id)
        assert caught.value.status_code == 405


def test_a_file_in_a_cloud_is_refused_with_its_address(served: Served) -> None:
    provider = VideosStandIn("sglang", polls=0)
    with served(provider.app) as site, _client(site.url) as client:
        provider.cloud = f"{site.url}/cloud"
        made = _create(client)
        with pytest.raises(openai.NotFoundError) as early:
            client.videos.download_content(made.id)
        assert early.value.response.json() == {"detail": "Generation is still in-progress"}
        url = f"{site.url}/cloud/{made.id}.mp4"
        assert client.videos.retrieve(made.id).url == url  # type: ignore[attr-defined]
        with pytest.raises(openai.BadRequestError) as elsewhere:
            client.videos.download_content(made.id)
        assert elsewhere.value.response.json()["detail"].endswith(url)
        assert httpx.get(url).content[4:8] == b"ftyp"


def test_a_json_body_is_unread_by_vllm_and_read_by_sglang(served: Served) -> None:
    body = {"prompt": "a red kite", "seconds": "1"}
    with served(VideosStandIn("vllm").app) as site:
        refused = httpx.post(f"{site.url}/v1/videos", json=body)
        assert refused.status_code == 400
        assert "'prompt'" in refused.json()["error"]["message"]
    with served(VideosStandIn("sglang").app) as site:
        assert httpx.post(f"{site.url}/v1/videos", json=body).json()["status"] == "queued"


def test_faults_are_what_the_sdk_takes_them_for(served: Served) -> None:
    provider = VideosStandIn("litellm", key="right")
    with served(provider.app) as site:
        with _client(site.url, "wrong") as client, pytest.raises(openai.AuthenticationError):
            _create(client)
        with _client(site.url, "right") as client:
            provider.faults.on_submit = Refusal(429, {"error": {"message": "Slow down"}}, {"Retry-After": "7"})
            with pytest.raises(openai.RateLimitError) as caught:
                _create(client)
            assert caught.value.response.headers["retry-after"] == "7"
            name = _create(client).id
            provider.faults.forgets = True
            with pytest.raises(openai.NotFoundError):
                client.videos.retrieve(name)
    assert len(provider.jobs) == 1
