"""A zip of `GET /export` can be imported elsewhere. A zip that is no valid export changes nothing."""

import io
import json
import zipfile
from contextlib import ExitStack, suppress

import httpx
import pytest

from tests.support import zips
from tests.support.api import API
from tests.support.app import App
from tests.support.zips import export_bytes, exported_file, exported_generation, manifest, zip_bytes


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return zips.video_bytes(tmp_path_factory.mktemp("video"))


def post_import(session, data):
    return session.post("/import", content=data, headers={"Content-Type": "application/zip"})


def history(session):
    return session.get("/generations").json()["items"]


@pytest.fixture
def exported(session_of):
    """A session with a completed and a failed generation, their ids, and the zip of its export."""
    session = session_of()
    made = session.submit("bars", prompt="blue bars", settings={"seed": 7})
    session.finish(made["id"])
    session.patch(f"/generations/{made['id']}", json={"title": "My bars", "favorite": True})
    failed = session.submit("refuses", prompt="no way")
    session.finish(failed["id"])
    response = session.get("/export")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/zip"
    assert response.headers["content-disposition"].startswith('attachment; filename="videogen-export-')
    return session, made["id"], failed["id"], response.content


def test_an_export_has_videos_posters_and_a_correct_manifest(exported):
    session, made, failed, data = exported
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    manifest_json = json.loads(archive.read("manifest.json"))
    assert (manifest_json["format"], manifest_json["version"], manifest_json["leftOut"]) == ("videogen-export", 1, 0)
    first, second = manifest_json["generations"]
    assert (first["id"], first["title"], first["favorite"], first["seed"]) == (made, "My bars", True, 7)
    assert (second["id"], second["status"], second["error"]["code"]) == (
        failed,
        "failed",
        session.read(failed)["error"]["code"],
    )
    for file in (first["result"], first["poster"]):
        assert exported_file(file["path"], archive.read(file["path"])) == file
    assert archive.read(first["result"]["path"]) == session.http.get(session.read(made)["videoUrl"]).content
    assert set(archive.namelist()) == {
        f"videos/{made}.mp4",
        f"posters/{made}.jpg",
        f"frames/{made}.png",
        "manifest.json",
    }


@pytest.mark.on_disk
def test_a_session_downloads_only_so_many_zips_at_once(session_of, app):
    session = session_of()
    made = session.finish(session.submit("bars")["id"])
    (video,) = (app.data_dir / "files" / made["id"]).glob("*.mp4")
    with video.open("r+b") as file:
        file.truncate(300_000_000)  # larger than all buffers on the way: the zip is sent until it is read
    link = session.post("/generations/zip", json={"ids": [made["id"]]}).json()["url"]
    with ExitStack() as downloads:
        for path in (f"{API}/export", link):
            assert downloads.enter_context(session.http.stream("GET", path)).status_code == 200
        for path in (f"{API}/export", link):
            refused = session.http.get(path)
            assert (refused.status_code, refused.json()["code"]) == (429, "limit_exceeded")
            assert "at most 2 of one session" in refused.json()["detail"]
        with session_of().http.stream("GET", f"{API}/export") as other:
            assert other.status_code == 200
    places = 0
    while places < 2:  # the places of broken downloads are free again
        with session.http.stream("GET", f"{API}/export") as answer:
            places += answer.status_code == 200


def test_a_running_generation_is_left_out_and_counted(session):
    running = session.submit("until-cancelled")
    manifest_json = json.loads(zipfile.ZipFile(io.BytesIO(session.get("/export").content)).read("manifest.json"))
    assert (manifest_json["generations"], manifest_json["leftOut"]) == ([], 1)
    session.cancel(running["id"])


