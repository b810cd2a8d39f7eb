"""Faults of a server of `/v1/videos`: how the job ends, and what its message tells people to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.providers.faults import Faults, Refusal
from tests.support.providers.videos import VideosStandIn
from tests.support.stand_in import StandIn, serve
from videogen.engines.process import protocol
from videogen.engines.spec import EngineSpec

KEY = "sk-gateway-1234"
Run = Callable[..., list[protocol.Message]]


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[VideosStandIn, StandIn]]:
    provider = VideosStandIn(key=KEY)
    with serve(provider.app) as site, pytest.MonkeyPatch.context() as patch:
        patch.setenv("GATEWAY_KEY", KEY)
        yield provider, site


@pytest.fixture
def provider(served: tuple[VideosStandIn, StandIn]) -> VideosStandIn:
    """The stand-in, as at first."""
    provider, site = served
    provider.faults, provider.jobs, provider.dialect = Faults(), {}, "vllm"
    provider.key, provider.cloud, provider.is_cancelling, provider.polls = KEY, "", False, 3
    site.requests.clear()
    return provider


@pytest.fixture
def site(served: tuple[VideosStandIn, StandIn]) -> StandIn:
    return served[1]


def engine(site: StandIn, **options: Any) -> str:
    """The reference of an engine at the stand-in. Those without options of their own share a child process."""
    waits = {"poll_seconds": 0.01, "forgotten_seconds": 0.3, "request_seconds": 1.0, "download_seconds": 5.0}
    given = {"base_url": f"{site.url}/v1", "key": "env:GATEWAY_KEY", **waits, **options}
    return EngineSpec(id="gateway", kind="videos-http", options=given).reference


def failure(messages: list[protocol.Message]) -> protocol.Failed:
    end = messages[-1]
    assert isinstance(end, protocol.Failed), end
    assert KEY not in str(messages)
    return end


def attention(messages: list[protocol.Message]) -> protocol.NeedsAttention:
    end = messages[-1]
    assert isinstance(end, protocol.NeedsAttention), end
    assert KEY not in str(messages)
    return end


@pytest.mark.parametrize(
    ("refusal", "code", "words"),
    [
        (Refusal(402, {"error": {"message": "Pay"}}), "no_credit", "Add some at"),
        (Refusal(400, {"error": {"message": "Blocked", "code": "moderation_blocked"}}), "refused_content", "Change"),
        (Refusal(429, {"detail": "Busy"}, {"Retry-After": "7"}), "rate_limited", "Retry in 7 seconds"),
        (Refusal(400, {"detail": "Invalid size"}), "refused_input", "It answered: Invalid size."),
    ],
)
def test_a_refused_post_ends_the_job(
    provider: VideosStandIn, site: StandIn, run: Run, refusal: Refusal, code: str, words: str
) -> None:
    provider.faults.on_submit = refusal
    end = failure(run(engine(site)))
    assert end.code == code
    assert words in end.message
    assert site.posts() == 1


def test_a_wrong_key_names_the_variable(provider: VideosStandIn, site: StandIn, run: Run) -> None:
    provider.key = "another"
    end = failure(run(engine(site)))
    assert end.code == "key_refused"
    assert end.message.startswith(f"{site.url.removeprefix('http://')} refused the key in GATEWAY_KEY.")
    assert not provider.jobs


def test_a_wrong_address_says_so(provider: VideosStandIn, site: StandIn, run: Run) -> None:
    end = failure(run(engine(site, base_url=f"{site.url}/wrong/v1")))
    assert end.code == "refused_input"
    assert "See whether its `model` and `base_url` are right." in end.message


def test_a_key_that_is_revoked_meanwhile_leaves_the_job_to_its_owner(
    provider: VideosStandIn, site: StandIn, run: Run
) -> None:
    provider.faults.on_poll = Refusal(401, {"error": "Unauthorized"})
    end = attention(run(engine(site)))
    assert end.provider_id in provider.jobs
    assert "GATEWAY_KEY" in end.message
    assert site.posts() == 1


def test_a_post_without_an_answer_is_never_sent_again(provider: VideosStandIn, site: StandIn, run: Run) -> None:
    provider.faults.silent_seconds = 3.0
    end = attention(run(engine(site)))
    assert end.sent_at is not None
    assert end.look_at == f"{site.url}/v1"
    assert site.posts() == 1


def test_a_post_that_ends_in_a_fault_of_the_server_is_never_sent_again(
    provider: VideosStandIn, site: StandIn, run: Run
) -> None:
    provider.faults.on_submit = Refusal(502, {"detail": "Bad gateway"})
    attention(run(engine(site)))
    assert site.posts() == 1


def test_a_storm_of_5xx_a_new_status_and_a_result_that_is_late_end_well(
    provider: VideosStandIn, site: StandIn, run: Run
) -> None:
    provider.faults.on_poll = Refusal(503, {"detail": "overloaded"}, times=5)
    provider.faults.names = {"in_progress": "warming_up"}
    provider.faults.on_result = Refusal(404, {"detail": "Generation is still in-progress"}, times=2)
    assert run(engine(site))[-1].t == "done"
    assert site.posts() == 1


def test_progress_that_never_moves_is_not_made_up(provider: VideosStandIn, site: StandIn, run: Run) -> None:
    provider.faults.stands_still = True
    messages = run(engine(site))
    assert messages[-1].t == "done"
    reports = [one for one in messages if isinstance(one, protocol.Progress) and one.stage == "rendering"]
    assert reports
    assert all(one.total == 0 for one in reports)


def test_a_job_that_does_not_end_is_stopped_at_its_deadline(provider: VideosStandIn, site: StandIn, run: Run) -> None:
    provider.faults.held.set()
    end = failure(run(engine(site, deadline_seconds=0.3)))
    assert end.code == "deadline_exceeded"
    assert "The server stopped the job and deleted it." in end.message
    assert len(site.asked("DELETE")) == 1


@pytest.mark.parametrize("dialect", ["vllm", "sglang"])
def test_a_model_that_fails_has_its_words_in_the_message(
    provider: VideosStandIn, site: StandIn, run: Run, dialect: Any
) -> None:
    provider.dialect, provider.faults.failure = dialect, "CUDA out of memory"
    end = failure(run(engine(site)))
    assert end.code == "render_failed"
    assert "CUDA out of memory" in end.message


def test_a_result_that_has_expired_is_gone(provider: VideosStandIn, site: StandIn, run: Run) -> None:
    provider.faults.on_result = Refusal(404, {"detail": "Generated video file not found on disk"}, times=10_000)
    assert failure(run(engine(site))).code == "result_gone"


@pytest.mark.parametrize(("result", "code"), [("html", "bad_result"), ("truncated", "broken_media")])
def test_a_result_that_is_no_whole_video_fails(
    provider: VideosStandIn, site: StandIn, run: Run, result: Any, code: str
) -> None:
    provider.faults.result = result
    assert failure(run(engine(site))).code == code


def test_a_job_that_the_server_forgot_is_left_to_its_owner(provider: VideosStandIn, site: StandIn, run: Run) -> None:
    provider.faults.forgets = True
    end = attention(run(engine(site)))
    assert end.provider_id in provider.jobs
    assert site.posts() == 1


def test_a_result_in_a_cloud_is_fetched_if_its_host_is_named(provider: VideosStandIn, site: StandIn, run: Run) -> None:
    provider.dialect, provider.cloud = "sglang", site.url.replace("127.0.0.1", "localhost") + "/cloud"
    end = attention(run(engine(site)))
    assert "localhost" in end.message
    assert "`hosts`" in end.message
    assert run(engine(site, hosts=["localhost"]), name="gen_b")[-1].t == "done"
