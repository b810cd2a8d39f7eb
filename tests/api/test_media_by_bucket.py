"""The routes of media and public links where browsers reach the bucket: checked as ever, then led to it for minutes."""

import asyncio
import threading
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.support.bucket import bucket, endpoint
from tests.support.rows import file_row
from videogen.api import media
from videogen.core.config import AppConfig
from videogen.core.errors import NotFoundError
from videogen.core.in_use import InUse
from videogen.core.security import Signer
from videogen.jobs.queue import EmbeddedQueue
from videogen.schemas.sharing import ShareCreate
from videogen.services.media import MediaService
from videogen.services.shares import ShareService
from videogen.share import routes
from videogen.storage.object_storage import open_storage
from videogen.store import Fence, Result
from videogen.web import problems
from videogen.web.public_url import PublicUrl

__all__ = ["bucket", "endpoint"]
USUAL_THREADS = 40
"""On which Starlette calls all that is not async."""


@pytest.fixture(params=["public", "private"])
def site(request, bucket, endpoint, store, submit, alice, tmp_path):
    """A finished video, its links, and a browser that follows none by itself."""
    is_public = request.param == "public"
    url = f"{bucket}&public={endpoint}" if is_public else bucket
    config = AppConfig(data_dir=tmp_path, database_url="postgresql://h/d", secret_key="k" * 16, storage_url=url)
    storage, signer, in_use = open_storage(url, tmp_path / "cache"), Signer(b"secret"), InUse(store.clock)
    row = submit(alice)
    EmbeddedQueue(store).claim("worker")
    video, poster = file_row(row, "video"), file_row(row, "poster")
    poster.content_type = "image/jpeg"
    storage.put(b"0123456789", video.key)
    storage.put(b"jpg", poster.key)
    store.complete(Fence(row.id, 1), Result(video, poster, row.width, row.height, row.fps, row.duration_seconds))
    parts = SimpleNamespace(signer=signer, store=store, storage=storage, in_use=in_use)
    shares = ShareService(store, SimpleNamespace(end=lambda key: None), storage, in_use)
    app = FastAPI()
    problems.install(app)
    app.include_router(media.router)
    app.include_router(routes.router)
    services = SimpleNamespace(media=MediaService(parts), shares=shares)
    app.state.videogen = SimpleNamespace(services=services, config=config, public_url=PublicUrl(config))
    return SimpleNamespace(
        browser=TestClient(app, follow_redirects=False),
        leads=is_public,
        endpoint=endpoint,
        storage=storage,
        video=video,
        link=f"/media/{video.id}?{signer.link(video.id, store.clock())}",
        poster=f"/media/{poster.id}?{signer.link(poster.id, store.clock())}",
        share=shares.put(alice, row.id, ShareCreate(), "").url,
        revoke=lambda: shares.revoke(alice, row.id),
    )


def fetched(site, path):
    """The file of a link, wherever the browser is led."""
    answer = site.browser.get(path)
    if site.leads:
        assert (answer.status_code, answer.headers["cache-control"]) == (307, "no-store")
        assert answer.headers["location"].startswith(f"{site.endpoint}/videogen/")
        answer = httpx.get(answer.headers["location"])
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, b"0123456789", "video/mp4")
    return answer


def test_a_video_keeps_its_name_and_type(site):
    assert fetched(site, site.link).headers["content-disposition"].startswith('inline; filename="prompt-')
    assert fetched(site, f"{site.link}&download").headers["content-disposition"].startswith('attachment; filename="')
    shared = fetched(site, f"{site.share}/video.mp4")
    assert shared.headers["content-disposition"].startswith('inline; filename="prompt-')
    saved = fetched(site, f"{site.share}/video.mp4?download")
    assert saved.headers["content-disposition"].startswith('attachment; filename="prompt-')


def test_posters_and_headers_are_always_ours(site):
    assert site.browser.get(site.poster).content == b"jpg"
    assert site.browser.get(f"{site.share}/poster.jpg").content == b"jpg"
    assert site.browser.head(site.link).headers["content-length"] == "10"


def test_nobody_is_led_to_what_is_not_theirs_or_is_gone(site):
    assert site.browser.get(site.link[:-1] + "x").status_code == 404
    site.revoke()
    assert site.browser.get(f"{site.share}/video.mp4").status_code == 404
    site.storage.delete(site.video.key)
    gone = site.browser.get(site.link)
    assert (gone.status_code, gone.json()["code"]) == (410, "file_missing")


def test_the_share_page_may_show_what_it_is_led_to(site):
    policy = site.browser.get(site.share, headers={"User-Agent": ""}).headers["content-security-policy"]
    assert policy.count(site.endpoint) == (2 if site.leads else 0)
    assert (f"media-src 'self' {site.endpoint};" in policy) is site.leads


async def test_media_that_wait_for_the_bucket_hold_up_nothing_else():
    began, released = threading.Semaphore(0), threading.Event()

    def wait(*_):
        began.release()
        released.wait()
        raise NotFoundError

    app = FastAPI()
    problems.install(app)
    app.include_router(media.router)
    app.get("/else")(lambda: "answered")
    app.state.videogen = SimpleNamespace(services=SimpleNamespace(media=SimpleNamespace(open=wait)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app.test") as http:
        waiting = [asyncio.create_task(http.get("/media/fil_a")) for _ in range(100)]
        try:
            for _ in range(USUAL_THREADS):
                await asyncio.to_thread(began.acquire)
            async with asyncio.timeout(60):
                assert (await http.get("/else")).json() == "answered"
        finally:
            released.set()
            answers = await asyncio.gather(*waiting)
    assert {answer.status_code for answer in answers} == {404}
