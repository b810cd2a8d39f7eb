"""What the page shows of a generation of which nobody knows whether a service has its job."""

import re

import pytest

from tests.ui.conftest import event, generation
from videogen.core.i18n import catalog
from videogen.ui.panels.attention import is_web_address
from videogen.ui.signals import signals
from videogen.ui.texts import Texts

KNOWN = {"sentAt": "2026-11-01T12:30:00Z", "providerId": "job-<7>", "lookAt": "https://service.example/jobs/7?a=1&b=2"}
PARKED = {"status": "processing", "stage": "needs_attention", "message": "the service does not answer", "progress": 40}


@pytest.fixture
def show(tab):
    """Puts one on the stage that needs attention."""

    def put(**known):
        tab.board.drop("gen_a")
        tab.board.put(generation(**PARKED, estimated=True, attention=KNOWN | known))
        tab.board.select("gen_a")

    return put


def test_it_says_when_it_was_sent_its_id_and_where_to_look(tab, html, show):
    tab.texts = Texts(catalog("en"), offset=60)
    show()
    job = html("job")
    assert 'data-status="processing" data-generation-id="gen_a" data-attention>Needs attention<' in job
    assert "The service does not answer" in html("stage")
    assert '<time datetime="2026-11-01T12:30:00+00:00">1 November 2026, 13:30</time>' in job, "by the visitor's clock"
    assert "<bdi>job-&lt;7&gt;</bdi>" in job
    link = 'href="https://service.example/jobs/7?a=1&amp;b=2" target="_blank" rel="noopener noreferrer"'
    assert link in job
    assert re.findall(r'data-do="([\w-]+)"(?: data-action="(\w+)")?', job) == [
        ("resolve", "look"),
        ("ask-resubmit", ""),
        ("resolve", "fail"),
    ]
    assert 'id="job-percent" class="num" aria-hidden="true"></span>' in job, "nothing is rendered"
    assert 'id="job-step" class="num"></span>' in job


@pytest.mark.parametrize("text", ["javascript:alert(1)", "data:text/html,x", "ask <b>Ann</b>", "http://", "//x/y"])
def test_only_a_web_address_becomes_a_link(html, show, text):
    show(lookAt=text)
    assert "<a " not in html("job")
    assert text.replace("<", "&lt;").replace(">", "&gt;") in html("job")
    assert not is_web_address(text)


def test_what_a_preview_would_hide_is_said_beside_it(tab, html, show):
    show()
    assert '<span id="job-stage" dir="auto"></span>' in html("job")
    assert "<span dir=" not in html("job")
    tab.board.drop("gen_a")
    tab.board.put(generation(**PARKED, attention=KNOWN, previewUrl="/media/p"))
    tab.board.select("gen_a")
    assert "The service does not answer" not in html("stage")
    assert '<span dir="auto">The service does not answer</span>' in html("job")


def test_what_is_not_known_is_left_out(html, show):
    show(sentAt=None, providerId="", lookAt="")
    assert "<dl" not in html("job")
    assert 'id="look-again"' in html("job")


def test_it_speaks_the_language_of_the_visit(tab, html, show):
    tab.texts = Texts(catalog("de"))
    show()
    assert ">Entscheidung nötig<" in html("job")
    assert ">Noch einmal suchen<" in html("job")
    assert "Nichts wird von selbst noch einmal gesendet" in html("job")


def test_the_queue_and_the_title_show_it_as_what_it_is(tab, html, show):
    show()
    assert '<span class="note num">Needs attention</span>' in html("queue")
    assert signals(tab)["title"] == "Needs attention · sea"
    alert = {"id": "gen_a", "done": "Needs attention · sea", "title": "Needs attention", "body": "sea"}
    assert (signals(tab)["icon"], signals(tab)["ended"]) == (None, [alert])
    tab.board.put(generation("gen_b", status="processing", progress=20))
    assert "20 % · " not in html("job")
    assert signals(tab)["icon"] is not None


def test_an_event_shows_it_and_takes_it_away(tab, html):
    tab.board.put(generation(status="processing"))
    tab.board.select("gen_a")
    assert "job-attention" not in html("job")
    cost = {"amount": 0.4, "currency": "USD"}
    tab.board.apply(event(seconds=2, **PARKED, attention=KNOWN, cost=cost))
    assert "job-attention" in html("job")
    assert ">about 0.40 USD<" in html("about")
    tab.board.apply(event(seconds=3, status="queued", stage="queued"))
    assert "job-attention" not in html("job")


def test_one_that_ended_so_keeps_the_id_and_says_that_it_may_be_billed(tab, html):
    ended = {"status": "cancelled", "attention": KNOWN}
    tab.board.put(generation(**ended, error={"code": "cancelled", "message": "x", "retryable": True}))
    tab.board.select("gen_a")
    assert "may still render it, and bill it" in html("stage")
    assert "<dt>Id at the service</dt>" in html("about")
    assert "job-attention" not in html("job")


def test_a_new_one_comes_on_the_stage_beside_one_that_waits_for_its_owner(tab, show):
    show()
    assert [*tab.board.working()] == []
    tab.board.put(generation("gen_b", status="processing"))
    assert [*tab.board.working()] == ["gen_b"]


def test_estimated_progress_is_shown_as_that(tab, html):
    tab.board.put(generation(status="processing", stage="rendering", progress=40.4, totalSteps=9, estimated=True))
    tab.board.select("gen_a")
    job = html("job")
    assert signals(tab)["title"] == "about 40 % · sea"
    assert ">about 40 %<" in job
    assert 'aria-valuetext="about 40 %, Drawing frames"' in job
    assert ">about 25 % rendered<" in job
    assert "about 40 %" in html("queue")


def test_a_job_that_waits_at_a_service_shows_its_place_there_and_no_percentage(tab, html):
    tab.board.put(generation(status="processing", stage="waiting", message="number 3 in the queue of the service"))
    tab.board.select("gen_a")
    assert 'data-status="processing" data-generation-id="gen_a">Waiting<' in html("job")
    assert "Number 3 in the queue of the service" in html("job")
    assert signals(tab)["title"] == "Waiting · sea"
    assert 'id="job-percent" class="num" aria-hidden="true"></span>' in html("job")
    assert "%" not in html("queue")


@pytest.mark.parametrize(("estimated", "shown"), [(True, "about 0.40 USD"), (False, "0.40 USD")])
def test_a_finished_one_says_what_it_has_cost(tab, html, estimated, shown):
    cost = {"amount": 0.4, "currency": "USD", "estimated": estimated}
    tab.board.put(generation(status="processing"))
    tab.board.select("gen_a")
    tab.board.apply(event("error", seconds=2, status="failed", code="busy", message="", retryable=True, cost=cost))
    assert f'<dt>Cost</dt><dd dir="auto">{shown}</dd>' in html("about")
