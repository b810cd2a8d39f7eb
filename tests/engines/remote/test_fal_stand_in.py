"""fal's own client accepts the stand-in, so that the stand-in does not agree with our code alone; that of Hugging Face
accepts its router."""

import io

import av
import fal_client
import httpx
import httpx2
import huggingface_hub
import pytest
from fal_client import client as sdk
from huggingface_hub.hf_api import InferenceProviderMapping
from huggingface_hub.inference._providers import _common, fal_ai
from huggingface_hub.utils._http import default_client_factory

from tests.support.providers import fal as provider
from tests.support.providers.answers import STORM
from tests.support.providers.fal import Fal
from tests.support.stand_in import serve

MODEL = "fal-ai/ltx-video/image-to-video"


@pytest.fixture(scope="module")
def served():
    made = Fal()
    with serve(made.app) as stand_in:
        yield made, stand_in


@pytest.fixture
def fal(served, monkeypatch):
    """The stand-in, with fal's client pointed at it."""
    made, stand_in = served
    made.reset()
    monkeypatch.setattr(sdk, "QUEUE_URL_FORMAT", f"{stand_in.url}/")
    monkeypatch.setattr(sdk, "REST_URL", f"{stand_in.url}/rest")
    monkeypatch.setattr(sdk, "CDN_URL", f"{stand_in.url}/cdn")
    monkeypatch.setattr(sdk, "BASE_DELAY", 0.001)
    return made


@pytest.fixture
def client(fal, monkeypatch):
    with_key = fal_client.SyncClient(key=fal.key)
    with httpx.Client(headers={"Authorization": "Bearer cdn-token"}) as cdn:
        # Its own client of the CDN is never closed.
        monkeypatch.setattr(sdk.SyncClient, "_get_cdn_client", lambda self: self._token_manager.get_token() and cdn)
        yield with_key
    with_key._client.close()


def statuses(handle):
    return list(handle.iter_events(with_logs=True, interval=0.001))


def test_a_job_waits_renders_and_has_a_video(served, fal, client):
    posts = served[1].posts()
    handle = client.submit(MODEL, {"prompt": "a kite", "width": 80, "height": 48})
    assert "/ltx-video/requests/" in handle.status_url
    assert "image-to-video" not in handle.status_url
    seen = statuses(handle)
    assert [one.position for one in seen if isinstance(one, fal_client.Queued)] == [1, 0]
    running = [one for one in seen if isinstance(one, fal_client.InProgress)]
    assert "1/3" in running[0].logs[-1]["message"]
    assert isinstance(seen[-1], fal_client.Completed)
    assert seen[-1].error is None
    with av.open(io.BytesIO(httpx.get(handle.get()["video"]["url"]).content)) as file:
        assert (file.streams.video[0].width, file.streams.video[0].frames) == (80, 8)
    assert served[1].posts() == posts + 1


def test_subscribe_gets_the_result(fal, client):
    assert client.subscribe(MODEL, {"prompt": "a kite"}, interval=0.001)["video"]["content_type"] == "video/mp4"


def test_a_wrong_key_is_refused(fal):
    wrong = fal_client.SyncClient(key="another")
    with pytest.raises(fal_client.FalClientHTTPError, match="Authentication") as refused:
        wrong.submit(MODEL, {})
    assert refused.value.status_code == 401
    wrong._client.close()


@pytest.mark.parametrize(
    ("fault", "words"), [(provider.NO_CREDIT, "Exhausted balance"), (provider.NO_ACCESS, "Access denied")]
)
def test_a_refused_submit_is_an_error(fal, client, fault, words):
    fal.answers.put("submit", fault)
    with pytest.raises(fal_client.FalClientHTTPError, match=words):
        client.submit(MODEL, {})


def test_a_storm_and_a_rate_limit_pass(fal, client):
    handle = client.submit(MODEL, {})
    fal.answers.put("status", STORM, times=2)
    fal.answers.put("status", provider.RATE_LIMIT, times=1)
    assert isinstance(statuses(handle)[-1], fal_client.Completed)


