"""Several shots in one prompt: one video, in which each shot goes on from the end of the one before."""

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from tests.api.test_extend import pictures
from tests.support.pictures import encoded

THREE = "an ocean at sunset, pan right\n\n \n\nan ocean at sunset, pan right\n\na desert at noon"
SECONDS = {"durationSeconds": 3.0, "seed": 7}


def finished(session, engine="procedural", prompt=THREE, **options):
    """A completed generation of several shots, and the events of its render."""
    made = session.submit(engine, **{"prompt": prompt, "settings": SECONDS} | options)
    events = [frame.data for frame in session.follow(made["id"])]
    item = session.read(made["id"])
    assert item["status"] == "completed", item["error"]
    return item, events


def joins(item):
    return [(shot["startSeconds"], shot["durationSeconds"], shot["join"]) for shot in item["shots"]]


def test_three_shots_are_one_video_and_the_motion_goes_on(session):
    item, events = finished(session)
    assert (item["prompt"], item["durationSeconds"]) == (THREE.replace("\n\n \n\n", "\n\n"), 3.0)
    assert item["settings"]["durationSeconds"] == 3.0
    assert [shot["prompt"] for shot in item["shots"]] == [part for part in THREE.split("\n\n") if part.strip()]
    assert joins(item) == [(0.0, 1.0, "start"), (1.0, 1.0, "motion"), (2.0, 1.0, "motion")]
    assert [shot["seed"] for shot in item["shots"]] == [7] * 3
    drawn = [{part["became"] for part in shot["understanding"]["understood"]} for shot in item["shots"]]
    assert [{"ocean", "desert"} & words for words in drawn] == [{"ocean"}, {"ocean"}, {"desert"}]
    assert {"ocean", "desert"} <= {part["became"] for part in item["understanding"]["understood"]}

    frames = pictures(session, item)
    assert len(frames) == 24
    steps = [np.abs(a - b).mean() for a, b in pairwise(frames)]
    join = steps.pop(7)
    assert join <= 1.5 * np.median(steps[2:12])
    # The third shot shows something else, into which the second one fades.
    assert steps[14] < np.abs(frames[-1] - frames[15]).mean() / 3

    told = [event for event in events if "progress" in event and event["status"] == "processing"]
    progress = [event["progress"] for event in told]
    assert progress == sorted(progress)
    assert max(progress) <= 100
    texts = {event["message"].partition(":")[0] for event in told if event["stage"] == "rendering"}
    assert {f"Shot {number} of 3" for number in (1, 2, 3)} <= texts


def test_an_engine_that_takes_images_goes_on_from_the_exact_last_frame(session):
    image = session.upload(encoded())["id"]
    item, _ = finished(session, "looks", "first\n\nsecond", inputFileId=image)
    assert joins(item) == [(0.0, 1.5, "start"), (1.5, 1.5, "picture")]
    means = [frame.mean((0, 1)) for frame in pictures(session, item)]
    # The engine begins with the mean colour of its image, which it makes brighter from frame to frame.
    assert np.abs(means[12].round() - means[11].round()).max() <= 1
    assert means[11].mean() > means[0].mean() + 15


def test_only_the_last_shot_ends_with_the_last_frame(session):
    first, last = (session.upload(encoded(Image.new("RGB", (64, 64), colour)))["id"] for colour in ("navy", "orange"))
    item, _ = finished(session, "looks", "first\n\nsecond", inputFileId=first, lastFrameFileId=last)
    frames = [frame.mean((0, 1)) for frame in pictures(session, item)]
    blue = [frame[2] > frame[0] for frame in frames]
    assert blue[:12] == [True] * 12
    assert not blue[-1]


LENGTH = "settings.durationSeconds"


@pytest.mark.parametrize(
    ("engine", "prompt", "settings", "field", "words"),
    [
        ("bars", "a\n\nb", SECONDS, "prompt", "bars takes no image"),
        ("procedural", "a boat\n\n...\n\na cat", SECONDS, "prompt", "shot 2"),
        ("procedural", "a\n\nb\n\nc", {"durationSeconds": 1.0}, LENGTH, "1.5 to 10 seconds"),
        ("procedural", "a\n\nb", {"durationSeconds": 11}, LENGTH, "at most 10 seconds"),
        ("procedural", "a\n\nb", {"durationSeconds": "x"}, LENGTH, "a number"),
        ("procedural", "a\n\nb", SECONDS | {"fps": 0}, "settings.fps", "at least 1"),
    ],
)
def test_what_cannot_be_made_is_refused_with_one_line_and_nothing_is_stored(
    session, engine, prompt, settings, field, words
):
    answer = session.try_submit(engine, prompt=prompt, settings=settings)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), answer.text
    assert words in answer.json()["detail"]
    assert "\n" not in answer.json()["detail"]
    assert session.get("/generations").json()["items"] == []


def test_blank_lines_are_white_space_for_an_image(session):
    item = session.finish(session.submit("procedural", type="image", prompt="a boat\n\non a lake")["id"])
    assert (item["status"], item["shots"]) == ("completed", [])
    assert {"boat", "lake"} <= {part["became"].partition(";")[0] for part in item["understanding"]["understood"]}


def test_the_length_is_divided_in_whole_frames(session):
    item, _ = finished(session, "looks", "a\n\nb\n\nc", settings={"durationSeconds": 2.5, "fps": 8})
    assert [shot["durationSeconds"] * 8 for shot in item["shots"]] == [7, 6, 7]
    assert len(pictures(session, item)) == 20


def test_shots_can_be_extended_by_shots(session):
    old, _ = finished(session, "looks", "a\n\nb", settings={"durationSeconds": 1.0})
    body = {"extend": old["id"], "settings": {"durationSeconds": 2.0}}
    item = session.finish(session.post("/generations", json=body).json()["generations"][0]["id"])
    assert [(shot["prompt"], shot["kept"]) for shot in item["shots"]] == [("a", True), ("b", True), ("b", False)]
    more = session.post(
        "/generations", json={"extend": old["id"], "prompt": "c\n\nd", "settings": {"durationSeconds": 2}}
    )
    item = session.finish(more.json()["generations"][0]["id"])
    assert [shot["prompt"] for shot in item["shots"]] == list("abcd")
    assert item["durationSeconds"] == 2.0
    short = session.post(
        "/generations", json={"extend": old["id"], "prompt": "c\n\nd", "settings": {"durationSeconds": 1.5}}
    )
    assert "2 to 10 seconds" in short.json()["detail"]


def test_explain_says_what_each_shot_shows(session):
    body = {"prompt": "an ocean\n\na desert", "settings": {"durationSeconds": 2}}
    told = session.post("/engines/procedural/explain", json=body).json()
    assert [shot["understanding"]["understood"][0]["became"] for shot in told["shots"]] == ["ocean", "desert"]
    assert [part["became"] for part in told["understanding"]["understood"]] == ["ocean", "desert"]
    assert [shot["startSeconds"] for shot in told["shots"]] == [0, 1]
