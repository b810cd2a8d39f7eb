import json

import pytest

from videogen.core.security import Signer, load_secret
from videogen.media.probe import probe


@pytest.fixture(scope="module")
def video(finished):
    return finished.session.http.get(finished.generation["videoUrl"])


@pytest.fixture
def fetch(finished, http):
    """GET the video without a session."""
    return lambda method="GET", **headers: http.request(
        method,
        finished.generation["videoUrl"],
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def test_the_result_is_a_compatible_h264_with_its_recipe_as_metadata(finished, video, tmp_path):
    path = tmp_path / "video.mp4"
    path.write_bytes(video.content)
    info = probe(path)
    assert (info.codec, info.pix_fmt) == ("h264", "yuv420p")
    assert (info.width, info.height, info.fps, info.num_frames) == (64, 64, 8, 4)
    assert info.duration_seconds == pytest.approx(0.5)
    recipe = json.loads(info.metadata["comment"])
    assert (recipe["prompt"], recipe["seed"]) == ("blue bars, slowly", 7)
    assert info.metadata["title"] == "blue bars, slowly"


def test_the_video_is_served_with_its_type_and_length(finished, video):
    assert video.status_code == 200
    assert video.headers["content-type"] == "video/mp4"
    assert int(video.headers["content-length"]) == len(video.content) == finished.generation["sizeBytes"]
    assert video.headers["accept-ranges"] == "bytes"
    assert video.headers["etag"]
    assert video.headers["x-content-type-options"] == "nosniff"


def test_the_link_needs_no_session(fetch, video):
    assert fetch().content == video.content


def test_the_poster_is_a_jpeg(finished):
    poster = finished.session.http.get(finished.generation["posterUrl"])
    assert (poster.status_code, poster.headers["content-type"]) == (200, "image/jpeg")
    assert poster.content.startswith(b"\xff\xd8\xff")


def test_a_running_render_has_a_preview_jpeg(session):
    made = session.submit("until-cancelled")
    session.wait_rendering(made["id"])
    preview = session.http.get(session.read(made["id"])["previewUrl"])
    assert (preview.status_code, preview.headers["content-type"]) == (200, "image/jpeg")
    assert preview.content.startswith(b"\xff\xd8\xff")


@pytest.mark.parametrize(
    ("wanted", "part"), [("0-99", slice(0, 100)), ("100-", slice(100, None)), ("-50", slice(-50, None))]
)
def test_a_range_returns_exactly_those_bytes(fetch, video, wanted, part):
    response = fetch(Range=f"bytes={wanted}")
    whole = video.content
    begin, end, _ = part.indices(len(whole))
    assert response.status_code == 206
    assert response.content == whole[part]
    assert response.headers["content-range"] == f"bytes {begin}-{end - 1}/{len(whole)}"
    assert int(response.headers["content-length"]) == end - begin


def test_a_range_beyond_the_end_is_416_with_the_length(fetch, video):
    response = fetch(Range=f"bytes={len(video.content)}-")
    assert response.status_code == 416
    assert response.headers["content-range"] in (f"bytes */{len(video.content)}", f"*/{len(video.content)}")


def test_if_range_with_another_etag_returns_the_whole_file(fetch, video):
    same = fetch(Range="bytes=0-9", If_Range=video.headers["etag"])
    assert (same.status_code, len(same.content)) == (206, 10)
    other = fetch(Range="bytes=0-9", If_Range='"another"')
    assert (other.status_code, other.content) == (200, video.content)


def test_a_browser_that_has_the_bytes_gets_304_and_any_other_gets_them(fetch, video):
    same = fetch(If_None_Match=video.headers["etag"])
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", video.headers["etag"])
    other = fetch(If_None_Match='"another"')
    assert (other.status_code, other.content) == (200, video.content)


def test_head_returns_the_headers_without_the_body(fetch, video):
    head = fetch("HEAD")
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-type", "content-length", "etag", "content-disposition"):
        assert head.headers[name] == video.headers[name]


def test_the_download_name_comes_from_the_prompt(finished, video):
    assert video.headers["content-disposition"] == 'inline; filename="blue-bars-slowly.mp4"'


def test_a_forged_or_expired_link_gets_the_same_response_as_an_unknown_file(app, finished, http):
    signer = Signer(load_secret(app.data_dir, ""))
    generation = finished.generation
    file_id = generation["fileId"]
    good = generation["videoUrl"].partition("?")[2]
    sig = good.partition("sig=")[2]
    wrong = [
        "",
        "exp=&sig=",
        good.replace(sig, "0" * len(sig)),
        good.replace(sig, sig[:-1]),
        good.replace("exp=", "exp=9"),
        f"exp=1000000000&sig={signer.sign(file_id, 1000000000)}",
        "exp=99999999999&sig=%C3%A9",
        "exp=x&sig=x",
    ]
    answers = [http.get(f"/media/{file_id}?{query}") for query in wrong]
    answers.append(http.get(f"/media/fil_unknown?{good}"))
    answers.append(http.get(f"/media/fil_unknown?{signer.link('fil_unknown')}"))
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, answers[0].content)}
    assert answers[0].json()["code"] == "not_found"


@pytest.mark.on_disk
def test_a_missing_file_is_reported_by_its_link_and_its_generation_only(app, session):
    kept = session.finish(session.submit("bars")["id"])
    lost = session.finish(session.submit("bars", settings={"seed": 11})["id"])
    for path in (app.data_dir / "files" / lost["id"]).iterdir():
        path.unlink()
    for method in ("GET", "HEAD"):
        answer = session.http.request(method, lost["videoUrl"])
        assert answer.status_code == 410
        assert answer.headers["content-type"] == "application/problem+json"
    problem = session.http.get(lost["videoUrl"]).json()
    assert problem["code"] == "file_missing"
    assert "video is gone" in problem["detail"]
    assert "Retry" in problem["detail"]
    assert "poster is gone" in session.http.get(lost["posterUrl"]).json()["detail"]

    listed = {item["id"]: item for item in session.get("/generations").json()["items"]}
    for generation in (session.read(lost["id"]), listed[lost["id"]]):
        assert (generation["status"], generation["videoUrl"], generation["posterUrl"]) == ("completed", None, None)
        assert (generation["error"]["code"], generation["error"]["retryable"]) == ("file_missing", True)
    for generation in (session.read(kept["id"]), listed[kept["id"]]):
        assert generation["error"] is None
        assert session.http.get(generation["videoUrl"]).status_code == 200

    again = session.finish(session.post(f"/generations/{lost['id']}/retry").json()["id"])
    assert (again["status"], again["seed"], again["recipeHash"]) == ("completed", 11, lost["recipeHash"])
    assert session.http.get(again["videoUrl"]).status_code == 200
    assert session.delete(f"/generations/{lost['id']}").status_code == 204


def test_no_path_leaves_the_data_folder(http):
    for path in ("/media/../secret.key", "/media/..%2Fsecret.key", "/media/%2e%2e/videogen.sqlite"):
        assert http.get(path).status_code == 404
