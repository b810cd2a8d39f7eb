"""`extend`: a new video that has all of a finished one and goes on from there."""

import io
from itertools import pairwise

import av
import numpy as np
import pytest

from tests.support.api import TINY, Session

SCENE = {"prompt": "an ocean at sunset, pan right", "settings": {"seed": 7, "durationSeconds": 1.0}}
SOURCE_FRAMES = 8


def pictures(session: Session, made: dict[str, str]) -> list[np.ndarray]:
    """All frames of a result, RGB."""
    with av.open(io.BytesIO(session.http.get(made["videoUrl"]).content)) as video:
        return [frame.to_ndarray(format="rgb24").astype(int) for frame in video.decode(video=0)]


def finished(session: Session, engine: str = "procedural", **options) -> dict[str, str]:
    """A completed generation."""
    return session.finish(session.submit(engine, **(SCENE | options))["id"])


def try_extend(session: Session, source: dict[str, str], **body):
    """POST an extension; the response as it is."""
    return session.post("/generations", json={"extend": source["id"], **body})


def extended(session: Session, source: dict[str, str], **body) -> dict[str, str]:
    """A completed extension."""
    response = try_extend(session, source, **body)
    assert response.status_code == 201, response.text
    made = session.finish(response.json()["generations"][0]["id"])
    assert made["status"] == "completed", made["error"]
    return made


@pytest.fixture(scope="module")
def source(app):
    """A finished video of the built-in engine, with its session: tests only read it."""
    with Session(app.base_url) as session:
        yield session, finished(session)


def test_an_extension_has_both_parts_and_the_motion_goes_on(source):
    session, old = source
    new = extended(session, old, settings={"durationSeconds": 2.0})
    assert (new["extends"], new["durationSeconds"]) == (old["id"], 2.0)
    same = ("prompt", "engine", "seed", "width", "height", "fps")
    assert [new[name] for name in same] == [old[name] for name in same]
    before, after = pictures(session, old), pictures(session, new)
    assert len(after) == 2 * SOURCE_FRAMES
    # Copied, not encoded again.
    assert all(np.array_equal(*pair) for pair in zip(before, after, strict=False))
    steps = [np.abs(a - b).mean() for a, b in pairwise(after)]
    join = steps.pop(SOURCE_FRAMES - 1)
    assert join <= 1.5 * np.median(steps[SOURCE_FRAMES - 6 : SOURCE_FRAMES + 4])
    assert [(shot["startSeconds"], shot["kept"], shot["join"]) for shot in new["shots"]] == [
        (0.0, True, "start"),
        (1.0, False, "motion"),
    ]


def test_the_length_is_that_of_the_whole_and_without_one_the_usual_is_added(source):
    session, old = source
    assert extended(session, old)["durationSeconds"] == 5.0
    refused = [try_extend(session, old, settings={"durationSeconds": value}).json() for value in (1.0, 11)]
    assert [problem["errors"][0]["field"] for problem in refused] == ["settings.durationSeconds"] * 2
    assert "more than the 1 seconds" in refused[0]["detail"]


def test_a_video_as_long_as_one_may_be_is_refused_as_what_it_is(session):
    old = finished(session, "looks", settings=TINY | {"durationSeconds": 10})
    answer = try_extend(session, old, settings={"durationSeconds": 11})
    expected = "a video shorter than the 10 seconds that one may have"
    assert answer.json()["errors"] == [{"field": "extend", "expected": expected, "got": "10.0"}]


def test_a_length_that_the_engine_cannot_add_is_named_as_it_was_asked_for(source):
    session, old = source
    (fault,) = try_extend(session, old, settings={"durationSeconds": 1.2}).json()["errors"]
    expected = "the 1 seconds of the video that it goes on from and at least 0.5 more"
    assert fault == {"field": "settings.durationSeconds", "expected": expected, "got": "1.2"}
    (fault,) = try_extend(session, {"id": "g" * 1000}).json()["errors"]
    assert (fault["field"], fault["expected"]) == ("extend", "at most 100 characters")


def test_another_prompt_fades_in_from_the_motion_before(source):
    session, old = source
    new = extended(session, old, prompt="a desert at noon", settings={"durationSeconds": 2.0})
    frames = pictures(session, new)
    assert new["prompt"] == "a desert at noon"
    assert new["shots"][1]["join"] == "motion"
    around = np.abs(frames[SOURCE_FRAMES] - frames[SOURCE_FRAMES - 1]).mean()
    assert around < np.abs(frames[-1] - frames[SOURCE_FRAMES - 1]).mean() / 3


def test_another_engine_goes_on_from_the_exact_last_frame(source):
    session, old = source
    new = extended(session, old, engine="looks", settings={"durationSeconds": 2.0})
    assert (new["engine"], new["shots"][1]["join"]) == ("looks", "picture")
    frames = pictures(session, new)
    mean = frames[SOURCE_FRAMES - 1].mean((0, 1))
    assert np.abs(frames[SOURCE_FRAMES].mean((0, 1)) - mean).max() < 6


