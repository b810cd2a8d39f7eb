"""`/files`: which images are accepted, what is stored, and which generations may start from them."""

import http.client
from contextlib import aclosing
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from tests.api.conftest import MAX_UPLOAD_MB
from tests.support.api import API, TINY
from tests.support.pictures import GPS, bomb, colour_at, encoded, photo, quarters
from videogen.client import AsyncClient
from videogen.schemas.events import RenderResult
from videogen.schemas.generations import GenerationCreate
from videogen.services.uploads import MAX_UPLOADS

FIELDS = {"id", "contentType", "width", "height", "sizeBytes", "createdAt", "url"}


def noise(size):
    """A PNG of about three bytes for each pixel."""
    pixels = np.random.default_rng(1).integers(0, 255, (size, size, 3), np.uint8)
    return encoded(Image.fromarray(pixels))


def test_an_upload_answers_201_with_the_file(session):
    response = session.try_upload(encoded())
    assert response.status_code == 201
    file = response.json()
    assert file.keys() == FIELDS
    assert (file["contentType"], file["width"], file["height"]) == ("image/png", 64, 48)
    kept = session.http.get(file["url"])
    assert (kept.status_code, kept.headers["content-type"]) == (200, "image/png")
    assert kept.headers["x-content-type-options"] == "nosniff"
    assert len(kept.content) == file["sizeBytes"]
    assert colour_at(kept.content, 0.25, 0.25) == "red"
    assert session.get(f"/files/{file['id']}").json() == file


@pytest.mark.on_disk
def test_a_photo_is_stored_upright_and_without_its_location(session, app):
    data = photo(orientation=6)
    file = session.upload(data)
    assert (file["contentType"], file["width"], file["height"]) == ("image/jpeg", 48, 64)
    (stored,) = (app.data_dir / "files" / "uploads").glob(f"{file['id']}.*")
    for kept in (stored.read_bytes(), session.http.get(file["url"]).content):
        assert GPS in data
        assert GPS not in kept
        assert b"Exif" not in kept
        assert colour_at(kept, 0.75, 0.25) == "red"


@pytest.mark.parametrize(
    ("name", "kind"), [("page.html", "text/html"), ("x.gif", "image/gif"), ("../../etc/passwd", ""), ("", "image/png")]
)
def test_an_image_type_is_detected_from_its_bytes_and_not_its_name(session, name, kind):
    response = session.try_upload(encoded(), name or "blob", kind)
    assert (response.status_code, response.json()["contentType"]) == (201, "image/png")


@pytest.mark.parametrize("data", [b"", b"GIF89a" + bytes(99), b"<html>", b"%PDF-1.7"])
def test_another_file_type_is_415_whatever_its_name_is(session, data):
    response = session.try_upload(data, "picture.png", "image/png")
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")
    assert "PNG, JPEG or WebP" in response.json()["detail"]


def test_html_that_follows_an_image_is_not_stored(session):
    page = b"<html><script>alert(1)</script></html>"
    file = session.upload(encoded() + page)
    assert page not in session.http.get(file["url"]).content


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.95])
def test_a_broken_image_is_422_and_names_the_file(session, cut):
    data = noise(60)
    response = session.try_upload(data[: int(len(data) * cut)])
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    assert response.json()["errors"][0]["field"] == "file"


def test_a_decompression_bomb_is_rejected_without_using_much_memory(session):
    data = bomb(20_000, 20_000)
    assert len(data) < 1e5
    response = session.try_upload(data)
    assert response.status_code == 422
    assert "at most 40 megapixels" in response.json()["detail"]


def test_a_file_over_the_limit_is_413_and_one_under_it_is_accepted(session):
    too_large = session.try_upload(noise(700))
    assert (too_large.status_code, too_large.json()["code"]) == (413, "too_large")
    assert f"at most {MAX_UPLOAD_MB} MB (VIDEOGEN_MAX_UPLOAD_MB)" in too_large.json()["detail"]
    assert session.try_upload(noise(500)).status_code == 201


