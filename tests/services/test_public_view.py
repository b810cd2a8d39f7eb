"""What visitors are told of a generation."""

import json

import pytest

from tests.support.rows import generation_row, project_row
from videogen.core.i18n import catalog
from videogen.db.database import StoredEvent
from videogen.schemas.status import Status
from videogen.services.public_view import event_bytes, note, say, shown, title
from videogen.store.events import snapshot

PRIVATE = ("generationId", "projectId", "requestId", "fileId", "posterFileId", "previewFileId", "inputFileId")


def row(**values):
    return generation_row(project_row("ses_a"), **values)


def told(row, kind):
    data = snapshot(row)
    head, _, rest = event_bytes(StoredEvent(7, "ses_a", "prj_a", row.id, kind, data)).decode().partition("data: ")
    assert head == f"event: {kind}\nid: 7\n"
    return json.loads(rest)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("render_progress", {"status": Status.PROCESSING, "preview_file_id": "fil_p", "preview_version": 3}),
        ("render_result", {"status": Status.COMPLETED, "file_id": "fil_v", "poster_file_id": "fil_i"}),
        ("error", {"status": Status.FAILED, "error_code": "no_film", "error_message": "there is none"}),
    ],
)
def test_no_event_carries_an_id(kind, values):
    found = told(row(**values), kind)
    assert not set(found) & set(PRIVATE)
    assert "fil_" not in json.dumps(found)


@pytest.mark.parametrize(("kind", "link"), [("video", "video.mp4"), ("image", "image.png")])
def test_the_result_is_where_its_type_says(kind, link):
    finished = row(type=kind, status=Status.COMPLETED, file_id="fil_v")
    assert told(finished, "render_result")["url"] == shown(finished).result_url == link
    assert told(finished, "render_result")["posterUrl"] is None


def said(**values):
    return say(note(snapshot(row(**values))), catalog("en"))


def test_notes_say_what_happens():
    assert said(queue_position=1) == "Next in line"
    assert said(queue_position=4, expected_wait_seconds=31.6) == "4 in line · Starts in about 32 s"
    rendering = {"status": Status.PROCESSING, "stage": "rendering", "step": 3, "total_steps": 9, "eta_seconds": 4.4}
    assert said(**rendering) == "3 / 9 · 4 s left"
    loading = {"status": Status.PROCESSING, "stage": "loading_model", "estimated": True, "eta_seconds": 0.2}
    assert said(**loading) == "Loading model · About 1 s left"
    assert "stopped" in said(status=Status.CANCELLED)


def test_a_title_is_one_short_line():
    assert title(row(title="mine", prompt="x")) == "mine"
    assert title(row(prompt="a\n\n b\tc")) == "a b c"
    assert len(title(row(prompt="word " * 100))) <= 80
