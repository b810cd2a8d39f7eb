from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from videogen.schemas.events import RECORDS, RenderError, RenderProgress, RenderResult, decode, is_terminal

COMMON = {
    "generationId": "gen_a",
    "projectId": "prj_a",
    "requestId": "req_a",
    "status": "processing",
    "progress": 12.5,
    "attempt": 1,
    "at": "2026-01-02T03:04:05.678Z",
}
RESULT = COMMON | {
    "status": "completed",
    "progress": 100,
    "fileId": "fil_a",
    "videoUrl": "/media/fil_a",
    "imageUrl": None,
    "posterUrl": None,
    "width": 64,
    "height": 64,
    "durationSeconds": 0.5,
    "fps": 8,
    "hasAudio": True,
    "sizeBytes": 10,
}


def test_progress_is_decoded_with_its_id_and_its_time():
    event = decode("render_progress", 7, COMMON | {"stage": "rendering", "step": 3, "totalSteps": 24})
    assert isinstance(event, RenderProgress)
    assert (event.id, event.step, event.total_steps, event.progress) == (7, 3, 24, 12.5)
    assert event.at == datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)


def test_a_result_is_decoded():
    event = decode("render_result", 8, RESULT)
    assert isinstance(event, RenderResult)
    assert (event.file_id, event.size_bytes) == ("fil_a", 10)


def test_an_error_is_decoded():
    error = {"code": "cancelled", "message": "Cancelled.", "retryable": True}
    event = decode("error", 9, COMMON | {"status": "cancelled"} | error)
    assert isinstance(event, RenderError)
    assert (event.code, event.retryable) == ("cancelled", True)


def test_id_and_type_never_come_from_the_data():
    event = decode("render_progress", 7, COMMON | {"id": 1000, "type": "render_result"})
    assert (event.id, event.type) == (7, "render_progress")


@pytest.mark.parametrize(
    ("event_type", "data"),
    [
        ("render_started", COMMON),
        ("render_progress", {}),
        ("render_progress", COMMON | {"progress": 101}),
        ("render_progress", COMMON | {"progress": -1}),
        ("render_progress", COMMON | {"status": "finished"}),
        ("render_result", COMMON),
        ("error", COMMON),
    ],
)
def test_an_event_outside_the_contract_is_refused(event_type, data):
    with pytest.raises(ValidationError):
        decode(event_type, 1, data)


def test_the_data_of_an_event_is_camel_case_without_id_and_type():
    data = decode("render_result", 8, RESULT).model_dump(mode="json", by_alias=True)
    assert data.keys() == RESULT.keys() | {"cost"}


def test_events_are_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        decode("render_progress", 7, COMMON).progress = 50


def test_every_event_type_but_progress_is_terminal():
    assert [is_terminal(name) for name in ("render_progress", "render_result", "error")] == [False, True, True]


PROGRESS = {
    "stage": "rendering",
    "step": 3,
    "totalSteps": 24,
    "message": "two\nlines",
    "queuePosition": None,
    "expectedWaitSeconds": None,
    "etaSeconds": 4.2,
    "estimated": True,
    "previewFileId": "fil_p",
    "previewVersion": 2,
}
FILE = {"width": 64, "height": 64, "durationSeconds": 0.5, "fps": 8, "sizeBytes": 10}
STORED_BY_0_1_0 = [
    ("render_progress", COMMON | PROGRESS),
    (
        "render_result",
        COMMON | FILE | {"status": "completed", "type": "image", "fileId": "fil_a", "posterFileId": None},
    ),
    ("error", COMMON | {"status": "failed", "code": "busy", "message": "Try later.", "retryable": True}),
]


@pytest.mark.parametrize(("event_type", "data"), STORED_BY_0_1_0)
def test_a_stored_event_of_0_1_0_is_read_and_keeps_what_it_has(event_type, data):
    written = RECORDS[event_type].model_validate(data).model_dump(mode="json", by_alias=True)
    # What a later version has added is empty where it was not stored.
    added = {
        "render_progress": {"recipeHash": "", "attention": None, "cost": None},
        "render_result": {"hasAudio": False, "cost": None},
        "error": {"cost": None},
    }
    assert written == data | added[event_type]


def test_a_stored_result_without_a_type_is_a_video():
    _, data = STORED_BY_0_1_0[1]
    older = {key: value for key, value in data.items() if key != "type"}
    assert RECORDS["render_result"].model_validate(older).type == "video"


def test_a_stored_event_with_null_in_a_required_field_is_read():
    _, data = STORED_BY_0_1_0[2]
    error = RECORDS["error"].model_validate(data | {"code": None, "message": None})
    assert (error.code, error.message) == ("", "")
    _, data = STORED_BY_0_1_0[1]
    record = RECORDS["render_result"].model_validate(data | {"fileId": None, "sizeBytes": None})
    assert (record.file_id, record.size_bytes) == ("", 0)
