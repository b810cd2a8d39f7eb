"""The kind `fal` against the stand-in that fal's own client accepts."""

from typing import ClassVar

import pytest

from tests.support.providers import answers, runs
from tests.support.providers import fal as provider
from tests.support.providers.fal import Fal
from tests.support.providers.runs import RemoteBench
from tests.support.stand_in import serve
from videogen.core.errors import ConfigError
from videogen.engines.base import NeedsAttention, RenderCancelled, RenderFailed, RenderRequest
from videogen.engines.registry import load_engine
from videogen.media.probe import probe
from videogen.schemas.engines import Cost
from videogen.testing.conformance import EngineConformance

MODEL = "fal-ai/ltx-video/image-to-video"


@pytest.fixture(scope="module")
def served():
    made = Fal()
    with serve(made.app) as stand_in, pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAL_KEY", made.key)
        patch.setenv("HF_TOKEN", made.token)
        yield made, stand_in


@pytest.fixture
def fal(served):
    served[0].reset()
    served[1].requests.clear()
    return served[0]


@pytest.fixture
def bench(fal, served, tmp_path):
    return RemoteBench("fal", MODEL, served[1], tmp_path)


@pytest.fixture
def router(fal, served, tmp_path):
    return RemoteBench("fal", MODEL, served[1], tmp_path, "/router/fal-ai", {"key": "env:HF_TOKEN"})


class TestConformance(EngineConformance):
    """It is an engine as any other."""

    cancel_seconds = 10.0
    long_settings: ClassVar = {"durationSeconds": 3.0}

    @pytest.fixture(autouse=True)
    def _engine(self, fal, bench):
        fal.rendering = 20
        type(self).engine = bench.reference()


def test_a_job_is_sent_once_followed_and_fetched(fal, bench, served):
    run = bench.run()
    assert probe(run.artifact.path).num_frames == 8
    sent = served[1].asked("POST")
    assert [one.path for one in sent] == [f"/{MODEL}"]
    assert sent[0].json == {
        "prompt": "a kite", "width": 64, "height": 64, "duration": 1, "frame_rate": 8, "seed": 7,
    }  # fmt: skip
    assert sent[0].headers["x-fal-no-retry"] == "1"
    assert float(sent[0].headers["x-fal-request-timeout"]) == 3600
    job = next(iter(fal.jobs.values()))
    assert {one.path for one in served[1].asked("GET", "/fal-ai")} == {
        f"/fal-ai/ltx-video/requests/{job.id}/status",
        f"/fal-ai/ltx-video/requests/{job.id}",
    }


def test_the_place_in_the_queue_and_the_steps_of_the_log_are_shown(fal, bench):
    fal.waiting = 3
    run = bench.run()
    waiting = [report for report in run.context.reports if report[2] == "waiting"]
    assert [message for *_, message in waiting] == [
        "Waiting at fal, 2 before it", "Waiting at fal, 1 before it", "Next in line at fal",
    ]  # fmt: skip
    estimated = [
        report[:2]
        for report, is_estimated in zip(run.context.reports, run.context.estimates, strict=True)
        if is_estimated
    ]
    assert estimated == [(1, 3), (2, 3)]


def test_an_unknown_status_counts_as_running(fal, bench):
    fal.unknown_state = "WARMING_UP"
    assert bench.run().artifact


def test_the_cost_is_known_before_and_after(fal, bench):
    fal.units = 1.008
    price = {"amount": 0.05, "per": "second"}
    engine = load_engine(bench.reference(price=price))
    explained = engine.explain(RenderRequest(prompt="a kite", settings={**runs.SMALL, "durationSeconds": 4}))
    assert explained.cost == Cost(amount=0.2, currency="USD", estimated=True)
    assert bench.run(price=price).context.costs == [
        Cost(amount=0.05, currency="USD", estimated=True),
        Cost(amount=0.0504, currency="USD", estimated=False),
    ]


def test_without_a_price_no_cost_is_made_up(fal, bench):
    fal.units = 1.0
    assert bench.run().context.costs == []


