"""Replicate's own client accepts the stand-in, so that the stand-in does not agree with our code alone."""

import httpx
import pytest
from replicate.client import Client
from replicate.exceptions import ModelError, ReplicateError

from tests.support.providers import replicate as provider
from tests.support.providers.answers import STORM
from tests.support.providers.replicate import Replicate
from tests.support.stand_in import serve

MODEL = "bytedance/seedance-1-pro"
VERSION = "5f" * 32


@pytest.fixture(scope="module")
def served():
    made = Replicate()
    with serve(made.app) as stand_in:
        yield made, stand_in


@pytest.fixture
def replicate(served):
    served[0].reset()
    return served[0]


@pytest.fixture
def client(served, replicate):
    made = Client(api_token=replicate.token, base_url=served[1].url)
    made.poll_interval = 0.001
    yield made
    made._client.close()


def test_a_prediction_starts_processes_and_has_a_video(served, replicate, client):
    posts = served[1].posts()
    prediction = client.models.predictions.create(MODEL, {"prompt": "a kite"})
    assert (prediction.status, prediction.model) == ("starting", MODEL)
    seen = []
    while prediction.status != "succeeded":
        prediction.reload()
        seen.append((prediction.status, prediction.progress and prediction.progress.current))
    assert seen == [("starting", None), ("processing", None), ("processing", 1), ("processing", 2), ("succeeded", 3)]
    assert httpx.get(prediction.output).content[4:8] == b"ftyp"
    assert served[1].posts() == posts + 1


@pytest.mark.parametrize("reference", [MODEL, f"someone/else:{VERSION}"])
def test_run_waits_for_the_output(replicate, client, reference):
    prediction = (
        client.predictions.create(reference, {"prompt": "a kite"})
        if ":" in reference
        else client.models.predictions.create(reference, {"prompt": "a kite"})
    )
    prediction.wait()
    assert prediction.output.endswith(".mp4")


def test_a_deployment_runs_too(replicate, client):
    assert client.deployments.predictions.create("acme/videos", {"prompt": "a kite"}).status == "starting"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (provider.WRONG_KEY, "valid authentication token"),
        (provider.NO_CREDIT, "insufficient credit"),
        (provider.RATE_LIMIT, "throttled"),
        (provider.INVALID, "less than or equal to 12"),
        (provider.NO_MODEL, "could not be found"),
    ],
    ids=["key", "credit", "rate limit", "invalid", "model"],
)
def test_a_refused_submit_is_a_problem(replicate, client, fault, words):
    replicate.answers.put("submit", fault)
    with pytest.raises(ReplicateError, match=words) as refused:
        client.models.predictions.create(MODEL, {})
    assert refused.value.status == fault.status


def test_a_wrong_token_is_refused(served, replicate):
    wrong = Client(api_token="another", base_url=served[1].url)
    with pytest.raises(ReplicateError, match="Unauthenticated"):
        wrong.models.predictions.create(MODEL, {})
    wrong._client.close()


def test_a_storm_passes(replicate, client):
    prediction = client.models.predictions.create(MODEL, {})
    replicate.answers.put("poll", STORM, times=1)
    prediction.wait()
    assert prediction.status == "succeeded"


def test_a_moderated_prediction_fails_with_the_reason(replicate, client):
    replicate.error = provider.SENSITIVE
    prediction = client.models.predictions.create(MODEL, {})
    prediction.wait()
    with pytest.raises(ModelError, match="E005"):
        raise ModelError(prediction)


def test_an_aborted_prediction_is_a_state_that_the_client_does_not_know(replicate, client):
    replicate.ends = "aborted"
    prediction = client.models.predictions.create(MODEL, {})
    with pytest.raises(ValueError, match="unexpected value"):
        prediction.wait()


def test_a_cancelled_prediction_is_cancelled(replicate, client):
    prediction = client.models.predictions.create(MODEL, {})
    prediction.cancel()
    assert prediction.status == "canceled"


def test_a_cancel_after_the_end_changes_nothing(replicate, client):
    prediction = client.models.predictions.create(MODEL, {})
    prediction.wait()
    prediction.cancel()
    assert prediction.status == "succeeded"


def test_the_list_has_the_newest_first(replicate, client):
    made = [client.models.predictions.create(MODEL, {"prompt": name}) for name in ("a", "b")]
    assert [one.id for one in client.predictions.list().results] == [made[1].id, made[0].id]


def test_a_forgotten_prediction_is_not_found(replicate, client):
    prediction = client.models.predictions.create(MODEL, {})
    replicate.is_forgetful = True
    with pytest.raises(ReplicateError, match="404"):
        prediction.reload()


def test_a_file_is_uploaded(replicate, client, tmp_path):
    (tmp_path / "a.png").write_bytes(b"picture")
    made = client.files.create(tmp_path / "a.png")
    assert replicate.files[made.id] == b"picture"
    assert made.urls["get"].endswith(made.id)
