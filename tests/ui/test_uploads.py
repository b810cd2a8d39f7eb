"""Files chosen on the page: what is taken, how long it is kept, and what is shown of it."""

import asyncio
import os
import time
from io import BytesIO
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI
from PIL import Image

from videogen.ui import uploads as module
from videogen.ui.uploads import Uploads, upload_routes
from videogen.web import problems

OWN = {"Origin": "http://page"}
UPLOAD = "/gradio_api/upload"


def picture(kind="PNG"):
    file = BytesIO()
    Image.new("RGB", (4, 4), "red").save(file, kind)
    return file.getvalue()


def chosen(content=None, name="a ship.png"):
    return {"files": (name, picture() if content is None else content)}


@pytest.fixture
def uploads(tmp_path):
    return Uploads(tmp_path / "uploads", 10_000)


@pytest.fixture
async def page(uploads):
    app = FastAPI()
    problems.install(app)
    app.include_router(upload_routes(uploads))
    transport = httpx.ASGITransport(app, client=("203.0.113.7", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://page", headers=OWN) as page:
        yield page


def kept(uploads):
    return sorted(path for path in uploads.folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
async def test_an_image_is_kept_and_shown_to_the_page(page, uploads, kind):
    (path,) = (await page.post(UPLOAD, files=chosen(picture(kind)))).raise_for_status().json()
    assert uploads.find(path) is not None
    shown = await page.get(f"/gradio_api/file={quote(path)}")
    assert shown.content == picture(kind)
    assert shown.headers["content-type"] == f"image/{kind.lower()}"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in shown.headers["content-security-policy"]
    assert "access-control-allow-origin" not in shown.headers


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"<script>alert(1)</script>", "page.png"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "x.svg"),
        (b"PK\x03\x04zip", "export.zip"),
        (b"GIF89a", "x.gif"),
        (b"", "empty.png"),
    ],
)
async def test_what_is_no_picture_is_kept_for_its_handler_and_never_shown(page, uploads, content, name):
    (path,) = (await page.post(UPLOAD, files=chosen(content, name))).raise_for_status().json()
    answer = await page.get(f"/gradio_api/file={quote(path)}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    uploads.remove(uploads.find(path))
    assert kept(uploads) == []
    assert uploads._address == {}


async def test_one_file_of_a_bounded_size_per_request(page, uploads):
    endless = page.post(UPLOAD, files=chosen(picture() + b"x" * 30_000))
    assert (await endless).status_code == 413
    two = await page.post(UPLOAD, files=[("files", ("a.png", picture())), ("files", ("b.png", picture()))])
    assert two.status_code == 422
    assert kept(uploads) == []


async def test_a_body_that_is_too_large_is_cut_as_soon_as_that_is_known(page):
    sent = 0

    async def endless():
        nonlocal sent
        head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
        yield head + picture()
        while sent < 10_000_000:
            sent += 5_000
            yield b"x" * 5_000

    answer = await page.post(UPLOAD, content=endless(), headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert answer.status_code == 413
    assert sent < 50_000


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://elsewhere"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
async def test_only_the_page_itself_uploads(page, uploads, headers):
    answer = await page.post(UPLOAD, files=chosen(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")
    assert kept(uploads) == []


async def test_another_site_cannot_show_an_upload(page):
    (path,) = (await page.post(UPLOAD, files=chosen())).json()
    answer = await page.get(f"/gradio_api/file={quote(path)}", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


async def test_no_other_file_is_shown(page, uploads, tmp_path):
    (path,) = (await page.post(UPLOAD, files=chosen())).json()
    (tmp_path / "secret.png").write_bytes(picture())
    folder = str(uploads.folder)
    for other in (
        *("/etc/passwd", "etc/passwd", "", "http://127.0.0.1:1/x.png", str(tmp_path / "secret.png"), folder),
        *(f"{folder}/../secret.png", f"{folder}/x/../../secret.png", f"{path}/../../../secret.png", f"{path}\0.png"),
        path + "x" * 300,
    ):
        answer = await page.get(f"/gradio_api/file={quote(other)}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), other
        assert uploads.find(other) is None
    assert uploads.find(None) is None
    assert uploads.find({"path": path}) is None


@pytest.mark.parametrize(
    "name", ["../../../escaped.png", "/etc/escaped.png", "con", "a\\..\\b.png", "x" * 3_000 + ".png", "सू" * 200]
)
async def test_a_name_leads_nowhere_else(page, uploads, name):
    (path,) = (await page.post(UPLOAD, files=chosen(name=name))).raise_for_status().json()
    assert kept(uploads) == [uploads.find(path)]


async def test_one_address_cannot_keep_many_and_all_together_are_bounded(page, uploads, monkeypatch):
    monkeypatch.setattr(module, "MAX_FILES_PER_ADDRESS", 2)
    monkeypatch.setattr(module, "MAX_FILES", 3)
    answers = [await page.post(UPLOAD, files=chosen()) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].json()["code"] == "limit_exceeded"
    assert int(answers[-1].headers["retry-after"]) > 0
    page._transport.client = ("203.0.113.8", 1)
    assert [(await page.post(UPLOAD, files=chosen())).status_code for _ in range(2)] == [200, 429]
    assert len(kept(uploads)) == 3


async def test_a_refused_upload_takes_no_place(page, uploads, monkeypatch):
    monkeypatch.setattr(module, "MAX_FILES_PER_ADDRESS", 1)
    for _ in range(3):
        assert (await page.post(UPLOAD, files=chosen(b"x" * 10_001))).status_code == 413
    assert (await page.post(UPLOAD, files=chosen())).status_code == 200


async def test_an_upload_is_removed_by_age_though_nobody_comes_back(page, uploads, monkeypatch):
    monkeypatch.setattr(module, "SWEEP_SECONDS", 0.01)
    (old,) = (await page.post(UPLOAD, files=chosen())).json()
    (new,) = (await page.post(UPLOAD, files=chosen())).json()
    past = time.time() - module.KEPT_SECONDS - 1
    os.utime(uploads.find(old).parent, (past, past))
    async with asyncio.timeout(20):
        while uploads.find(old) is not None:
            await asyncio.sleep(0.01)
    assert uploads.find(new) is not None
    # Its place is free again.
    assert len(uploads._address) == 1


async def test_a_start_removes_what_an_earlier_run_left(page, uploads):
    await page.post(UPLOAD, files=chosen())
    Uploads(uploads.folder, 1).clear()
    assert kept(uploads) == []
