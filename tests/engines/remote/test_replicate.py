"""The kind `replicate` against the stand-in that Replicate's own client accepts."""

import time
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest

from tests.support.providers import answers, runs
from tests.support.providers import replicate as provider
from tests.support.providers.replicate import Replicate
from tests.support.providers.runs import RemoteBench
from tests.support.stand_in import serve
from videogen.core.errors import ConfigError
from videogen.engines.base import NeedsAttention, RenderCancelled, RenderFailed, RenderRequest
from videogen.engines.registry import load_engine
from videogen.engines.remote import RemoteJob, RemoteOptions
from videogen.engines.remote import replicate as replicate_kind
from videogen.engines.remote.http import Connections, HttpClient
from videogen.engines.remote.model_inputs import inputs_of
from videogen.media.probe import probe
from videogen.schemas.engines import Cost
from videogen.testing.conformance import EngineConformance

MODEL = "bytedance/seedance-1-pro"
VERSION = "5f" * 32


@pytest.fixture(scope="module")
def served():
    made = Replicate()
    with serve(made.app) as stand_in, pytest.MonkeyPatch.context() as patch:
        patch.setenv("REPLICATE_API_TOKEN", made.token)
        yield made, stand_in


@pytest.fixture
def replicate(served):
    served[0].reset()
    served[1].requests.clear()
    return served[0]


@pytest.fixture
def bench(replicate, served, tmp_path):
    return RemoteBench("replicate", MODEL, served[1], tmp_path)


class TestConformance(EngineConformance):
    """It is an engine as any other."""

    cancel_seconds = 10.0
    long_settings: ClassVar = {"durationSeconds": 3.0}

    @pytest.fixture(autouse=True)
    def _engine(self, replicate, bench):
        replicate.processing = 20
        type(self).engine = bench.reference()


def test_a_prediction_is_sent_once_followed_and_fetched(bench, served):
    run = bench.run(deadline_seconds=600)
    assert probe(run.artifact.path).num_frames == 8
    sent = served[1].asked("POST")
    assert [one.path for one in sent] == [f"/v1/models/{MODEL}/predictions"]
    assert sent[0].json == {
        "input": {"prompt": "a kite", "width": 64, "height": 64, "duration": 1, "frame_rate": 8, "seed": 7}
    }
    assert (sent[0].headers["cancel-after"], sent[0].headers["prefer"]) == ("600s", "respond-async")


ENDPOINTS = {
    "version": (VERSION, "/v1/predictions", {"version": VERSION}),
    "name and version": (f"someone/else:{VERSION}", "/v1/predictions", {"version": f"someone/else:{VERSION}"}),
    "deployment": ("deployments/acme/videos", "/v1/deployments/acme/videos/predictions", {}),
}


@pytest.mark.parametrize(("model", "path", "more"), ENDPOINTS.values(), ids=ENDPOINTS.keys())
def test_versions_and_deployments_have_paths_of_their_own(bench, served, model, path, more):
    assert bench.run(model=model).artifact
    (sent,) = served[1].asked("POST")
    assert sent.path == path
    assert {name: value for name, value in sent.json.items() if name != "input"} == more


def test_it_waits_then_renders_with_the_steps_of_the_log(bench):
    run = bench.run()
    stages = list(dict.fromkeys(stage for _, _, stage, _ in run.context.reports))
    assert stages == ["sending", "waiting", "rendering", "downloading"]
    estimated = [
        report[:2]
        for report, is_estimated in zip(run.context.reports, run.context.estimates, strict=True)
        if is_estimated
    ]
    assert estimated == [(1, 3), (2, 3)]


def test_an_unknown_status_counts_as_running(replicate, bench):
    replicate.unknown_state = "booting"
    assert bench.run().artifact


def test_an_output_may_be_a_list(replicate, bench):
    replicate.is_listed_output = True
    assert bench.run().artifact


def test_the_cost_is_known_before_and_after(bench):
    price = {"amount": 0.05}
    engine = load_engine(bench.reference(price=price))
    explained = engine.explain(RenderRequest(prompt="a kite", settings={**runs.SMALL, "durationSeconds": 4}))
    assert explained.cost == Cost(amount=0.2, currency="USD", estimated=True)
    assert [(cost.amount, cost.estimated) for cost in bench.run(price=price).context.costs] == [
        (0.05, True), (0.05, False),
    ]  # fmt: skip


