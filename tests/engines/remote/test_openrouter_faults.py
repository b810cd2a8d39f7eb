"""Faults of OpenRouter: how the job ends, and what its message tells people to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.providers.faults import Faults, Refusal
from tests.support.providers.openrouter import MODEL, OpenRouterStandIn, error_body
from tests.support.stand_in import StandIn, serve
from videogen.engines.process import protocol
from videogen.engines.spec import EngineSpec

KEY = "sk-or-right"
INPUTS = {
    "prompt": {"from": "prompt"},
    "duration": {"from": "seconds", "type": "integer"},
    "size": {"from": "size"},
    "seed": {"from": "seed"},
    "provider.options.any.fps": {"from": "fps"},
}
Run = Callable[..., list[protocol.Message]]


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[OpenRouterStandIn, StandIn, str]]:
    provider = OpenRouterStandIn()
    with serve(provider.app) as site, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENROUTER_API_KEY", KEY)
        waits = {"poll_seconds": 0.01, "forgotten_seconds": 0.3, "request_seconds": 1.0, "download_seconds": 5.0}
        options = {"base_url": f"{site.url}/api/v1", "inputs": INPUTS, **waits}
        yield provider, site, EngineSpec(id="veo", kind="openrouter", model=MODEL, options=options).reference


@pytest.fixture
def provider(served: tuple[OpenRouterStandIn, StandIn, str]) -> OpenRouterStandIn:
    """The stand-in, as at first."""
    provider, site, _ = served
    provider.faults, provider.jobs = Faults(), {}
    provider.key, provider.ends_as = KEY, "completed"
    site.requests.clear()
    return provider


@pytest.fixture
def job(served: tuple[OpenRouterStandIn, StandIn, str], run: Run) -> Run:
    """Runs a job, and returns its messages. The key is in none of them, and there was at most one POST."""

    def job() -> list[protocol.Message]:
        messages = run(served[2])
        assert KEY not in str(messages)
        assert served[1].posts() == 1
        return messages

    return job


def failure(messages: list[protocol.Message]) -> protocol.Failed:
    end = messages[-1]
    assert isinstance(end, protocol.Failed), end
    return end


def test_the_cost_is_estimated_before_and_exact_after(provider: OpenRouterStandIn, job: Run) -> None:
    messages = job()
    assert messages[-1].t == "done", messages[-1]
    costs = [message.cost for message in messages if isinstance(message, protocol.Spent)]
    assert [(cost.amount, cost.estimated) for cost in costs] == [(0.4, True), (0.32, False)]


@pytest.mark.parametrize(
    ("refusal", "code", "words"),
    [
        (Refusal(401, error_body(401, "User not found.")), "key_refused", "OPENROUTER_API_KEY"),
        (Refusal(402, error_body(402, "Insufficient credits")), "no_credit", "https://openrouter.ai/"),
        (Refusal(403, error_body(403, "Refused", {"reasons": ["violence"]})), "refused_content", "Change the prompt"),
        (Refusal(429, error_body(429, "Slow down"), {"Retry-After": "7"}), "rate_limited", "Retry in 7 seconds"),
        (Refusal(400, error_body(400, "duration: 3 is not supported")), "refused_input", "duration: 3"),
    ],
)
def test_a_refused_post_ends_the_job(
    provider: OpenRouterStandIn, job: Run, refusal: Refusal, code: str, words: str
) -> None:
    provider.faults.on_submit = refusal
    end = failure(job())
    assert end.code == code
    assert words in end.message
    assert not provider.jobs


def test_a_post_without_an_answer_is_never_sent_again(provider: OpenRouterStandIn, job: Run) -> None:
    provider.faults.silent_seconds = 3.0
    end = job()[-1]
    assert isinstance(end, protocol.NeedsAttention)
    assert end.look_at == "https://openrouter.ai/activity"
    assert len(provider.jobs) == 1


@pytest.mark.parametrize(("end", "code"), [("expired", "service_timeout"), ("cancelled", "cancelled_there")])
def test_a_job_that_ends_without_a_result(provider: OpenRouterStandIn, job: Run, end: str, code: str) -> None:
    provider.ends_as = end
    assert failure(job()).code == code


def test_a_storm_of_5xx_a_new_status_and_a_result_that_is_late_end_well(provider: OpenRouterStandIn, job: Run) -> None:
    provider.faults.on_poll = Refusal(503, error_body(503, "Unavailable"), times=5)
    provider.faults.names = {"in_progress": "warming_up"}
    provider.faults.on_result = Refusal(404, error_body(404, "Not yet"), times=2)
    assert job()[-1].t == "done"


@pytest.mark.parametrize("refusal", [Refusal(401, error_body(401, "User not found.")), None])
def test_a_revoked_key_or_a_forgotten_job_is_left_to_its_owner(
    provider: OpenRouterStandIn, job: Run, refusal: Any
) -> None:
    provider.faults.on_poll, provider.faults.forgets = refusal, refusal is None
    end = job()[-1]
    assert isinstance(end, protocol.NeedsAttention)
    assert end.provider_id in provider.jobs


def test_a_result_that_has_expired_is_gone(provider: OpenRouterStandIn, job: Run) -> None:
    provider.faults.on_result = Refusal(410, error_body(410, "Gone"), times=10_000)
    assert failure(job()).code == "result_gone"