def test_an_import_into_another_session_is_complete_and_published_and_not_repeated(exported, session_of):
    origin, made, _, data = exported
    other = session_of()
    with other.stream("/events") as stream:
        came = post_import(other, data)
        assert came.status_code == 200, came.text
        events = [next(stream) for _ in range(2)]
    assert (came.json()["imported"], came.json()["known"]) == (2, 0)
    assert [event.data["generationId"] for event in events] == came.json()["generationIds"]
    assert [event.event for event in events] == ["render_result", "error"]
    failed, done = history(other)
    assert (done["prompt"], done["title"], done["favorite"], done["seed"]) == ("blue bars", "My bars", True, 7)
    assert done["id"] != made
    assert done["createdAt"] == origin.read(made)["createdAt"]
    video = other.http.get(done["videoUrl"], headers={"Range": "bytes=0-9"})
    assert (video.status_code, video.headers["content-type"]) == (206, "video/mp4")
    assert other.http.get(done["posterUrl"]).headers["content-type"] == "image/jpeg"
    assert other.follow(done["id"])[-1].event == "render_result"
    assert failed["error"]["message"] == origin.read(failed["id"] and history(origin)[0]["id"])["error"]["message"]

    again = post_import(other, data).json()
    assert (again["imported"], again["known"]) == (0, 2)
    assert len(history(other)) == 2
    # Nothing is imported twice on the way back, or over several imports.
    back = other.get("/export").content
    assert post_import(origin, back).json()["imported"] == 0
    assert post_import(session_of(), back).json()["imported"] == 2


def test_an_import_into_another_app_can_be_retried_there(exported, tmp_path):
    data = exported[-1]
    with App(tmp_path / "elsewhere", ["bars"], page=False) as app:
        from tests.support.api import Session

        with Session(app.base_url) as session:
            assert post_import(session, data).json()["imported"] == 2
            done = history(session)[1]
            retried = session.post(f"/generations/{done['id']}/retry")
            assert retried.status_code == 201, retried.text
            assert session.finish(retried.json()["id"])["seed"] == 7
            # The other app does not have its engine.
            refused = session.post(f"/generations/{history(session)[1]['id']}/retry")
            assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
            assert not list((app.data_dir / "imports").iterdir())


