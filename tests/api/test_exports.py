"""A finished video as WebM, GIF or PNG files: asked for, followed, downloaded, removed; and what is refused."""

import io
import json
import zipfile

import av
import pytest
from PIL import Image


@pytest.fixture(scope="module")
def loud(finished):
    """A video with sound: its session and its fields."""
    session = finished.session
    made = session.submit("other-format", prompt="Blue bars, and a tone")
    session.follow(made["id"])
    return session, session.read(made["id"])


def ask(session, generation, wanted):
    return session.post(f"/generations/{generation['id']}/exports", json={"format": wanted})


def follow(session, export, after=None):
    """All events of an export, until its stream ends."""
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    response = session.http.get(f"/api/v1/exports/{export['id']}/events", headers=headers, timeout=60)
    if response.status_code == 204:
        return []
    assert response.headers["content-type"].startswith("text/event-stream")
    blocks = [dict(line.split(": ", 1) for line in block.splitlines()) for block in response.text.strip().split("\n\n")]
    return [(block["event"], int(block["id"]), json.loads(block["data"])) for block in blocks if "data" in block]


def make(session, generation, wanted):
    """The completed export, and its bytes."""
    export = ask(session, generation, wanted).json()
    export = follow(session, export)[-1][2]
    assert export["status"] == "completed", export
    response = session.http.get(export["url"])
    assert (response.headers["content-type"], len(response.content)) == (export["contentType"], export["sizeBytes"])
    assert response.headers["content-disposition"] == f'attachment; filename="{export["name"]}"'
    return export, response.content


def test_a_webm_has_all_frames_and_the_sound(loud):
    session, generation = loud
    export, data = make(session, generation, "webm")
    assert export["name"].startswith("videogen-blue-bars-and-a-tone-")
    assert export["name"].endswith(".webm")
    assert export["soundLeftOut"] is False
    with av.open(io.BytesIO(data)) as made:
        assert [stream.codec_context.name for stream in made.streams] == ["vp9", "opus"]
        assert (made.streams.video[0].width, made.streams.video[0].height) == (
            generation["width"],
            generation["height"],
        )
        frames = sum(1 for _ in made.decode(video=0))
    assert frames == round(generation["durationSeconds"] * generation["fps"])


def test_the_frames_are_numbered_files_of_a_zip(loud):
    session, generation = loud
    export, data = make(session, generation, "png")
    assert export["name"].endswith("-frames.zip")
    assert export["soundLeftOut"] is True
    archive = zipfile.ZipFile(io.BytesIO(data))
    count = round(generation["durationSeconds"] * generation["fps"])
    assert archive.namelist() == [f"frame_{number:04d}.png" for number in range(1, count + 1)]
    first = Image.open(archive.open("frame_0001.png"))
    assert (first.format, first.size) == ("PNG", (generation["width"], generation["height"]))


def test_the_events_of_an_export_are_whole_states_and_end_with_it(finished):
    session, generation = finished.session, finished.generation
    response = ask(session, generation, "gif")
    assert response.status_code == 201, response.text
    events = follow(session, response.json())
    names, ids, states = zip(*events, strict=True)
    assert set(names) == {"export"}
    assert list(ids) == sorted(set(ids))
    assert {one["id"] for one in states} == {response.json()["id"]}
    assert [one["progress"] for one in states] == sorted(one["progress"] for one in states)
    assert [one["status"] for one in states[:-1]].count("completed") == 0
    assert states[-1]["status"] == "completed"
    assert follow(session, states[-1], ids[-1]) == []
    assert [one[2]["status"] for one in follow(session, states[-1], ids[0])] == ["completed"]


def test_an_export_is_no_event_of_its_generation(finished):
    session, generation = finished.session, finished.generation
    make(session, generation, "gif")
    events = session.follow(generation["id"], 0)
    assert [event.event for event in events] == [event.event for event in finished.events]
    signed = {"videoUrl": "", "posterUrl": ""}  # anew from time to time
    assert session.read(generation["id"]) | signed == generation | signed


