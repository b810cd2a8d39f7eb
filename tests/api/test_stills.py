"""`type: image`: stills, and videos that start from them."""

import io
import json

import pytest
from PIL import Image

from tests.support.pictures import colour_at


@pytest.fixture(scope="module")
def still(finished):
    """A finished still, with its events."""
    session = finished.session
    made = session.submit("looks", type="image", prompt="a blue wall", settings={"seed": 7, "width": 80})
    events = session.follow(made["id"])
    return made, session.read(made["id"]), events


def test_a_still_has_no_duration_and_no_frame_rate(still):
    made, ended, _ = still
    for generation in (made, ended):
        assert (generation["type"], generation["durationSeconds"], generation["fps"]) == ("image", 0, 0)
        assert (generation["width"], generation["height"]) == (80, 64)
        assert generation["settings"] == {"width": 80, "height": 64, "seed": 7}
    assert (ended["status"], ended["progress"], ended["videoUrl"]) == ("completed", 100, None)


def test_a_still_is_a_png_with_its_recipe(still, finished):
    _, ended, _ = still
    response = finished.session.http.get(ended["imageUrl"])
    assert (response.status_code, response.headers["content-type"]) == (200, "image/png")
    assert 'filename="a-blue-wall.png"' in response.headers["content-disposition"]
    assert int(response.headers["content-length"]) == ended["sizeBytes"]
    with Image.open(io.BytesIO(response.content)) as image:
        image.load()
        assert image.size == (80, 64)
        assert image.text["Title"] == "a blue wall"
        recipe = json.loads(image.text["Comment"])
    assert (recipe["prompt"], recipe["seed"], recipe["type"], recipe["engine"]) == ("a blue wall", 7, "image", "looks")
    assert "inputPath" not in recipe


def test_a_still_has_a_preview_a_poster_and_events_like_a_video(still, finished):
    _, ended, events = still
    assert [event.event for event in events[-1:]] == ["render_result"]
    assert {event.event for event in events[:-1]} <= {"render_progress"}
    result = events[-1].data
    assert (result["videoUrl"], result["durationSeconds"], result["fps"]) == (None, 0, 0)
    assert (result["fileId"], result["sizeBytes"]) == (ended["fileId"], ended["sizeBytes"])
    assert finished.session.http.get(result["imageUrl"]).headers["content-type"] == "image/png"
    poster = finished.session.http.get(ended["posterUrl"])
    assert poster.headers["content-type"] == "image/jpeg"
    assert colour_at(poster.content, 0.5, 0.5) == "blue"


def test_the_recipe_hash_of_a_still_does_not_depend_on_the_duration(session):
    hashes = {
        session.submit("looks", type="image", settings={"seed": 7, "durationSeconds": seconds})["recipeHash"]
        for seconds in (1, 2)
    }
    assert len(hashes) == 1
    assert session.submit("looks", settings={"seed": 7})["recipeHash"] not in hashes


def test_an_engine_without_stills_rejects_the_type_image(session):
    response = session.try_submit("bars", type="image")
    assert response.status_code == 422
    assert response.json()["errors"] == [
        {"field": "type", "expected": "video, which is what bars makes", "got": "'image'"}
    ]


def test_stills_and_videos_are_listed_by_type(session):
    image, video = session.submit("looks", type="image"), session.submit("looks")
    for kind, made in (("image", image), ("video", video)):
        items = session.get("/generations", params={"type": kind}).json()["items"]
        assert [item["id"] for item in items] == [made["id"]]


def test_a_finished_still_can_start_a_video_without_an_upload(session):
    still = session.finish(session.submit("looks", type="image", settings={"seed": 7})["id"])
    shown = session.get(f"/files/{still['fileId']}").json()
    assert (shown["id"], shown["contentType"], shown["width"]) == (still["fileId"], "image/png", 64)
    made = session.submit("looks", inputFileId=still["fileId"])
    again = session.submit("looks", inputFileId=still["fileId"])
    assert made["inputFileId"] == again["inputFileId"], "one copy is enough"
    ended = session.finish(made["id"])
    assert colour_at(session.http.get(ended["posterUrl"]).content, 0.5, 0.5) == "blue"
    # The video has its own copy, so the still can be deleted.
    session.finish(again["id"])
    assert session.delete(f"/generations/{still['id']}").status_code == 204
    assert session.finish(session.post(f"/generations/{made['id']}/retry").json()["id"])["status"] == "completed"
    assert session.try_submit("looks", inputFileId=still["fileId"]).status_code == 422


def test_a_video_or_a_still_of_another_session_is_no_valid_input(session, session_of):
    video = session.finish(session.submit("looks")["id"])
    other = session_of()
    theirs = other.finish(other.submit("looks", type="image")["id"])
    running = session.submit("until-cancelled")
    session.wait_rendering(running["id"])
    for file_id in (video["fileId"], theirs["fileId"], theirs["id"]):
        response = session.try_submit("looks", inputFileId=file_id)
        assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "inputFileId")
        assert session.get(f"/files/{file_id}").status_code == 404


def test_a_repeated_submit_returns_the_same_project_after_its_still_was_deleted(session):
    still = session.finish(session.submit("looks", type="image")["id"])
    key = {"Idempotency-Key": "animate"}
    first = session.try_submit("looks", headers=key, inputFileId=still["fileId"], variations=2)
    assert session.delete(f"/generations/{still['id']}").status_code == 204
    again = session.try_submit("looks", headers=key, inputFileId=still["fileId"], variations=2)
    assert (first.status_code, again.status_code) == (201, 200)
    ids = [[item["id"] for item in answer.json()["generations"]] for answer in (first, again)]
    assert ids[0] == ids[1]
    conflict = session.try_submit("looks", headers=key, inputFileId=still["fileId"], variations=3)
    assert conflict.json()["code"] == "idempotency_conflict"