def test_extensions_in_a_row_lose_nothing_at_the_joins_and_outlive_their_source(session):
    old = finished(session, "looks", settings={"durationSeconds": 1.0})
    first = extended(session, old, settings={"durationSeconds": 2.0})
    assert session.delete(f"/generations/{old['id']}").status_code == 204
    again = session.finish(session.post(f"/generations/{first['id']}/retry").json()["id"])
    assert (again["status"], again["recipeHash"]) == ("completed", first["recipeHash"])
    second = extended(session, again, settings={"durationSeconds": 3.0})
    assert session.http.get(second["videoUrl"]).status_code == 200
    frames = pictures(session, second)
    assert len(frames) == 3 * SOURCE_FRAMES
    # The engine begins with the mean colour of its image: from a lossless frame, it is the last one's.
    last = [frame.mean((0, 1)).round() for frame in frames]
    for join in (SOURCE_FRAMES, 2 * SOURCE_FRAMES):
        assert np.abs(last[join] - last[join - 1]).max() <= 1
    assert [shot["join"] for shot in second["shots"]] == ["start", "picture", "picture"]
    assert try_extend(session, old).status_code == 422


def test_unknown_foreign_and_deleted_sources_look_the_same(source, session):
    _, foreign = source
    gone = finished(session, "looks")
    session.delete(f"/generations/{gone['id']}")
    names = [foreign["id"], "gen_unknown", gone["id"]]
    answers = [try_extend(session, {"id": name}) for name in names]
    assert [answer.status_code for answer in answers] == [422] * 3
    details = [answer.json()["detail"].replace(name, "ID") for answer, name in zip(answers, names, strict=True)]
    assert set(details) == {"extend must be the id of a finished video; this was 'ID'."}
    assert session.get("/generations").json()["items"] == []


def test_what_cannot_be_extended_is_refused_with_one_line_and_nothing_is_stored(session, source):
    failed = session.finish(session.submit("refuses")["id"])
    waits = session.submit("until-cancelled")
    still = session.finish(session.submit("looks", type="image")["id"])
    odd = session.finish(session.submit("looks", settings={"width": 66, "height": 64})["id"])
    before = len(session.get("/generations").json()["items"])
    cases = {
        "extend": [(failed, {}), (waits, {}), (still, {})],
        "engine": [(odd, {"engine": "bars"})],
        "inputFileId": [(odd, {"inputFileId": still["fileId"]})],
        "type": [(odd, {"type": "image"})],
    }
    for field, wrong in cases.items():
        for item, body in wrong:
            answer = try_extend(session, item, **body)
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), answer.text
            assert "\n" not in answer.json()["detail"]
    assert len(session.get("/generations").json()["items"]) == before


def test_the_same_key_again_gives_the_same_extension_after_its_source_is_deleted(session):
    old = finished(session, "looks")
    send = {"json": {"extend": old["id"]}, "headers": {"Idempotency-Key": "once"}}
    first = session.post("/generations", **send)
    session.finish(first.json()["generations"][0]["id"])
    session.delete(f"/generations/{old['id']}")
    again = session.post("/generations", **send)
    assert (again.status_code, again.json()["projectId"]) == (200, first.json()["projectId"])


def test_an_extension_that_waits_can_be_changed(session):
    old = finished(session, "looks")
    session.post("/queue/pause")
    made = try_extend(session, old, settings={"durationSeconds": 2.0}).json()["generations"][0]
    session.delete(f"/generations/{old['id']}")
    changed = session.patch(f"/generations/{made['id']}", json={"settings": {"durationSeconds": 3.0}})
    assert changed.status_code == 200, changed.text
    session.post("/queue/resume")
    ended = session.finish(made["id"])
    assert (ended["status"], ended["durationSeconds"]) == ("completed", 3.0)


def test_another_size_and_rate_make_the_whole_anew(session):
    old = finished(session, "looks", settings=TINY | {"durationSeconds": 1.0, "seed": 3})
    new = extended(session, old, settings={"width": 96, "height": 64, "fps": 12, "durationSeconds": 2.0})
    assert (new["width"], new["height"], new["fps"], len(pictures(session, new))) == (96, 64, 12, 24)


def test_sound_of_the_source_fades_before_a_part_without(session):
    old = session.finish(session.submit("other-format")["id"])
    seconds = old["durationSeconds"] + 1
    new = extended(session, old, engine="looks", settings={"durationSeconds": seconds})
    assert new["hasAudio"]
    with av.open(io.BytesIO(session.http.get(new["videoUrl"]).content)) as video:
        sound = np.concatenate([frame.to_ndarray() for frame in video.decode(audio=0)], axis=1)
    join = round(old["durationSeconds"] * 48_000)
    assert np.abs(sound[:, : join // 2]).max() > 0.1
    assert np.abs(sound[:, join + 4000 :]).max() < 0.01
