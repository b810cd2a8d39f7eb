"""Several shots in one prompt: one video, in which each shot goes on from the end of the one before."""

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from tests.api.test_extend import pictures
from tests.support.api import Session
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


def remade(session, old, number, **change):
    """A completed generation in which one shot was made again."""
    answer = session.post(f"/generations/{old['id']}/shots/{number}", json=change)
    assert answer.status_code == 201, answer.text
    item = session.finish(answer.json()["id"])
    assert item["status"] == "completed", item["error"]
    return item


@pytest.fixture(scope="module")
def source(app):
    """A finished video of three shots, with its session: tests only read it."""
    with Session(app.base_url) as session:
        yield session, finished(session, settings=SECONDS | {"durationSeconds": 1.5})[0]


def same(before, after):
    """Which frames of two videos are equal."""
    return [np.array_equal(*pair) for pair in zip(before, after, strict=True)]


def test_a_shot_is_made_again_and_those_after_it_follow(source):
    session, old = source
    new = remade(session, old, 2, prompt="a forest in the snow")
    assert [shot["prompt"] for shot in new["shots"]] == [
        old["shots"][0]["prompt"],
        "a forest in the snow",
        "a desert at noon",
    ]
    assert [(shot["kept"], shot["join"], shot["seed"]) for shot in new["shots"]] == [
        (True, "start", 7),
        (False, "motion", 7),
        (False, "motion", 7),
    ]
    assert (new["extends"], new["prompt"].split("\n\n")[1]) == (None, "a forest in the snow")
    before, after = pictures(session, old), pictures(session, new)
    # Copied, not encoded again; then the new shot fades in, and the third one fades in from it.
    assert same(before, after)[:4] == [True] * 4
    assert not any(same(before, after)[5:9])
    steps = [np.abs(a - b).mean() for a, b in pairwise(after)]
    assert steps[7] < np.abs(after[-1] - after[7]).mean() / 3


def test_followers_stay_as_they_are_after_a_cut_if_that_is_wanted(source):
    session, old = source
    new = remade(session, old, 2, seed=8, followers=False)
    assert [(shot["kept"], shot["join"], shot["seed"]) for shot in new["shots"]] == [
        (True, "start", 7),
        (False, "motion", 8),
        (True, "cut", 7),
    ]
    assert (new["seed"], new["durationSeconds"]) == (old["seed"], old["durationSeconds"])
    equal = same(pictures(session, old), pictures(session, new))
    assert equal[:4] + equal[8:] == [True] * 8
    assert not any(equal[5:8])  # the first one is the fade at its beginning


def test_without_a_change_the_seed_is_another_one_and_the_first_shot_has_its_image_again(session):
    image = session.upload(encoded())["id"]
    old, _ = finished(session, "looks", "first\n\nsecond", inputFileId=image)
    new = remade(session, old, 1)
    assert new["shots"][0]["seed"] != old["shots"][0]["seed"]
    assert [(shot["kept"], shot["join"]) for shot in new["shots"]] == [(False, "start"), (False, "picture")]
    assert new["inputFileId"] == image
    assert all(same(pictures(session, old), pictures(session, new)))  # this engine has no use for a seed


def test_a_shot_that_is_made_again_outlives_its_source_and_goes_on_from_the_exact_frame(session):
    old, _ = finished(session, "looks", "first\n\nsecond\n\nthird", settings={"durationSeconds": 1.5})
    session.post("/queue/pause")
    made = session.post(f"/generations/{old['id']}/shots/2", json={"followers": False}).json()
    assert session.delete(f"/generations/{old['id']}").status_code == 204
    edit = session.patch(f"/generations/{made['id']}", json={"prompt": "something else"})
    assert (edit.status_code, edit.json()["errors"][0]["field"]) == (422, "prompt")
    session.post("/queue/resume")
    new = session.finish(made["id"])
    means = [frame.mean((0, 1)).round() for frame in pictures(session, new)]
    assert np.abs(means[4] - means[3]).max() <= 1
    again = session.finish(session.post(f"/generations/{new['id']}/retry").json()["id"])
    assert (again["status"], again["recipeHash"]) == ("completed", new["recipeHash"])
    # Shots of one that was made again can be made again.
    third = remade(session, again, 3, prompt="another")
    assert [shot["prompt"] for shot in third["shots"]] == ["first", "second", "another"]


def test_what_cannot_be_made_again_is_refused_and_nothing_is_stored(source, session):
    owner, old = source
    whole = owner.finish(owner.submit("looks")["id"])
    before = len(owner.get("/generations").json()["items"])
    cases = [
        (old, 0, {}, "shot", "1 to 3"),
        (old, 4, {}, "shot", "1 to 3"),
        (whole, 1, {}, "shot", "several shots"),
        (old, 1, {"prompt": "..."}, "prompt", "shot 1"),
        (old, 1, {"prompt": "a\n\nb"}, "prompt", "one shot"),
        (old, 1, {"seed": -1}, "seed", ""),
    ]
    for item, number, change, field, words in cases:
        answer = owner.post(f"/generations/{item['id']}/shots/{number}", json=change)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), answer.text
        assert words in answer.json()["detail"]
    assert len(owner.get("/generations").json()["items"]) == before
    foreign = session.post(f"/generations/{old['id']}/shots/1", json={})
    unknown = session.post("/generations/gen_unknown/shots/1", json={})
    assert (foreign.status_code, foreign.json()["detail"]) == (404, unknown.json()["detail"])
