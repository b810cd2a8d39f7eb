"""`POST /engines/{id}/explain`: what would be made of a request, before anything is rendered."""

import pytest

from tests.support.api import API, TINY
from tests.support.pictures import encoded

SIZE = {"width": 426, "height": 240, "durationSeconds": 1, "fps": 8}


def test_it_tells_what_is_drawn_what_is_not_and_the_size_and_stores_nothing(session):
    body = {"type": "video", "prompt": "Will Smith eating spaghetti in the rain", "settings": SIZE | {"width": 427}}
    response = session.post("/engines/procedural/explain", json=body)
    assert response.status_code == 200
    assert response.json() == {
        "understanding": {
            "understood": [{"phrase": "rain", "became": "rain", "role": "subject"}],
            "ignored": ["Will Smith", "eating", "spaghetti"],
            "unused": [],
            "notDrawn": ["Will Smith", "spaghetti"],
            "abstract": False,
        },
        "shots": [],
        "expectedSeconds": None,
        "cost": None,
        "width": 426,
        "height": 240,
        "quota": None,
    }
    assert session.get("/generations").json()["items"] == []


def test_the_time_is_that_of_measured_renders_of_the_same_kind(session):
    size = TINY | {"width": 96}
    assert (
        session.post("/engines/bars/explain", json={"prompt": "a", "settings": size}).json()["expectedSeconds"] is None
    )
    session.finish(session.submit("bars", settings=size)["id"])
    explanation = session.post("/engines/bars/explain", json={"prompt": "b", "settings": size}).json()
    assert explanation["expectedSeconds"] > 0
    assert explanation["understanding"] is None


def test_an_image_of_the_session_counts(session, session_of):
    file_id = session.upload(encoded())["id"]
    body = {"prompt": "a cat in the rain", "inputFileId": file_id}
    explanation = session.post("/engines/procedural/explain", json=body).json()
    assert explanation["understanding"]["notDrawn"] == ["cat"]
    assert session_of().post("/engines/procedural/explain", json=body).json()["code"] == "invalid_request"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"prompt": ""}, "prompt"),
        ({"prompt": "x" * 2001}, "prompt"),
        ({"prompt": "a", "settings": {"width": 1}}, "settings.width"),
        ({"prompt": "a", "type": "sound"}, "type"),
        ({"prompt": "a", "variations": 2}, "variations"),
        ({}, "prompt"),
    ],
)
def test_what_is_wrong_is_refused_as_in_a_submit(session, body, field):
    response = session.post("/engines/procedural/explain", json=body)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    assert response.json()["errors"][0]["field"] == field


def test_an_unknown_engine_and_a_call_without_a_session_are_refused(session, http):
    assert session.post("/engines/nothing/explain", json={"prompt": "a"}).status_code == 404
    assert http.post(f"{API}/engines/procedural/explain", json={"prompt": "a"}).json()["code"] == "session_required"