def test_the_same_format_again_is_the_same_export(finished):
    session, generation = finished.session, finished.generation
    export, _ = make(session, generation, "gif")
    again = ask(session, generation, "gif")
    assert (again.status_code, again.json()["id"]) == (200, export["id"])
    listed = session.get(f"/generations/{generation['id']}/exports").json()["items"]
    assert [one["id"] for one in listed if one["format"] == "gif"] == [export["id"]]


@pytest.mark.on_disk
def test_one_whose_file_is_gone_is_made_again(loud, app):
    session, generation = loud
    export, _ = make(session, generation, "png")
    for path in (app.data_dir / "files" / generation["id"]).glob("*.zip"):
        path.unlink()
    again = ask(session, generation, "png")
    assert (again.status_code, again.json()["id"]) == (201, export["id"])
    assert make(session, generation, "png")[0]["fileId"] != export["fileId"]


def test_a_deleted_one_is_gone_with_its_file(loud, app):
    session, generation = loud
    export, _ = make(session, generation, "gif")
    assert session.delete(f"/exports/{export['id']}").status_code == 204
    assert session.get(f"/exports/{export['id']}").status_code == 404
    assert session.http.get(export["url"]).status_code == 404
    assert not list((app.data_dir / "files" / generation["id"]).glob("*.gif"))
    assert ask(session, generation, "gif").status_code == 201


def test_the_exports_of_a_generation_go_with_it(session, app):
    made = session.submit("bars")
    session.follow(made["id"])
    export, _ = make(session, made, "gif")
    assert session.delete(f"/generations/{made['id']}").status_code == 204
    assert session.get(f"/exports/{export['id']}").status_code == 404
    assert session.http.get(export["url"]).status_code == 404
    assert not (app.data_dir / "files" / made["id"]).exists()


def test_those_of_the_trash_come_back_with_it(session):
    made = session.submit("bars")
    session.follow(made["id"])
    export, _ = make(session, made, "gif")
    session.post("/generations/trash", json={"ids": [made["id"]]})
    assert session.get(f"/exports/{export['id']}").status_code == 404
    assert session.http.get(export["url"]).status_code == 404
    session.post("/generations/restore", json={"ids": [made["id"]]})
    assert session.http.get(session.get(f"/exports/{export['id']}").json()["url"]).status_code == 200


def test_another_session_does_not_learn_of_it(finished, session):
    export, _ = make(finished.session, finished.generation, "gif")
    unknown = session.get("/exports/exp_unknown").json()
    for call in (
        session.get(f"/exports/{export['id']}"),
        session.get(f"/exports/{export['id']}/events"),
        session.delete(f"/exports/{export['id']}"),
        ask(session, finished.generation, "gif"),
        session.get(f"/generations/{finished.generation['id']}/exports"),
    ):
        assert (call.status_code, call.json()) == (404, unknown)
    assert finished.session.get(f"/exports/{export['id']}").status_code == 200


@pytest.mark.parametrize(
    ("submit", "wanted", "status", "words"),
    [
        ({"engine": "procedural", "type": "image"}, "gif", 422, "a picture has no other formats"),
        ({"engine": "refuses"}, "gif", 422, "a completed one"),
        ({"engine": "bars"}, "avi", 422, "'webm', 'gif' or 'png'"),
    ],
)
def test_what_cannot_be_exported_is_refused_in_one_line(session, submit, wanted, status, words):
    made = session.submit(submit.pop("engine"), **submit)
    session.follow(made["id"])
    answer = ask(session, made, wanted)
    assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text
    assert session.get(f"/generations/{made['id']}/exports").json()["items"] == []


def test_a_running_one_has_nothing_to_export(session):
    made = session.submit("until-cancelled")
    answer = ask(session, made, "webm")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_terminal")


def test_the_zip_of_a_session_has_no_exports(loud):
    session, generation = loud
    make(session, generation, "gif")
    names = zipfile.ZipFile(io.BytesIO(session.get("/export").content)).namelist()
    assert not [name for name in names if name.endswith((".gif", ".webm", ".zip"))]
