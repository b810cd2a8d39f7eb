"""Every fault of a provider: what becomes of the job, and a message that says what to do."""

import logging
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.providers.answers import GONE, HTML_PAGE, STORM, Canned
from videogen.engines.base import Artifact, NeedsAttention, RenderFailed
from videogen.engines.registry import load_engine
from videogen.media.probe import probe


def error(status, kind, message, **headers):
    return Canned(status, {"error": {"type": kind, "message": message}}, headers)


WRONG_KEY = error(401, "unauthorized", "No such key.")
RETRY = {"retry-after": "7"}


@pytest.mark.parametrize(
    ("answer", "code", "words", "retryable"),
    [
        (WRONG_KEY, "key_refused", ["refused the key in STUDIO_KEY", "No such key", "Set a valid key"], True),
        (error(403, "revoked", "It was revoked."), "key_refused", ["It was revoked", "restart videogen"], True),
        (
            error(402, "payment", "Balance: 0 USD."),
            "no_credit",
            ["has no credit", "Balance: 0 USD", "https://studio.example/jobs"],
            True,
        ),
        (error(400, "no_credit", "Empty."), "no_credit", ["has no credit"], True),
        (
            error(422, "moderation", "Not safe."),
            "refused_content",
            ["does not allow this content", "Not safe", "Change the prompt"],
            False,
        ),
        (error(422, "", "width: too large"), "refused_input", ["width: too large", "Change the settings"], False),
        (Canned(422, {"detail": [{"loc": ["x"], "msg": "x is wrong"}]}), "refused_input", ["x is wrong"], False),
        (error(429, "", "Slow down.", **RETRY), "rate_limited", ["Slow down", "Retry in 7 seconds"], True),
    ],
)
def test_what_is_refused_at_the_submit_fails_with_what_to_do(studio, render, answer, code, words, retryable):
    studio.instead.put("submit", answer)
    end = render(studio.engine()).end
    assert isinstance(end, RenderFailed)
    assert (end.code, end.retryable) == (code, retryable)
    for word in words:
        assert word in str(end)
    assert studio.served.posts() == 1, "a POST is never repeated"
    assert studio.jobs == {}


def test_without_a_key_the_engine_is_not_available(studio, monkeypatch):
    monkeypatch.delenv("STUDIO_KEY")
    made = load_engine(studio.engine()).probe()
    assert not made.available
    assert made.reason == "The environment variable STUDIO_KEY is not set. Set it, then restart videogen."


def test_a_key_that_no_header_can_have_is_no_traceback_with_the_key_in_it(studio, render, monkeypatch):
    monkeypatch.setenv("BROKEN_KEY", "secret\nkey")
    end = render(studio.engine(key="env:BROKEN_KEY")).end
    assert end.code == "engine_unavailable"
    assert "The key in BROKEN_KEY has spaces" in str(end)
    assert "secret" not in str(end)


def test_a_key_that_the_provider_repeats_is_in_no_text(studio, render, monkeypatch, caplog):
    monkeypatch.setenv("OTHER_KEY", "other-key-999")
    end = render(studio.engine(key="env:OTHER_KEY")).end
    assert "Wrong key: Bearer ***" in str(end)
    assert "other-key-999" not in str(end) + caplog.text


@pytest.mark.parametrize(
    "answer",
    [STORM, Canned(500, {"error": "x"}), Canned(201, {"no": "id"}), Canned(200, "<html>Sign in</html>"), Canned(302)],
)
def test_after_a_submit_whose_answer_says_nothing_a_person_must_look(studio, render, answer):
    studio.instead.put("submitted", answer)
    ctx = render(studio.engine())
    assert isinstance(ctx.end, NeedsAttention)
    assert "It is not known whether Studio has this job" in str(ctx.end)
    assert ctx.end.look_at == "https://studio.example/jobs"
    assert datetime.now(UTC) - ctx.end.sent_at < timedelta(minutes=5)
    assert studio.served.posts() == 1
    again = render(studio.engine(), checkpoint=ctx.saved[-1] | {"look": True})
    assert isinstance(again.end, NeedsAttention)
    assert studio.served.posts() == 1, "to look is never to send"


def test_a_submit_without_an_answer_is_looked_for(studio, render):
    studio.silent.set()
    ctx = render(studio.engine("finding", request_seconds=0.3))
    assert isinstance(ctx.end, Artifact), ctx.end
    assert studio.served.posts() == 1


def test_a_submit_that_was_never_sent_fails(studio, render):
    end = render(studio.engine(base_url="http://127.0.0.1:9")).end
    assert end.code == "service_fault"
    assert "cannot be reached" in str(end)
    assert "Retry later" in str(end)


