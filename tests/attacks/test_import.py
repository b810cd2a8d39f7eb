"""A zip from anybody against a real server: nothing of it is stored, and the server goes on."""

import io
import os
import zipfile

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
    return module_app(engines=["bars"], max_import_mb=1)


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
    script = b"ffconcat version 1.0\nfile '%s'\n" % os.fsencode(secret)
    for content in (svg, PLAYLIST % os.fsencode(secret), script, zips.picture_bytes("PNG")):
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


def test_an_export_in_a_folder_of_a_mac_is_imported(session, video):
    file = exported_file(PATH, video)
    files = {"": b"", PATH: video, ".DS_Store": b"x", "manifest.json": manifest(exported_generation(result=file))}
    data = zip_bytes({f"my export/{name}": content for name, content in files.items()} | {"__MACOSX/._x": b"x"})
    answer = post_import(session, data)
    assert (answer.status_code, answer.json()["imported"]) == (200, 1), answer.text
    (imported,) = session.get("/generations").json()["items"]
    assert session.http.get(imported["videoUrl"]).content == video