def test_a_body_of_unknown_length_is_rejected_at_the_limit(session, app):
    # Sends twice the limit without an end, so the server must count the bytes.
    connection = http.client.HTTPConnection(urlsplit(app.base_url).netloc, timeout=20)
    connection.putrequest("POST", f"{API}/files")
    connection.putheader("Authorization", f"Bearer {session.token}")
    connection.putheader("Content-Type", "multipart/form-data; boundary=b")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n\x89PNG\r\n\x1a\n'
    for part in (head, *[bytes(100_000)] * (20 * MAX_UPLOAD_MB)):
        connection.send(b"%x\r\n%b\r\n" % (len(part), part))
    response = connection.getresponse()
    assert response.status == 413
    assert b"too_large" in response.read()
    connection.close()


@pytest.mark.parametrize("name", ["filename*=UTF-8''%E6%9D%B1.png", 'filename="a.png"; filename*=UTF-8%E6%9D%B1.png'])
def test_a_part_with_an_extended_file_name_is_a_file(session, name):
    head = f'--b\r\nContent-Disposition: form-data; name="file"; {name}\r\n\r\n'
    body = head.encode() + encoded() + b"\r\n--b--\r\n"
    answer = session.post("/files", content=body, headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"content": b"x", "headers": {"Content-Type": "image/png"}}, 415),
        ({"json": {"file": "x"}}, 415),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 422),
        ({"content": b"no part", "headers": {"Content-Type": "multipart/form-data; boundary=b"}}, 422),
        ({"files": {"picture": ("a.png", b"x")}}, 422),
        ({"files": [("file", ("a.png", b"x")), ("file", ("b.png", b"x"))]}, 422),
        ({"data": {"file": "text"}, "files": {"other": ("a.png", b"x")}}, 422),
    ],
)
def test_another_kind_of_body_is_rejected_with_what_was_expected(session, options, status):
    response = session.post("/files", **options)
    assert response.status_code == status, response.text
    assert "`file`" in response.json()["detail"]
    assert "multipart/form-data" in response.json()["detail"]


def test_an_upload_needs_a_session_and_with_only_the_cookie_the_same_origin(session, http):
    files = {"file": ("a.png", encoded())}
    assert http.post(f"{API}/files", files=files).json()["code"] == "session_required"
    cookie = {"Cookie": f"videogen_session={session.token}"}
    cross = http.post(f"{API}/files", files=files, headers=cookie | {"Sec-Fetch-Site": "cross-site"})
    assert (cross.status_code, cross.json()["code"]) == (403, "cross_site")
    assert http.post(f"{API}/files", files=files, headers=cookie | {"Sec-Fetch-Site": "same-origin"}).status_code == 201


def test_the_same_image_again_is_the_same_file_within_its_session(session, session_of):
    first, again = session.upload(encoded()), session.upload(encoded() + b"with something behind it")
    other = session_of().upload(encoded())
    assert first["id"] == again["id"] != other["id"]


def test_an_upload_over_the_session_limit_removes_the_oldest_unused_image(session, app):
    def picture(number):
        return session.upload(encoded(Image.new("RGB", (16, 16), (number, 0, 0))))["id"]

    used = picture(0)
    session.submit("looks", inputFileId=used)
    oldest = picture(1)
    others = [picture(2 + number) for number in range(MAX_UPLOADS - 2)]
    newest = picture(200)
    assert session.get(f"/files/{oldest}").status_code == 404
    assert not list((app.data_dir / "files" / "uploads").glob(f"{oldest}.*"))
    assert {session.get(f"/files/{kept}").status_code for kept in (used, others[0], newest)} == {200}


# Starting from an image