def broken_exports(video):
    """Yields broken exports: a name, the bytes, and a part of the expected message."""
    path = "videos/gen_a.mp4"
    whole, name = export_bytes(video), "manifest.json"
    result = exported_file(path, video)
    good = exported_generation(result=result)

    def of(content, files=None):
        return zip_bytes({path: video, name: content, **(files or {})})

    text = b"no video at all"
    yield "not a zip", text, "whole zip"
    yield "empty", b"", "whole zip"
    yield "cut short", whole[:-40], "whole zip"
    yield "a zip of something else", zip_bytes({"readme.txt": "hello"}), "without"
    yield "not JSON", of(b"{"), "JSON"
    yield "nested too deep", of(b"[" * 100_000), "JSON"
    yield "not an object", of(b"[]"), "format"
    yield "another format", of(manifest(good, format="other")), "format"
    yield "a newer version", of(manifest(good, version=2)), "newer videogen"
    yield "absolute", of(manifest(good), {"/etc/passwd": "x"}), "plain file names"
    yield "upwards", of(manifest(good), {"../../evil": "x"}), "plain file names"
    yield "backslashes", of(manifest(good), {"..\\evil": "x"}), "plain file names"
    yield "a bomb", zip_bytes({name: manifest(good), path: b"\0" * 30_000_000}, zipfile.ZIP_DEFLATED), "unpacks"
    yield "the same twice", of(manifest(good, good)), "once"
    yield "a file that is not there", zip_bytes({name: manifest(good)}), "does not have it"
    yield "other bytes", zip_bytes({path: video[:-1] + b"x", name: manifest(good)}), "others"
    yield (
        "no video",
        zip_bytes({path: text, name: manifest(exported_generation(result=exported_file(path, text)))}),
        "whole video",
    )
    half = video[: len(video) // 2]
    yield (
        "half a video",
        zip_bytes({path: half, name: manifest(exported_generation(result=exported_file(path, half)))}),
        "whole video",
    )
    poster = exported_file("posters/gen_a.jpg", text)
    yield "no picture", of(manifest(good | {"poster": poster}), {"posters/gen_a.jpg": text}), "whole picture"
    yield "completed without a result", of(manifest(exported_generation())), "result"
    for field, value in (
        ("id", "../../up"),
        ("prompt", "a\0b"),
        ("prompt", ""),
        ("status", "processing"),
        ("width", -1),
        ("width", 10**9),
        ("seed", 2**70),
        ("fps", "many"),
        ("durationSeconds", 1e300),
        ("createdAt", "yesterday"),
        ("title", "x" * 201),
        ("engine", ""),
        ("settings", []),
    ):
        yield f"{field} {str(value)[:20]!r}", of(manifest(good | {field: value})), "manifest.json"
    for invalid_path in ("../gen_a.mp4", "/etc/passwd", "videos/../../x.mp4", "videos/gen_a.exe"):
        yield (
            f"path {invalid_path}",
            of(manifest(exported_generation(result=result | {"path": invalid_path}))),
            "manifest.json",
        )


def test_an_invalid_export_is_rejected_with_an_explanation_and_changes_nothing(app, session, video):
    def files():
        return {path.name for path in (app.data_dir / "files").iterdir()}

    before = files()
    for name, data, word in broken_exports(video):
        refused = post_import(session, data)
        assert (refused.status_code, refused.json()["code"]) == (422, "not_an_export"), (name, refused.text)
        assert word in refused.json()["detail"], (name, refused.text)
        assert len(refused.json()["detail"]) < 400, name
    first = exported_file("videos/gen_a.mp4", video)
    second_is_broken = zip_bytes(
        {
            "videos/gen_a.mp4": video,
            "videos/gen_b.mp4": b"second_is_broken",
            "manifest.json": manifest(
                exported_generation("gen_a", result=first),
                exported_generation("gen_b", result=exported_file("videos/gen_b.mp4", b"second_is_broken")),
            ),
        }
    )
    assert post_import(session, second_is_broken).status_code == 422
    assert history(session) == []
    assert files() == before
    assert list((app.data_dir / "imports").iterdir()) == []
    assert post_import(session, export_bytes(video)).json()["imported"] == 1


def test_unknown_fields_of_a_newer_release_are_ignored(session, video):
    data = export_bytes(video, mood="blue")
    assert post_import(session, data).json()["imported"] == 1
    assert history(session)[0]["prompt"] == "a ship"


def test_a_zip_that_is_too_large_is_refused_before_it_is_read(tmp_path):
    with App(tmp_path / "small", ["bars"], page=False, max_import_mb=0.1) as app:
        from tests.support.api import Session

        with Session(app.base_url) as session:
            refused = post_import(session, b"x" * 200_000)
            assert (refused.status_code, refused.json()["code"]) == (413, "too_large")

            def chunks():
                for _ in range(40):
                    yield b"x" * 8192

            # Without a length it is counted as it comes; the server may hang up while we still send.
            with suppress(httpx.WriteError):
                assert session.post("/import", content=chunks()).status_code == 413
            assert not list((app.data_dir / "imports").iterdir())


def test_export_and_import_need_a_session(http, video):
    assert http.get(f"{API}/export").status_code == 401
    assert http.post(f"{API}/import", content=export_bytes(video)).status_code == 401


# By links, for a browser that can send no token


def test_everything_is_exported_and_imported_by_links_without_a_token(exported, session_of, http):
    origin, _, _, data = exported
    link = origin.post("/export")
    assert link.status_code == 201, link.text
    by_link = http.get(link.json()["url"])
    assert by_link.headers["content-disposition"].startswith('attachment; filename="videogen-export-')
    assert zipfile.ZipFile(io.BytesIO(by_link.content)).namelist() == zipfile.ZipFile(io.BytesIO(data)).namelist()

    other = session_of()
    place = other.post("/import/link").json()
    assert len(data) < place["maxBytes"]
    answers = [http.post(place["url"], content=data).json() for _ in range(2)]
    assert [(answer["imported"], answer["known"]) for answer in answers] == [(2, 0), (0, 2)]
    assert len(history(other)) == 2
    refused = http.post(place["url"], content=b"no zip")
    assert (refused.status_code, refused.json()["code"]) == (422, "not_an_export")


def test_a_link_opens_one_session_for_one_purpose(session, session_of, http):
    link, other = session.post("/export").json()["url"], session_of()
    for changed in (
        link.replace(session.id, other.id),
        link.replace("sig=", "sig=0"),
        link.replace("exp=", "exp=9"),
        f"{link}é",
        "/exports",
        session.post("/import/link").json()["url"].replace("/imports", "/exports"),
    ):
        answer = http.get(changed)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), changed
    assert http.post(link.replace("/exports", "/imports"), content=b"").status_code == 404
