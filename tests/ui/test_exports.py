"""Other formats of what is on the stage: a row of buttons that show how far each is, also after a reload."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest

from tests.ui.conftest import at, generation
from videogen.client import Unreachable
from videogen.schemas.exports import Export
from videogen.ui.exports import follow_exports
from videogen.ui.handlers import HANDLERS, Click

FILES = {"webm": ("lake.webm", "video/webm"), "gif": ("lake.gif", "image/gif"), "png": ("lake.zip", "application/zip")}


def export(wanted="gif", status="processing", generation_id="gen_a", **changes):
    name, content_type = FILES[wanted]
    common = {"id": f"exp_{wanted}", "generationId": generation_id, "format": wanted, "status": status, "progress": 0.0}
    made = {"name": name, "contentType": content_type, "createdAt": at(0), "updatedAt": at(0)}
    if status == "completed":
        made |= {"progress": 100.0, "url": f"/media/{name}?sig=a", "sizeBytes": 1_500_000}
    return common | made | changes


@pytest.fixture
def shown(tab):
    """Puts a finished video on the stage, with these exports."""

    def show(*exports, **changes):
        tab.board.put(generation(status="completed", **changes))
        tab.board.select("gen_a")
        tab.exports.show(tab.board.selected)
        for one in exports:
            tab.exports.put(Export.model_validate(one))

    return show


@asynccontextmanager
async def following(tab, sleep=asyncio.sleep):
    task = asyncio.create_task(follow_exports(tab, sleep))
    yield task
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def until(tab, condition):
    async with asyncio.timeout(30):
        while not condition():
            await tab.bell.wait()
            tab.bell.clear()


def test_each_format_is_a_button_until_it_is_a_link(shown, html):
    shown(export("webm", progress=43.4), export("gif", "completed"))
    page = html("actions")
    assert 'id="export-webm" data-do="export-one" data-format="webm" aria-disabled="true"' in page
    assert ">WebM · 43 %</button>" in page
    assert 'href="/media/lake.gif?sig=a" download="lake.gif"' in page
    assert ">GIF · 1.5 MB</a>" in page
    assert ">PNG frames</button>" in page


def test_what_waits_what_failed_and_what_has_no_sound_is_said(shown, html):
    failed = {"code": "storage_fault", "message": "The disk is <full>.", "retryable": True}
    shown(
        export("webm", "queued", message="Waits for free disk space"),
        export("gif", "failed", error=failed),
        export("png", "completed", soundLeftOut=True),
    )
    page = html("actions")
    assert ">WebM · waiting</button>" in page
    assert ">GIF · retry</button>" in page
    said = page.partition('id="exports-message"')[2]
    assert "WebM waits for free disk space. GIF: The disk is &lt;full&gt;. PNG frames has no sound." in said


def test_a_still_and_one_without_a_file_have_none(shown, html, tab):
    shown(type="image", imageUrl="/media/a.png")
    assert 'id="exports"' not in html("actions")
    tab.board.drop("gen_a")
    shown(error={"code": "file_missing", "message": "Gone.", "retryable": True})
    assert 'id="exports"' not in html("actions")


async def test_what_was_asked_for_here_is_downloaded_when_it_is_ready(api, tab, shown, monkeypatch):
    async def states(_export_id):
        for one in (export(progress=10.0), export(progress=60.0), export("gif", "completed")):
            yield Export.model_validate(one)

    monkeypatch.setattr(tab.client, "watch_export", states)
    api.canned["POST", "/generations/gen_a/exports"] = 201, export(status="queued")
    api.canned["GET", "/generations/gen_a/exports"] = 200, {"items": [export(status="queued")]}
    shown()
    async with following(tab):
        await HANDLERS["export-one"](tab, Click({"generationId": "gen_a", "format": "gif"}))
        assert tab.changed == {"gen_a"}, "other tabs of the browser read it too"
        await until(tab, lambda: tab.download)
    assert tab.download == "/media/lake.gif?sig=a"
    assert [one.status for one in tab.exports.items] == ["completed"]


async def test_after_a_reload_what_is_made_is_found_and_followed_but_not_downloaded(api, tab, shown, monkeypatch):
    async def states(_export_id):
        yield Export.model_validate(export("gif", "completed"))

    monkeypatch.setattr(tab.client, "watch_export", states)
    api.canned["GET", "/generations/gen_a/exports"] = 200, {"items": [export(progress=40.0)]}
    shown()
    async with following(tab):
        await until(tab, lambda: tab.exports.items and tab.exports.items[0].has_ended)
    assert tab.download is None


async def test_where_the_stream_breaks_for_good_they_are_read_again(api, tab, shown, monkeypatch):
    async def refuse(_export_id):
        raise Unreachable
        yield

    async def sleep(_seconds):
        api.canned["GET", "/generations/gen_a/exports"] = 200, {"items": [export("gif", "completed")]}

    monkeypatch.setattr(tab.client, "watch_export", refuse)
    api.canned["GET", "/generations/gen_a/exports"] = 200, {"items": [export(progress=40.0)]}
    shown()
    async with following(tab, sleep):
        await until(tab, lambda: tab.exports.items and tab.exports.items[0].has_ended)


async def test_an_unknown_format_is_not_asked_for(api, tab, shown):
    shown()
    await HANDLERS["export-one"](tab, Click({"generationId": "gen_a", "format": "avi"}))
    assert api.paths("POST") == []


def test_what_belongs_to_another_one_is_not_shown(shown, tab):
    shown(export("gif", generation_id="gen_b"))
    assert tab.exports.items == ()