def test_a_generation_starts_from_the_uploaded_image(session):
    file = session.upload(encoded(Image.new("RGB", (32, 32), (200, 40, 40))))
    made = session.submit("looks", inputFileId=file["id"], settings={"seed": 7})
    assert made["inputFileId"] == file["id"]
    ended = session.finish(made["id"])
    assert ended["status"] == "completed", ended
    assert colour_at(session.http.get(ended["posterUrl"]).content, 0.5, 0.5) == "red"


async def test_the_python_client_uploads_an_image_and_starts_from_it(app, session):
    async with AsyncClient(app.base_url, session.token) as client:
        file = await client.upload(photo())
        assert await client.file(file.id) == file
        project = await client.submit(
            GenerationCreate(prompt="p", engine="looks", settings=TINY, input_file_id=file.id)
        )
        (made,) = project.generations
        assert made.input_file_id == file.id
        async with aclosing(client.watch(generation=made.id)) as events:
            ends = [event async for event in events if isinstance(event, RenderResult)]
        assert [end.file_id is not None for end in ends] == [True]


def test_the_recipe_hash_depends_on_the_bytes_of_the_image(session, session_of):
    red, blue = (encoded(Image.new("RGB", (32, 32), colour)) for colour in ("red", "blue"))

    def recipe(who, picture):
        return who.submit("looks", inputFileId=who.upload(picture)["id"], settings={"seed": 7})["recipeHash"]

    mine = recipe(session, red)
    assert mine == recipe(session, red) == recipe(session_of(), red)
    assert len({mine, recipe(session, blue), session.submit("looks", settings={"seed": 7})["recipeHash"]}) == 3


def test_an_image_of_another_session_is_rejected_like_an_unknown_one(session, session_of):
    theirs = session_of().upload(encoded())["id"]
    answers = []
    for file_id in (theirs, "fil_AAAAAAAAAAAAAAAAAAAA", "", "../../secret"):
        response = session.try_submit("looks", inputFileId=file_id)
        assert response.status_code == 422
        (error,) = response.json()["errors"]
        assert error["field"] == "inputFileId"
        answers.append(response.text.replace(file_id, "?") if file_id else "")
        assert session.get(f"/files/{file_id or 'x'}").status_code == 404
    assert answers[0] == answers[1] == answers[3]


def test_an_engine_without_image_input_rejects_an_image(session):
    response = session.try_submit("bars", inputFileId=session.upload(encoded())["id"])
    assert response.status_code == 422
    assert response.json()["errors"][0] | {"got": ""} == {
        "field": "inputFileId",
        "expected": "left out, since bars takes no image",
        "got": "",
    }


def test_variations_and_a_retry_start_from_the_same_image(session):
    file = session.upload(encoded(Image.new("RGB", (32, 32), (20, 20, 220))))
    project = session.submit_all("looks", inputFileId=file["id"], variations=3)
    made = [session.finish(item["id"]) for item in project["generations"]]
    assert {item["inputFileId"] for item in made} == {file["id"]}
    again = session.post(f"/generations/{made[0]['id']}/retry").json()
    assert (again["inputFileId"], again["recipeHash"]) == (file["id"], made[0]["recipeHash"])
    assert session.finish(again["id"])["status"] == "completed"


def test_deleting_a_generation_keeps_an_image_that_others_use(session):
    file = session.upload(encoded())
    first, second = (session.submit("looks", inputFileId=file["id"]) for _ in range(2))
    session.finish(first["id"])
    session.finish(second["id"])
    assert session.delete(f"/generations/{first['id']}").status_code == 204
    assert session.http.get(file["url"]).status_code == 200
    again = session.post(f"/generations/{second['id']}/retry").json()
    assert session.finish(again["id"])["status"] == "completed"


