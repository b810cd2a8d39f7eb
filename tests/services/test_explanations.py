"""What an engine would make of a request: the engine's own words, measured times, and nothing when it misbehaves."""

import threading
from types import SimpleNamespace

import pytest

from tests import fakes
from videogen.core.config import AppConfig
from videogen.core.errors import InvalidRequestError, LimitExceededError, NotFoundError
from videogen.engines import Cost, Explanation, Understanding
from videogen.schemas.engines import ExplainRequest
from videogen.services import explanations, visitor_limits
from videogen.services.explanations import ExplanationService
from videogen.services.visitor_limits import RateLimits


class Talker:
    """Colour bars with an `explain`."""

    def __init__(self, explain):
        self.explain = explain

    def __getattr__(self, name):
        return getattr(fakes.bars, name)


@pytest.fixture
def explain():
    """Explains a prompt with an engine whose own method is given, after runs that took so many seconds."""

    def call(own=None, seconds=None, engine_id="bars", **request):
        engine = fakes.bars if own is None else Talker(own)
        store = SimpleNamespace(expected_seconds=lambda kind, frames: seconds)
        parts = SimpleNamespace(engines={"bars": engine}, config=AppConfig(), store=store, storage=None)
        service = ExplanationService(parts, None, RateLimits(AppConfig()))
        return service.explain("session", engine_id, ExplainRequest(**{"prompt": "a kite"} | request), "address")

    return call


def test_an_engine_without_the_method_gives_the_size_and_no_more(explain):
    assert explain(settings={"width": 401, "height": 300}) == Explanation(width=400, height=300)


def test_the_engine_gets_the_checked_request_and_its_answer_is_passed_on(explain):
    requests = []
    own = Explanation(
        understanding=Understanding(not_drawn=("kite",)), expected_seconds=70, cost=Cost(amount=0.2, currency="USD")
    )

    def answer(request):
        requests.append(request)
        return own

    assert explain(answer, prompt=" a kite ") == own.model_copy(update={"width": 512, "height": 288})
    assert (requests[0].prompt, requests[0].settings["durationSeconds"]) == ("a kite", 4)


def test_measured_runs_count_more_than_what_the_engine_expects(explain):
    assert explain(lambda request: Explanation(expected_seconds=70), seconds=12.34).expected_seconds == 12.3
    assert explain(lambda request: Explanation(expected_seconds=70)).expected_seconds == 70


@pytest.mark.parametrize(
    "own",
    [
        lambda request: 1 / 0,
        lambda request: "twelve",
        lambda request: {"expectedSeconds": -1},
        lambda request: Explanation(understanding=Understanding(ignored=("\ud800",))),
    ],
)
def test_a_broken_explanation_is_logged_and_left_out(explain, own, caplog):
    assert explain(own) == Explanation(width=512, height=288)
    assert "engine bars: `explain` failed" in caplog.text


def test_an_engine_that_hangs_is_not_asked_again_until_it_returns(monkeypatch, caplog):
    monkeypatch.setattr(explanations, "EXPLAIN_SECONDS", 0.01)
    release, calls, returned = threading.Event(), [], threading.Event()

    def hang(request):
        calls.append(request)
        release.wait()
        returned.set()
        return Explanation(expected_seconds=1)

    store = SimpleNamespace(expected_seconds=lambda kind, frames: None)
    parts = SimpleNamespace(engines={"bars": Talker(hang)}, config=AppConfig(), store=store, storage=None)
    service = ExplanationService(parts, None, RateLimits(AppConfig()))

    def ask():
        return service.explain("session", "bars", ExplainRequest(prompt="a kite"), "address")

    assert ask() == ask() == Explanation(width=512, height=288)
    assert len(calls) == 1
    assert "it still runs" in caplog.text
    release.set()
    returned.wait(10)
    service._hanging["bars"].join(10)
    monkeypatch.setattr(explanations, "EXPLAIN_SECONDS", 10)
    assert ask().expected_seconds == 1


def test_an_unknown_engine_and_a_wrong_request_are_refused_as_in_a_submit(explain):
    with pytest.raises(NotFoundError):
        explain(engine_id="nothing")
    for wrong in ({"prompt": " "}, {"settings": {"width": 1}}, {"type": "image"}, {"settings": {"colour": "red"}}):
        with pytest.raises(InvalidRequestError):
            explain(**wrong)


def test_one_visitor_cannot_ask_without_end(monkeypatch):
    monkeypatch.setitem(visitor_limits._FIXED_RATES, "explanations", "2/minute")
    rates = RateLimits(AppConfig())
    for _ in range(2):
        rates.count("explanations", "address", "session")
    with pytest.raises(LimitExceededError, match=r"explanations of a prompt: at most 2 .* from one address\. Try"):
        rates.count("explanations", "address", "session")
