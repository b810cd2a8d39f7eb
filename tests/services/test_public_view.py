"""What visitors of a public link see of a generation."""

import json
import re

import pytest

from tests.support.rows import generation_row, project_row
from videogen.core.i18n import catalog
from videogen.schemas.status import ENGINE_UNAVAILABLE, Status
from videogen.services.public_view import note_text, public_event, public_generation, status_note, title
from videogen.store.attention import GIVEN_UP
from videogen.store.events import snapshot

PRIVATE = (
    "generationId",
    "projectId",
    "requestId",
    "fileId",
    "posterFileId",
    "previewFileId",
    "inputFileId",
    "lastFrameFileId",
)


def row(**values):
    return generation_row(project_row("ses_a"), **values)


def visible(row):
    return json.loads(json.dumps(public_event(snapshot(row))))


@pytest.mark.parametrize(
    "values",
    [
        {"status": Status.PROCESSING, "preview_file_id": "fil_p", "preview_version": 3},
        {"status": Status.COMPLETED, "file_id": "fil_v", "poster_file_id": "fil_i", "size_bytes": 1},
        {"status": Status.FAILED, "error_code": "no_film", "error_message": "there is none"},
    ],
)
def test_no_public_event_has_an_id(values):
    data = visible(row(**values))
    assert not set(data) & set(PRIVATE)
    assert not {"fil_", "gen_", "prj_", "req_", "ses_"} & set(re.findall(r"[a-z]{3}_", json.dumps(data)))


@pytest.mark.parametrize(("kind", "link"), [("video", "video.mp4"), ("image", "image.png")])
def test_the_link_to_the_result_follows_from_its_type(kind, link):
    finished = row(type=kind, status=Status.COMPLETED, file_id="fil_v", size_bytes=1)
    assert visible(finished)["url"] == public_generation(finished).result_url == link
    assert visible(finished)["posterUrl"] is None


def note(**values):
    return note_text(status_note(snapshot(row(**values))), catalog("en"))


def test_visitors_do_not_hear_what_the_operator_has_to_mend():
    waiting = row(stage=ENGINE_UNAVAILABLE, message="There is no folder secret-model.", queue_position=1)
    assert "secret" not in json.dumps(visible(waiting))
    assert visible(waiting)["note"] == "Waiting for a renderer"


def test_a_note_describes_the_state():
    assert note(queue_position=1) == "Next in line"
    assert note(queue_position=4, expected_wait_seconds=31.6) == "Number 4 in line · Starts in about 32 s"
    rendering = {"status": Status.PROCESSING, "stage": "rendering", "step": 3, "total_steps": 9, "eta_seconds": 4.4}
    assert note(**rendering) == "3 / 9 · 4 s left"
    loading = {"status": Status.PROCESSING, "stage": "loading_model", "estimated": True, "eta_seconds": 0.2}
    assert note(**loading) == "Loading model · About 1 s left"
    assert "stopped" in note(status=Status.CANCELLED)


def test_nobody_else_sees_what_a_job_at_a_service_costs_or_where_it_is():
    known = {"sent_at": "2026-11-28T12:30:00Z", "provider_id": "job-7", "look_at": "https://service.example/job-7"}
    parked = {
        "status": Status.PROCESSING,
        "stage": "needs_attention",
        "message": "The service does not know job-7.",
        "attention": known,
        "cost": {"amount": 0.25, "currency": "USD", "estimated": True},
    }
    failed = parked | {"status": Status.FAILED, "stage": "failed"}
    ended = failed | {"error_code": GIVEN_UP.code, "error_message": GIVEN_UP.message}
    broke = failed | {"error_code": "no_credit", "error_message": "The account at the service has 0.25 USD."}
    stopped = failed | {
        "status": Status.CANCELLED,
        "error_code": "cancelled",
        "error_message": "The service may bill it.",
    }
    for values, label, shown in (
        (parked, "Waiting", "It waits for whoever made it."),
        (ended, "Failed", "It ended without a result."),
        (broke, "Failed", "It ended without a result."),
        (stopped, "Cancelled", "Whoever started it has stopped it."),
    ):
        assert (visible(row(**values))["label"], note(**values)) == (label, shown)
        seen = json.dumps([visible(row(**values)), vars_of(public_generation(row(**values)))], default=str)
        for secret in ("job-7", "service", "12:30", "USD", "0.25", "attention", "bill"):
            assert secret not in seen, secret


def vars_of(shown):
    return {name: getattr(shown, name) for name in shown.__slots__}


def test_a_title_is_one_short_line():
    assert title(row(title="mine", prompt="x")) == "mine"
    assert title(row(prompt="a\n\n b\tc")) == "a b c"
    assert len(title(row(prompt="word " * 100))) <= 80