def test_a_job_whose_sending_is_not_known_is_not_sent_again(studio, render):
    intent = {"job": {"id": "11111111-1111-4111-8111-111111111111", "sentAt": "2026-11-01T12:00:00Z", "sent": None}}
    end = render(studio.engine(), checkpoint=intent).end
    assert isinstance(end, NeedsAttention)
    assert end.sent_at == datetime(2026, 11, 1, 12, tzinfo=UTC)
    assert isinstance(render(studio.engine("finding"), checkpoint=intent).end, NeedsAttention), "it is not found"
    assert isinstance(render(studio.engine("certain"), checkpoint=intent | {"look": True}).end, NeedsAttention)
    assert studio.served.posts() == 0
    # Where the provider does not have it for certain, it is sent; the deadline counts from then on.
    assert isinstance(render(studio.engine("certain"), checkpoint=intent).end, Artifact)
    assert studio.served.posts() == 1
    assert studio.served.asked("POST")[0].json["token"] == intent["job"]["id"], "with the same id"


def test_a_storm_of_errors_while_it_runs_is_waited_for(studio, render):
    studio.instead.put("poll", STORM, times=9)
    ctx = render(studio.engine())
    assert isinstance(ctx.end, Artifact), ctx.end
    assert any("Studio does not answer as it should (HTTP 503)" in report[3] for report in ctx.reports)


def test_a_poll_that_is_limited_waits_as_long_as_the_provider_asks(studio, render):
    studio.instead.put("poll", error(429, "", "Slow down.", **{"retry-after": "0"}), times=3)
    assert isinstance(render(studio.engine()).end, Artifact)


def test_an_error_status_that_carries_a_job_is_the_answer(studio, render):
    failed = {"id": "job-1", "status": "failed", "total": 4, "error": {"message": "CUDA out of memory"}}
    studio.instead.put("poll", Canned(500, failed))
    end = render(studio.engine()).end
    assert end.code == "render_failed"
    assert "CUDA out of memory" in str(end)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"status": "failed", "total": 4}, "render_failed"),
        ({"status": "cancelled", "total": 4}, "cancelled_there"),
        ({"status": "done", "total": 4}, "bad_result"),
        ({"status": "running", "total": 4, "error": {"message": "It broke."}}, "render_failed"),
    ],
)
def test_a_job_that_ends_without_a_result_fails(studio, render, body, code):
    studio.instead.put("poll", Canned(200, body))
    assert render(studio.engine()).end.code == code


@pytest.mark.parametrize("status", ["queued", "running"])
def test_a_job_that_the_provider_gave_up_fails(studio, render, status):
    studio.instead.put("poll", Canned(200, {"status": status, "total": 4}), times=2)
    studio.instead.put("poll", error(504, "timeout", "It did not start in time."))
    end = render(studio.engine()).end
    assert (end.code, end.retryable) == ("service_timeout", True)
    assert "It did not start in time" in str(end)
    assert "charge again" in str(end)


def test_a_job_that_never_moves_ends_at_its_deadline_and_is_stopped_there(studio, render):
    studio.held.set()
    studio.stands_still = True
    end = render(studio.engine(deadline_seconds=0.5)).end
    assert end.code == "deadline_exceeded"
    assert "did not end it within the 0.5 seconds" in str(end)
    assert "Studio answered cancelled, and charged 0.5 USD" in str(end)
    assert studio.jobs["job-1"].is_cancelled


def test_an_answer_that_is_not_understood_is_asked_for_again(studio, render):
    studio.instead.put("poll", Canned(200, ["surprise"]), times=3)
    assert isinstance(render(studio.engine()).end, Artifact)


def test_a_status_that_no_table_knows_counts_as_running_and_is_logged_once(studio, render, caplog):
    studio.state = "warming_up"
    with caplog.at_level(logging.WARNING):
        assert isinstance(render(studio.engine()).end, Artifact)
        assert isinstance(render(studio.engine()).end, Artifact)
    assert caplog.text.count("the status 'warming_up'") == 1


@pytest.mark.parametrize("answer", [WRONG_KEY, error(402, "payment", "Balance: 0 USD.")])
def test_a_key_that_is_revoked_while_it_runs_loses_no_job(studio, render, answer):
    studio.instead.put("poll", Canned(200, {"status": "running", "total": 4}), times=1)
    studio.instead.put("poll", answer)
    ctx = render(studio.engine())
    assert isinstance(ctx.end, NeedsAttention)
    assert (ctx.end.provider_id, ctx.end.look_at) == ("job-1", "https://studio.example/jobs")
    studio.instead.clear()
    again = render(studio.engine(), checkpoint=ctx.saved[-1] | {"look": True})
    assert isinstance(again.end, Artifact)
    assert studio.served.posts() == 1


def test_a_job_that_the_provider_forgot_is_for_a_person(studio, render):
    studio.instead.put("poll", Canned(200, {"status": "running", "total": 4}), times=1)
    studio.instead.put("poll", GONE)
    end = render(studio.engine()).end
    assert isinstance(end, NeedsAttention)
    assert "Studio does not know job job-1 any more" in str(end)
    assert end.provider_id == "job-1"