def test_a_running_job_is_cancelled_at_fal(fal, bench):
    fal.rendering = 1000
    run = bench.run(cancel_at=2)
    assert isinstance(run.end, RenderCancelled)
    assert "asked the model to stop" in run.message
    assert next(iter(fal.jobs.values())).is_cancelled


def test_a_job_goes_on_from_what_was_stored(bench, served):
    first = bench.run()
    again = bench.run(checkpoint=first.context.saved[-1])
    assert again.artifact
    assert served[1].posts() == 1


def test_a_job_whose_sending_was_not_stored_needs_attention(bench, served):
    before = bench.run().context.saved[0]
    run = bench.run(checkpoint=before)
    assert isinstance(run.end, NeedsAttention)
    assert run.end.look_at == "https://fal.ai/dashboard/requests"
    assert served[1].posts() == 1


# Pictures


@pytest.fixture
def picture(tmp_path):
    from PIL import Image

    path = tmp_path / "frame.png"
    Image.radial_gradient("L").resize((64, 64)).convert("RGB").save(path)
    return path


def test_frames_are_sent_as_data(bench, served, picture):
    bench.run(frames={"input_path": picture, "last_path": picture})
    sent = served[1].asked("POST")[0].json
    assert sent["first"] == sent["last"]
    assert sent["first"].startswith("data:image/png;base64,")


def test_frames_are_uploaded_if_the_operator_wants_it(fal, bench, served, picture):
    run = bench.run(frames={"input_path": picture}, upload_url=f"{served[1].url}/rest")
    assert run.artifact, run.message
    (name,) = fal.uploads
    assert fal.uploads[name] == picture.read_bytes()
    assert served[1].asked("POST", f"/{MODEL}")[0].json["first"].endswith(name)


# The router of Hugging Face


def test_the_router_is_asked_below_its_own_address(fal, router, served):
    fal.units = 2
    run = router.run(price={"amount": 0.1})
    assert run.artifact, run.message
    asked = [one for one in served[1].asked() if not one.path.startswith("/files")]
    assert {one.headers["authorization"] for one in asked} == {f"Bearer {fal.token}"}
    assert all("_subdomain=queue" in one.query and one.path.startswith("/router/fal-ai/fal-ai/") for one in asked)
    assert served[1].posts() == 1


def test_a_cancel_goes_through_the_router(fal, router):
    fal.rendering = 1000
    assert "asked the model to stop" in router.run(cancel_at=2).message


def test_another_path_of_the_router_stops_the_start(router):
    with pytest.raises(ConfigError, match=r"https://router\.huggingface\.co/fal-ai"):
        load_engine(router.reference(base_url="https://router.huggingface.co/v1"))


# Faults: a message that says what to do


@pytest.mark.parametrize("model", ["", "ltx", "https://fal.ai/models/x"])
def test_a_name_that_is_no_model_stops_the_start(bench, model):
    with pytest.raises(ConfigError, match="model"):
        load_engine(bench.reference(model=model))


def test_without_a_key_the_engine_is_not_available(bench, monkeypatch):
    monkeypatch.delenv("FAL_KEY")
    assert "FAL_KEY" in load_engine(bench.reference()).probe().reason


REFUSED = {
    "wrong key": (provider.WRONG_KEY, "key_refused", "refused the key in FAL_KEY"),
    "no permission": (provider.NO_ACCESS, "key_refused", "no permission for this endpoint"),
    "no credit": (provider.NO_CREDIT, "no_credit", "Add some at https://fal.ai/dashboard/billing"),
    "rate limit": (provider.RATE_LIMIT, "rate_limited", "Retry in 7 seconds"),
    "invalid": (provider.INVALID, "refused_input", "num_frames: ensure this value"),
}