@pytest.mark.parametrize(
    ("failure", "error_type", "in_status"),
    [
        (provider.MODERATION, None, None),
        (provider.NOT_STARTED, "request_timeout", "request_timeout"),
        (provider.RUNNER_LOST, "runner_disconnected", "runner_disconnected"),
    ],
    ids=["moderation", "not started", "runner lost"],
)
def test_a_failed_job_is_completed_and_its_response_is_the_error(fal, client, failure, error_type, in_status):
    fal.failure = failure
    handle = client.submit(MODEL, {"prompt": "a kite"})
    assert statuses(handle)[-1].error_type == in_status
    with pytest.raises(fal_client.FalClientHTTPError) as failed:
        handle.get()
    assert (failed.value.status_code, failed.value.error_type) == (failure.status, error_type)


def test_an_unknown_status_is_one_that_the_client_does_not_know(fal, client):
    fal.unknown_state = "WARMING_UP"
    handle = client.submit(MODEL, {})
    with pytest.raises(ValueError, match="WARMING_UP"):
        statuses(handle)


def test_a_cancelled_job_ends_without_a_result(fal, client):
    handle = client.submit(MODEL, {})
    handle.cancel()
    with pytest.raises(fal_client.FalClientHTTPError, match="cancelled"):
        handle.get(interval=0.001)


def test_a_completed_job_is_not_cancelled(fal, client):
    handle = client.submit(MODEL, {})
    statuses(handle)
    with pytest.raises(fal_client.FalClientHTTPError) as refused:
        handle.cancel()
    assert refused.value.response.json() == {"status": "ALREADY_COMPLETED"}


def test_a_forgotten_job_is_not_found(fal, client):
    handle = client.submit(MODEL, {})
    fal.is_forgetful = True
    with pytest.raises(fal_client.FalClientHTTPError, match="not found"):
        handle.status()


@pytest.mark.parametrize("repository", ["fal_v3", "fal"])
def test_a_picture_is_uploaded(fal, client, repository):
    url = client.upload(b"picture", "image/png", "a.png", repository=repository)
    assert fal.uploads[url.rpartition("/")[2]] == b"picture"


def test_a_truncated_result_ends_early(fal, client):
    fal.is_truncated = True
    url = client.subscribe(MODEL, {"prompt": "a kite"}, interval=0.001)["video"]["url"]
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(url)


class AtStandIn(httpx2.HTTPTransport):
    """Sends what is meant for the router of Hugging Face to the stand-in."""

    def __init__(self, url):
        super().__init__()
        self.target = httpx2.URL(url)

    def handle_request(self, request):
        if request.url.host == "router.huggingface.co":
            query = request.url.query.decode()
            path = f"/router{request.url.path}" + (f"?{query}" if query else "")
            request.url, request.headers["host"] = self.target.join(path), self.target.netloc.decode()
        return super().handle_request(request)


def test_the_client_of_hugging_face_accepts_the_router(served, fal, monkeypatch):
    mapping = InferenceProviderMapping(
        provider="fal-ai", hf_model_id="a/b", providerId=MODEL, status="live", task="text-to-video"
    )
    monkeypatch.setitem(_common.HARDCODED_MODEL_INFERENCE_MAPPING, "fal-ai", {"a/b": mapping})
    monkeypatch.setattr(fal_ai, "_POLLING_INTERVAL", 0.001)
    huggingface_hub.close_session()
    huggingface_hub.set_client_factory(lambda: httpx2.Client(transport=AtStandIn(served[1].url)))
    try:
        client = huggingface_hub.InferenceClient(provider="fal-ai", api_key=fal.token)
        assert client.text_to_video("a kite", model="a/b")[4:8] == b"ftyp"
    finally:
        huggingface_hub.close_session()
        huggingface_hub.set_client_factory(default_client_factory)
    assert [job.model for job in fal.jobs.values()] == [MODEL]
    assert next(iter(fal.jobs.values())).input == {"prompt": "a kite"}
