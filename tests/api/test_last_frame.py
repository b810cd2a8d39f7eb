"""`lastFrameFileId`: the image that a video ends with, beside the one that it starts from."""

import io

import av
import pytest
from PIL import Image

from tests.support.api import Session
from tests.support.pictures import encoded
from videogen.schemas.generations import GenerationCreate
from videogen.services.submission import request_body

RED, BLUE = ((220, 20, 20), (20, 20, 220))


@pytest.fixture
def images(session: Session) -> dict[str, str]:
    """A red image to start from and a blue one to end with, as fields of a request."""
    ids = [session.upload(encoded(Image.new("RGB", (32, 32), colour)))["id"] for colour in (RED, BLUE)]
    return {"inputFileId": ids[0], "lastFrameFileId": ids[1]}


def main_colour(session: Session, made: dict[str, str], position: int) -> str:
    """The strongest colour of one frame of a result."""
    with av.open(io.BytesIO(session.http.get(made["videoUrl"]).content)) as video:
        frames = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
    return ("red", "green", "blue")[int(frames[position].mean((0, 1)).argmax())]


def test_a_video_goes_from_one_image_to_the_other_and_so_does_its_retry(session, images):
    made = session.submit("looks", settings={"seed": 7}, **images)
    assert made.items() >= images.items()
    ended = session.finish(made["id"])
    assert ended["status"] == "completed", ended
    assert [main_colour(session, ended, position) for position in (0, -1)] == ["red", "blue"]
    again = session.post(f"/generations/{made['id']}/retry").json()
    assert (again["lastFrameFileId"], again["recipeHash"]) == (images["lastFrameFileId"], made["recipeHash"])
    assert session.finish(again["id"])["status"] == "completed"
    first_only = session.submit("looks", settings={"seed": 7}, inputFileId=images["inputFileId"])
    assert first_only["recipeHash"] != made["recipeHash"]


def test_a_finished_still_can_be_the_last_frame_and_a_file_in_use_stays(session, images):
    still = session.finish(session.submit("looks", type="image", settings={"seed": 7})["id"])
    made = session.submit("looks", **images | {"lastFrameFileId": still["fileId"]})
    assert session.delete(f"/files/{made['lastFrameFileId']}").json()["code"] == "file_in_use"
    # The video has its own copy.
    session.finish(made["id"])
    assert session.delete(f"/generations/{still['id']}").status_code == 204
    assert session.finish(session.post(f"/generations/{made['id']}/retry").json()["id"])["status"] == "completed"


def test_what_is_changed_while_it_waits_keeps_both_images(session, images):
    session.post("/queue/pause")
    made = session.submit("looks", settings={"seed": 7}, **images)
    changed = session.patch(f"/generations/{made['id']}", json={"prompt": "another"}).json()
    assert changed.items() >= images.items()
    assert (
        changed["recipeHash"] == session.submit("looks", prompt="another", settings={"seed": 7}, **images)["recipeHash"]
    )
    session.post("/queue/resume")


@pytest.mark.on_disk
def test_an_image_that_is_gone_fails_the_generation_with_its_code(session, app, images):
    session.post("/queue/pause")
    made = session.submit("looks", **images)
    (stored,) = (app.data_dir / "files" / "uploads").glob(f"{images['lastFrameFileId']}.*")
    stored.unlink()
    session.post("/queue/resume")
    assert session.finish(made["id"])["error"]["code"] == "input_missing"


def test_the_file_of_a_video_brings_back_both_images(session, images):
    made = session.finish(session.submit("looks", settings={"seed": 7}, **images)["id"])
    data = session.http.get(made["videoUrl"]).content
    found = session.post("/files/settings", files={"file": ("made.mp4", data)}).json()
    assert (found["hadImage"], found["hadLastFrame"], found["warnings"]) == (True, True, [])
    again = session.post("/generations", json=found["request"]).json()["generations"][0]
    assert again["recipeHash"] == made["recipeHash"]


def test_an_idempotency_key_stands_for_both_images(session, images):
    key = {"Idempotency-Key": "both"}
    first, again = (session.try_submit("looks", headers=key, **images) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    other = session.try_submit("looks", headers=key, inputFileId=images["inputFileId"])
    assert other.json()["code"] == "idempotency_conflict"


def test_a_request_without_a_last_frame_is_the_same_to_an_idempotency_key_as_before_there_were_any():
    request = GenerationCreate(prompt="p", input_file_id="fil_a")
    assert b"last_frame" not in request_body(request)
    assert b'"last_frame_file_id":"fil_b"' in request_body(request.model_copy(update={"last_frame_file_id": "fil_b"}))


def test_explain_takes_both_images_and_refuses_as_a_submit_does(session, images):
    body = {"prompt": "a slow pan", **images}
    assert session.post("/engines/looks/explain", json=body).status_code == 200
    refused = session.post("/engines/bars/explain", json={"prompt": "a", "lastFrameFileId": images["lastFrameFileId"]})
    assert refused.json()["errors"][0]["field"] == "lastFrameFileId"


@pytest.mark.parametrize(
    ("engine", "options", "field", "expected"),
    [
        ("bars", {}, "lastFrameFileId", "left out, since bars takes no last frame"),
        ("looks", {}, "inputFileId",
         "an image for the first frame, since looks takes a last frame only beside a first one"),
        ("looks", {"type": "image"}, "lastFrameFileId", "left out, since only a video has a last frame"),
        ("looks", {"inputFileId": "first", "lastFrameFileId": "fil_unknown"}, "lastFrameFileId",
         "the id of an image of this session"),
    ],
)  # fmt: skip
def test_a_last_frame_that_an_engine_cannot_take_is_refused(session, images, engine, options, field, expected):
    given = {"lastFrameFileId": images["lastFrameFileId"]} | options
    if "inputFileId" in given:
        given["inputFileId"] = images["inputFileId"]
    response = session.try_submit(engine, **given)
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert (error["field"], error["expected"]) == (field, expected)
    assert session.get("/generations").json()["items"] == []


def test_the_last_frame_of_another_session_is_refused_like_an_unknown_one(session_of, images):
    other = session_of()
    own = other.upload(encoded())["id"]
    response = other.try_submit("looks", inputFileId=own, lastFrameFileId=images["lastFrameFileId"])
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "lastFrameFileId")
