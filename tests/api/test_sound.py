"""A result with sound: it is kept, and everything that describes the result says so."""

import io
import json
import zipfile

import av
import pytest


@pytest.fixture(scope="module")
def loud(finished):
    """A generation whose engine has made a WebM with sound: its session, its fields and its events."""
    session = finished.session
    made = session.submit("other-format")
    events = session.follow(made["id"])
    return session, session.read(made["id"]), events


def test_a_webm_with_sound_becomes_an_mp4_with_sound(loud):
    session, generation, _ = loud
    assert generation["status"] == "completed", generation["error"]
    response = session.http.get(generation["videoUrl"])
    assert response.headers["content-type"] == "video/mp4"
    with av.open(io.BytesIO(response.content), format="mp4") as container:
        assert [stream.codec_context.name for stream in container.streams] == ["h264", "aac"]
        assert sum(frame.samples for frame in container.decode(audio=0)) > 20_000


def test_the_conversion_is_a_stage_of_its_own_and_its_reason_is_in_the_log(loud):
    session, generation, events = loud
    assert "converting" in {event.data["stage"] for event in events[:-1]}
    progress = [event.data["progress"] for event in events]
    assert progress == sorted(progress)
    assert "vp9" in session.get(f"/generations/{generation['id']}/log").text


def test_only_a_result_with_sound_has_audio(loud, finished):
    _, generation, events = loud
    assert (generation["hasAudio"], events[-1].data["hasAudio"]) == (True, True)
    assert (finished.generation["hasAudio"], finished.events[-1].data["hasAudio"]) == (False, False)


def test_a_visitor_of_a_link_learns_it_too(loud, http):
    session, generation, _ = loud
    slug = session.post(f"/generations/{generation['id']}/share").json()["slug"]
    stream = http.get(f"/s/{slug}/events").text
    assert json.loads(stream.split("data: ", 1)[1].splitlines()[0])["hasAudio"] is True


def test_it_stays_known_after_an_export_and_an_import(loud, session_of):
    session, generation, _ = loud
    data = session.post("/generations/zip", json={"ids": [generation["id"]]}).json()
    archive = session.http.get(data["url"]).content
    manifest = json.loads(zipfile.ZipFile(io.BytesIO(archive)).read("manifest.json"))
    assert [entry["hasAudio"] for entry in manifest["generations"]] == [True]
    other = session_of()
    imported = other.post("/import", content=archive, headers={"Content-Type": "application/zip"}).json()
    assert other.read(imported["generationIds"][0])["hasAudio"] is True