@pytest.mark.parametrize(("fault", "code", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_a_refused_job_fails_and_is_not_sent_again(fal, bench, served, fault, code, words):
    fal.answers.put("submit", fault)
    run = bench.run()
    assert (run.code, served[1].posts()) == (code, 1)
    assert words in run.message
    assert fal.key not in run.message


FAILED = {
    "moderation": (provider.MODERATION, "refused_content", "Change the prompt or picture"),
    "invalid": (provider.INVALID, "refused_input", "num_frames"),
    "never started": (provider.NOT_STARTED, "service_timeout", "Request timed out"),
    "runner lost": (provider.RUNNER_LOST, "service_fault", "disconnected"),
    "timed out": (provider.GENERATION_TIMEOUT, "service_timeout", "too long"),
}


@pytest.mark.parametrize(("failure", "code", "words"), FAILED.values(), ids=FAILED.keys())
def test_a_completed_job_may_have_an_error_in_place_of_a_result(fal, bench, failure, code, words):
    fal.failure = failure
    run = bench.run()
    assert run.code == code
    assert words in run.message


def test_a_job_without_a_file_fails(fal, bench):
    fal.failure = answers.Canned(200, {"video": None})
    assert "no file" in bench.run().message


def test_a_storm_and_a_rate_limit_pass(fal, bench, served):
    fal.answers.put("status", answers.STORM, times=4)
    fal.answers.put("response", answers.STORM, times=4)
    fal.answers.put("file", answers.STORM, times=2)
    assert bench.run().artifact
    assert served[1].posts() == 1


def test_a_storm_while_it_is_sent_needs_attention(fal, bench, served):
    fal.answers.put("submit", answers.STORM)
    assert isinstance(bench.run().end, NeedsAttention)
    assert served[1].posts() == 1


def test_an_answer_without_an_id_needs_attention(fal, bench, served):
    fal.answers.put("submit", answers.HTML_PAGE)
    run = bench.run()
    assert isinstance(run.end, NeedsAttention)
    assert "request_id" in run.message


def test_a_revoked_key_needs_attention_since_the_job_goes_on(fal, bench):
    fal.answers.put("status", provider.REVOKED_KEY)
    run = bench.run()
    assert isinstance(run.end, NeedsAttention)
    assert run.end.provider_id in fal.jobs
    assert "FAL_KEY" in run.message


def test_a_forgotten_job_needs_attention(fal, bench):
    fal.answers.put("status", provider.NOT_FOUND)
    run = bench.run()
    assert isinstance(run.end, NeedsAttention)
    assert "does not know job" in run.message


def test_progress_that_never_moves_ends_at_the_deadline(fal, bench):
    fal.held = True
    run = bench.run(deadline_seconds=0.2)
    assert run.code == "deadline_exceeded"
    assert "asked the model to stop" in run.message


def test_a_result_that_is_not_there_at_once_is_waited_for(fal, bench):
    fal.answers.put("file", answers.GONE, times=2)
    assert bench.run(forgotten_seconds=5).artifact


RESULTS = {
    "expired": (answers.GONE, "result_gone", "Retry"),
    "page": (answers.HTML_PAGE, "bad_result", "text/html"),
}


@pytest.mark.parametrize(("answer", "code", "words"), RESULTS.values(), ids=RESULTS.keys())
def test_a_result_that_is_none_fails(fal, bench, answer, code, words):
    fal.answers.put("file", answer)
    run = bench.run()
    assert isinstance(run.end, RenderFailed)
    assert run.code == code
    assert words in run.message


def test_a_truncated_result_is_no_result(fal, bench):
    fal.is_truncated = True
    run = bench.run(download_seconds=0.2)
    assert run.artifact is None


def test_a_result_on_another_host_is_refused(fal, bench):
    fal.failure = answers.Canned(200, {"video": {"url": "http://127.0.0.2:9/v.mp4"}})
    assert "may not be asked" in bench.run().message


def test_the_key_is_in_no_text(fal, bench, caplog):
    fal.answers.put("status", answers.Canned(422, {"detail": f"Key {fal.key} is odd"}))
    run = bench.run()
    assert "***" in run.message
    assert fal.key not in f"{run.message}{caplog.text}{run.context.saved}{run.reports}"