@pytest.mark.on_disk
def test_an_image_that_is_missing_on_disk_fails_the_generation_with_its_code(session, app):
    file = session.upload(encoded())
    session.post("/queue/pause")
    made = session.submit("looks", inputFileId=file["id"])
    (stored,) = (app.data_dir / "files" / "uploads").glob(f"{file['id']}.*")
    stored.unlink()
    session.post("/queue/resume")
    ended = session.finish(made["id"])
    assert (ended["status"], ended["error"]["code"], ended["error"]["retryable"]) == ("failed", "input_missing", False)
    assert "Upload it again" in ended["error"]["message"]
    # The repair that the message names works.
    assert session.upload(encoded())["id"] == file["id"]
    assert session.finish(session.post(f"/generations/{made['id']}/retry").json()["id"])["status"] == "completed"


@pytest.mark.on_disk
def test_an_image_that_was_replaced_on_disk_is_not_rendered(session, app):
    file = session.upload(encoded())
    (stored,) = (app.data_dir / "files" / "uploads").glob(f"{file['id']}.*")
    stored.write_bytes(encoded(quarters(80, 80)))
    ended = session.finish(session.submit("looks", inputFileId=file["id"])["id"])
    assert (ended["status"], ended["error"]["code"]) == ("failed", "input_changed")


def test_its_owner_deletes_an_image_that_no_generation_uses(session, session_of, app):
    file = session.upload(encoded())
    assert session_of().delete(f"/files/{file['id']}").status_code == 404
    assert session.delete(f"/files/{file['id']}").status_code == 204
    assert session.get(f"/files/{file['id']}").status_code == 404
    assert session.delete(f"/files/{file['id']}").status_code == 404
    assert not list((app.data_dir / "files" / "uploads").glob(f"{file['id']}.*"))


def test_an_image_that_a_generation_uses_or_has_made_stays(session):
    file = session.upload(encoded())
    made = session.submit("looks", inputFileId=file["id"], type="image")
    still = session.finish(made["id"])["fileId"]
    for name in (file["id"], still):
        answer = session.delete(f"/files/{name}")
        assert (answer.status_code, answer.json()["code"]) == (409, "file_in_use")
        assert session.get(f"/files/{name}").status_code == 200


# The settings of a file that was made here


def read_settings(session, data, name="made.png"):
    """POST a file; the response as it is."""
    return session.post("/files/settings", files={"file": (name, data)})


def test_a_still_and_a_video_bring_back_what_they_were_made_from(session):
    file = session.upload(encoded())
    for kind, options in (("image", {}), ("video", {"inputFileId": file["id"]})):
        made = session.finish(session.submit("looks", type=kind, settings={"seed": 7}, **options)["id"])
        data = session.http.get(made["imageUrl"] or made["videoUrl"]).content
        answer = read_settings(session, data)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert (found["engine"], found["warnings"], found["hadImage"]) == ("looks", [], bool(options))
        again = session.post("/generations", json=found["request"]).json()["generations"][0]
        assert again["recipeHash"] == made["recipeHash"]


def test_a_file_without_settings_is_422_with_a_code_of_its_own(session):
    answer = read_settings(session, encoded())
    assert (answer.status_code, answer.json()["code"]) == (422, "no_settings")
    assert "no settings of videogen" in answer.json()["detail"]


def test_a_file_that_cannot_be_read_is_refused_and_nothing_is_stored(session, app):
    before = sorted((app.data_dir / "files").rglob("*"))
    answers = [read_settings(session, data) for data in (b"%PDF-1.7", noise(60)[:300], noise(700))]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (415, "unsupported_media_type"),
        (422, "invalid_request"),
        (413, "too_large"),
    ]
    assert "VIDEOGEN_MAX_UPLOAD_MB" in answers[2].json()["detail"]
    assert sorted((app.data_dir / "files").rglob("*")) == before


async def test_the_python_client_submits_the_settings_of_a_file_again(app, session):
    made = session.finish(session.submit("bars", settings={"seed": 7})["id"])
    async with AsyncClient(app.base_url, session.token) as client:
        found = await client.read_settings(session.http.get(made["videoUrl"]).content)
        (again,) = (await client.submit(found.request)).generations
    assert again.recipe_hash == made["recipeHash"]