def test_seconds_of_computing_are_known_afterwards_only(bench):
    price = {"amount": 0.001, "per": "unit"}
    request = RenderRequest(prompt="a kite", settings=runs.SMALL)
    assert load_engine(bench.reference(price=price)).explain(request).cost is None
    assert [(cost.amount, cost.estimated) for cost in bench.run(price=price).context.costs] == [(0.0045, False)]


def test_a_running_prediction_is_cancelled_at_replicate(replicate, bench):
    replicate.processing = 1000
    run = bench.run(cancel_at=2)
    assert isinstance(run.end, RenderCancelled)
    assert "Replicate has stopped the prediction" in run.message
    assert next(iter(replicate.predictions.values())).status == "canceled"


def test_a_job_goes_on_from_what_was_stored(bench, served):
    first = bench.run()
    assert bench.run(checkpoint=first.context.saved[-1]).artifact
    assert served[1].posts() == 1


# A prediction whose sending was not stored


def test_it_is_found_in_the_list(bench, served):
    before = bench.run().context.saved[0]
    assert bench.run(checkpoint=before).artifact
    assert served[1].posts() == 1


@pytest.mark.parametrize(("further", "is_asked"), [({"seed": 7}, True), ({}, False), ({"duration": 7}, False)])
def test_it_is_looked_for_only_by_a_seed_since_it_could_be_that_of_another_generation(bench, served, further, is_asked):
    recipe, own = bench.recipe(bench.reference()), replicate_kind.Replicate()
    options = RemoteOptions.model_validate({"inputs": inputs_of("replicate", MODEL)})
    job = RemoteJob(
        id="", model=MODEL, inputs={"prompt": "a kite", **further}, recipe=recipe, options=options,
        generation_id="gen_a", attempt=2, sent_at=datetime.now(UTC),
    )  # fmt: skip
    connections = Connections(own, RemoteOptions(base_url=served[1].url), served[0].token)
    with connections.client, connections.once:
        found = own.find(HttpClient(connections, time.sleep, 0.1), job)
    assert found is None, "nothing was sent"
    assert bool(served[1].asked("GET", "/v1/predictions")) == is_asked


def test_it_is_found_though_the_clock_of_replicate_is_off(replicate, bench):
    replicate.clock_offset = timedelta(seconds=40)
    before = bench.run().context.saved[0]
    assert bench.run(checkpoint=before).artifact


def test_two_that_may_be_it_need_attention(replicate, bench, served):
    before = bench.run().context.saved[0]
    bench.run()
    run = bench.run(checkpoint=before)
    assert isinstance(run.end, NeedsAttention)
    assert run.end.look_at == "https://replicate.com/predictions"
    assert served[1].posts() == 2


def test_one_of_another_time_is_not_it(replicate, bench):
    replicate.clock_offset = timedelta(hours=-1)
    before = bench.run().context.saved[0]
    assert isinstance(bench.run(checkpoint=before).end, NeedsAttention)


# Pictures


def test_a_small_picture_is_sent_as_data_and_a_large_one_is_uploaded(replicate, bench, served, tmp_path):
    from PIL import Image

    small, large = tmp_path / "small.png", tmp_path / "large.png"
    Image.radial_gradient("L").resize((64, 64)).convert("RGB").save(small)
    Image.effect_noise((700, 700), 100).convert("RGB").save(large)
    assert bench.run(frames={"input_path": small, "last_path": large}).artifact
    sent = served[1].asked("POST", "/v1/models")[0].json["input"]
    assert sent["first"].startswith("data:image/png;base64,")
    (name,) = replicate.files
    assert sent["last"].endswith(f"/v1/files/{name}")
    assert replicate.files[name] == large.read_bytes()


# Faults: a message that says what to do


@pytest.mark.parametrize("model", ["", "veo", "a/b/c", "a/b:latest"])
def test_a_name_that_is_no_model_stops_the_start(bench, model):
    with pytest.raises(ConfigError, match="model"):
        load_engine(bench.reference(model=model))


def test_without_a_key_the_engine_is_not_available(bench, monkeypatch):
    monkeypatch.delenv("REPLICATE_API_TOKEN")
    assert "REPLICATE_API_TOKEN" in load_engine(bench.reference()).probe().reason


