"""A zip from anybody against a real server: nothing of it is stored, and the server goes on."""

import io
import json
import os
import socket
import time
import zipfile
from contextlib import ExitStack

import pytest

from tests.support import zips
from tests.support.api import Session
from tests.support.pictures import bomb
from tests.support.zips import exported_file, exported_generation, manifest, zip_bytes

PATH = "videos/gen_a.mp4"
PLAYLIST = b"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\n%s\n#EXT-X-ENDLIST\n"


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return zips.video_bytes(tmp_path_factory.mktemp("video"))


@pytest.fixture(scope="module")
def app(module_app):
    return module_app(engines=["bars"], max_import_mb=4, max_storage_mb_per_session=2)


@pytest.fixture
def session(app):
    with Session(app.base_url) as session:
        yield session


def post_import(session, data):
    return session.post("/import", content=data, headers={"Content-Type": "application/zip"})


def export_of(content, path=PATH, **fields):
    file = exported_file(path, content)
    return zip_bytes({path: content, "manifest.json": manifest(exported_generation(result=file, **fields))})


def refused(session, app, data):
    """Send a zip that must be refused; return the words. Nothing of it may be left."""
    before = sorted(path for path in app.data_dir.rglob("*") if "files" in path.parts)
    answer = post_import(session, data)
    assert (answer.status_code, answer.json()["code"]) == (422, "not_an_export"), answer.text
    assert session.get("/generations").json()["items"] == []
    assert sorted(path for path in app.data_dir.rglob("*") if "files" in path.parts) == before
    assert list((app.data_dir / "imports").iterdir()) == []
    return answer.json()["detail"]


def test_15_kilobytes_do_not_become_122_megabytes(session, app):
    content = b"".join(os.urandom(64) + bytes(6000) for _ in range(100))
    file = exported_file(PATH, content)
    many = (exported_generation(f"gen_{number}", result=file) for number in range(200))
    data = zip_bytes({PATH: content, "manifest.json": manifest(*many)}, zipfile.ZIP_DEFLATED)
    assert len(data) < 60_000
    assert "named twice" in refused(session, app, data)
    # Two names for the same bytes.
    out = io.BytesIO(zip_bytes({f"videos/gen_{number}.mp4": content for number in range(4)}, zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        first = archive.infolist()[0]
        for info in archive.infolist()[1:]:
            info.header_offset = first.header_offset
        archive.writestr("manifest.json", manifest())
    assert "those of another file" in refused(session, app, out.getvalue())


def test_what_is_called_mp4_is_an_mp4(session, app, video):
    secret = app.data_dir / "other.mp4"
    secret.write_bytes(video)
    svg = b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"
    for content in (svg, PLAYLIST % os.fsencode(secret)):  # more kinds: tests/media/test_check.py
        assert "expected a whole video, got something else" in refused(session, app, export_of(content))


def test_a_picture_that_unpacks_to_gigabytes_is_not_decoded(session, app):
    data = export_of(bomb(12_000, 9_000), "images/gen_a.png", type="image")
    assert "12000 x 9000 pixels" in refused(session, app, data)


def test_no_path_of_a_zip_is_written(session, app, video, tmp_path):
    for name in (f"{tmp_path}/evil", "../../../evil", "..\\..\\evil", "C:\\evil"):
        export = io.BytesIO(export_of(video))
        with zipfile.ZipFile(export, "a") as archive:
            archive.writestr(name, b"evil")
        assert "plain file names" in refused(session, app, export.getvalue())
    assert not list(app.data_dir.parent.rglob("*evil*"))
    assert list(tmp_path.iterdir()) == []


def unfinished_import(app, session, length):
    """A connection that has stated a body of this length and sent none of it."""
    host, _, port = app.base_url.rpartition("/")[2].partition(":")
    connection = socket.create_connection((host, int(port)), timeout=30)
    head = f"POST /api/v1/import HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {session.token}\r\n"
    connection.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode())
    return connection


def wait_for_imports(app, count):
    folder = app.data_dir / "imports"
    deadline = time.monotonic() + 30
    while len(list(folder.iterdir()) if folder.exists() else ()) != count:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_one_import_of_a_session_and_two_of_an_address_at_once(app, session):
    with ExitStack() as opened:
        other, third = (opened.enter_context(Session(app.base_url)) for _ in range(2))
        for number, owner in enumerate((session, other), 1):
            opened.enter_context(unfinished_import(app, owner, 1000))
            wait_for_imports(app, number)
        for owner, scope in ((session, "2 of one address"), (third, "2 of one address")):
            answer = post_import(owner, b"x")
            assert (answer.status_code, answer.json()["code"]) == (429, "limit_exceeded")
            assert scope in answer.json()["detail"]
            assert int(answer.headers["retry-after"]) >= 1
    wait_for_imports(app, 0)
    with unfinished_import(app, session, 1000):
        wait_for_imports(app, 1)
        assert "1 of one session" in post_import(session, b"x").json()["detail"]
    wait_for_imports(app, 0)
    assert post_import(session, b"x").status_code == 422


def test_a_body_above_the_storage_limit_is_refused_before_it_is_read_or_while_it_arrives(app, session):
    with unfinished_import(app, session, 3_000_000) as connection:
        assert connection.recv(1000).startswith(b"HTTP/1.1 429 ")
    answer = post_import(session, (bytes(100_000) for _ in range(35)))
    assert (answer.status_code, answer.json()["code"]) == (429, "limit_exceeded")
    assert "VIDEOGEN_MAX_STORAGE_MB_PER_SESSION" in answer.json()["detail"]
    wait_for_imports(app, 0)


def test_an_export_in_a_folder_of_a_mac_is_imported(session, video):
    file = exported_file(PATH, video)
    files = {"": b"", PATH: video, ".DS_Store": b"x", "manifest.json": manifest(exported_generation(result=file))}
    data = zip_bytes({f"my export/{name}": content for name, content in files.items()} | {"__MACOSX/._x": b"x"})
    answer = post_import(session, data)
    assert (answer.status_code, answer.json()["imported"]) == (200, 1), answer.text
    (imported,) = session.get("/generations").json()["items"]
    assert session.http.get(imported["videoUrl"]).content == video


@pytest.mark.parametrize(
    "entry",
    [
        {"createdAt": "0001-01-01T00:00:00+14:00"},
        {"finishedAt": "10000-01-01T00:00:00Z"},
        {"createdAt": 10**30},
        {"seed": 2**63},
        {"settings": {"seed": 10**400}},
        {"width": -(2**70)},
        {"settings": {"other": json.loads("[" * 200 + "]" * 200)}},
    ],
)
def test_a_manifest_out_of_range_is_refused(session, app, video, entry):
    assert "manifest" in refused(session, app, export_of(video, **entry))