def test_a_job_that_is_not_found_for_a_moment_goes_on(studio, render):
    studio.instead.put("poll", GONE, times=2)
    assert isinstance(render(studio.engine(forgotten_seconds=30)).end, Artifact)


# Results


def test_a_result_that_is_not_there_at_once_is_waited_for(studio, render):
    studio.instead.put("file", GONE, times=3)
    assert isinstance(render(studio.engine(forgotten_seconds=30)).end, Artifact)


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (GONE, "result_gone", "HTTP 404"),
        (Canned(403, "<html>Request has expired</html>"), "result_gone", "may have expired"),
        (Canned(410), "result_gone", "HTTP 410"),
        (HTML_PAGE, "bad_result", "text/html"),
        (Canned(200, b"<!DOCTYPE html><p>Sign in"), "bad_result", "a page or a text"),
        (Canned(200, {"error": "soon"}), "bad_result", "application/json"),
        (Canned(200, b""), "bad_result", "0 of some bytes"),
    ],
)
def test_a_result_that_is_none_fails_with_why(studio, render, answer, code, words):
    studio.instead.put("file", answer)
    ctx = render(studio.engine())
    assert ctx.end.code == code
    assert words in str(ctx.end)
    assert "charge again" in str(ctx.end)
    assert not list(ctx.workdir.glob("*result*")), "no part of it is left"
    asked = [request.path for request in studio.served.asked("GET")]
    assert "/jobs/job-1" in asked[asked.index("/files/job-1.mp4") :], "its address is asked for once more"


def test_a_result_that_is_cut_off_is_fetched_again(studio, render):
    studio.truncates = True
    ctx = render(studio.engine(download_seconds=0.3))
    assert isinstance(ctx.end, NeedsAttention), ctx.end
    assert ctx.end.provider_id == "job-1"
    assert len(studio.served.asked("GET", "/files/")) > 1
    assert not (ctx.workdir / "result.mp4").exists()
    studio.truncates = False
    again = render(studio.engine(download_seconds=0.3), checkpoint=ctx.saved[-1] | {"look": True})
    assert probe(again.end.path).num_frames == 8


def test_a_result_that_is_too_large_is_not_fetched(studio, render):
    studio.instead.put("file", Canned(200, bytes(3 << 20)))
    end = render(studio.engine(max_result_mb=2)).end
    assert end.code == "bad_result"
    assert "more than the 2 MiB of `max_result_mb`" in str(end)


def test_a_server_of_results_that_fails_for_long_loses_none(studio, render):
    studio.instead.put("file", STORM)
    end = render(studio.engine(download_seconds=0.2)).end
    assert isinstance(end, NeedsAttention)


# Streams and clocks


def test_a_stream_is_read_and_the_job_is_polled_no_more(studio, render):
    ctx = render(studio.engine("watched"))
    assert isinstance(ctx.end, Artifact)
    assert len(studio.served.asked("GET", "/jobs/job-1/events")) == 1
    assert [request.path for request in studio.served.asked("GET")].count("/jobs/job-1") == 1, "once, at first"
    assert max(ctx.steps) > 1


def test_a_stream_that_breaks_is_replaced_by_polls(studio, render):
    studio.streams = False
    assert isinstance(render(studio.engine("watched")).end, Artifact)
    assert len(studio.served.asked("GET", "/jobs/job-1/events")) <= 5


def test_a_stream_that_stays_open_and_says_nothing_is_helped_by_polls(studio, render):
    studio.streams = "silent"
    ctx = render(studio.engine("watched"))
    assert isinstance(ctx.end, Artifact)
    assert len(studio.served.asked("GET", "/jobs/job-1/events")) == 1


@pytest.mark.parametrize("days", [-3, 3])
def test_a_clock_that_was_set_since_gives_no_job_up_before_it_was_asked(studio, render, days):
    sent = {"id": "job-1", "urls": {"job": f"{studio.served.url}/jobs/job-1"}, "cost": None}
    first = render(studio.engine())
    stored = first.saved[-1]["job"] | {"sentAt": (datetime.now(UTC) + timedelta(days=days)).isoformat()}
    again = render(studio.engine(), checkpoint={"job": stored, "step": 0})
    assert stored["sent"]["id"] == sent["id"]
    assert isinstance(again.end, Artifact), again.end


@pytest.mark.parametrize("date", ["Tue, 01 Jan 2019 00:00:00 GMT", "Thu, 01 Jan 2099 00:00:00 GMT"])
def test_a_date_of_the_provider_is_compared_with_its_own_clock(studio, render, date):
    answer = error(429, "", "Slow down.", **{"retry-after": date, "date": date})
    studio.instead.put("poll", answer, times=3)
    assert isinstance(render(studio.engine()).end, Artifact)