REFUSED = {
    "wrong key": (provider.WRONG_KEY, "key_refused", "refused the key in REPLICATE_API_TOKEN"),
    "no credit": (provider.NO_CREDIT, "no_credit", "Add some at https://replicate.com/account/billing"),
    "rate limit": (provider.RATE_LIMIT, "rate_limited", "Retry in 7 seconds"),
    "invalid": (provider.INVALID, "refused_input", "Must be less than or equal to 12"),
}


@pytest.mark.parametrize(("fault", "code", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_a_refused_prediction_fails_and_is_not_sent_again(replicate, bench, served, fault, code, words):
    replicate.answers.put("submit", fault)
    run = bench.run()
    assert (run.code, served[1].posts()) == (code, 1)
    assert words in run.message


def test_a_model_that_is_not_there_is_named(replicate, bench):
    replicate.answers.put("submit", provider.NO_MODEL)
    run = bench.run()
    assert run.code == "refused_input"
    assert "owner/name:version" in run.message


FAILED = {
    "moderation": (provider.SENSITIVE, "refused_content", "Change the prompt or picture"),
    "out of memory": (provider.OUT_OF_MEMORY, "render_failed", "CUDA out of memory"),
}


@pytest.mark.parametrize(("error", "code", "words"), FAILED.values(), ids=FAILED.keys())
def test_a_failed_prediction_has_a_reason(replicate, bench, error, code, words):
    replicate.error = error
    run = bench.run()
    assert run.code == code
    assert words in run.message


ENDED = {
    "aborted": ("service_timeout", "had not started"),
    "canceled": ("cancelled_there", "cancelled"),
}


@pytest.mark.parametrize(("state", "expected"), ENDED.items(), ids=ENDED.keys())
def test_a_prediction_that_replicate_ended_fails(replicate, bench, state, expected):
    replicate.ends = state
    run = bench.run()
    assert run.code == expected[0]
    assert expected[1] in run.message


def test_a_removed_output_is_gone(replicate, bench):
    replicate.is_removed = True
    run = bench.run()
    assert run.code == "result_gone"
    assert "deleted the output" in run.message


def test_a_storm_and_a_rate_limit_pass(replicate, bench, served):
    replicate.answers.put("poll", answers.STORM, times=4)
    replicate.answers.put("file", answers.STORM, times=2)
    assert bench.run().artifact
    assert served[1].posts() == 1


def test_a_storm_while_it_is_sent_leads_to_a_look_at_the_list(replicate, bench, served):
    replicate.answers.put("submit", answers.STORM)
    assert isinstance(bench.run().end, NeedsAttention)
    assert served[1].posts() == 1
    assert served[1].asked("GET", "/v1/predictions")


def test_a_revoked_key_needs_attention_since_the_prediction_goes_on(replicate, bench):
    replicate.answers.put("poll", provider.WRONG_KEY)
    run = bench.run()
    assert isinstance(run.end, NeedsAttention)
    assert run.end.provider_id in replicate.predictions


def test_a_forgotten_prediction_needs_attention(replicate, bench):
    replicate.answers.put("poll", provider.NO_MODEL)
    run = bench.run()
    assert isinstance(run.end, NeedsAttention)
    assert "does not know job" in run.message


def test_progress_that_never_moves_ends_at_the_deadline(replicate, bench):
    replicate.held = True
    run = bench.run(deadline_seconds=0.2)
    assert run.code == "deadline_exceeded"
    assert "Replicate has stopped the prediction" in run.message


RESULTS = {
    "expired": (answers.GONE, "result_gone", "Retry"),
    "page": (answers.HTML_PAGE, "bad_result", "text/html"),
}


@pytest.mark.parametrize(("answer", "code", "words"), RESULTS.values(), ids=RESULTS.keys())
def test_a_result_that_is_none_fails(replicate, bench, answer, code, words):
    replicate.answers.put("file", answer)
    run = bench.run()
    assert isinstance(run.end, RenderFailed)
    assert run.code == code
    assert words in run.message


def test_a_result_that_is_not_there_at_once_is_waited_for(replicate, bench):
    replicate.answers.put("file", answers.GONE, times=2)
    assert bench.run(forgotten_seconds=5).artifact


def test_a_truncated_result_is_no_result(replicate, bench):
    replicate.is_truncated = True
    assert bench.run(download_seconds=0.2).artifact is None
