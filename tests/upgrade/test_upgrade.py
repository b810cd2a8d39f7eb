"""The current code opens a data folder and a browser storage of 0.1.0, and loses nothing of them.

`make_fixture.py` tells how they were made.
"""

import json
import sqlite3
import tarfile
import time
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.support.api import Session, connect
from tests.support.browser import Person, launch
from videogen.media.probe import probe

FIXTURE = Path(__file__).parent / "data-0.1.0"
STORED = json.loads((FIXTURE / "fixture.json").read_text())
CHECKPOINT_STEP, FRAMES = 48, 192
FILL_STORAGE = (
    "Object.entries(%s).forEach(([key, value]) => localStorage.getItem(key) ?? localStorage.setItem(key, value))"
)


class StoredSession(Session):
    """The session that 0.1.0 made."""

    def __init__(self, base_url):
        self.http = connect(base_url)
        self.http.headers["Authorization"] = f"Bearer {STORED['token']}"


@pytest.fixture(scope="module")
def app(module_app, tmp_path_factory):
    """A server on a copy of the data folder. Its share and its transfer code hold for another hour."""
    folder = tmp_path_factory.mktemp("upgrade")
    with tarfile.open(FIXTURE / "data.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    with closing(sqlite3.connect(folder / "data" / "videogen.sqlite")) as database, database:
        for table in ("shares", "transfers"):
            changed = database.execute(f"UPDATE {table} SET expires_at = ?", [time.time() + 3600])
            assert changed.rowcount == 1
    return module_app(folder / "data", engines=["procedural"], workers=1, page=True)


@pytest.fixture
def session(app):
    with StoredSession(app.base_url) as session:
        yield session


def downloaded(session, generation, folder):
    """What the video behind a generation's media link is."""
    path = folder / "video.mp4"
    path.write_bytes(session.http.get(generation["videoUrl"]).raise_for_status().content)
    return probe(path)


def test_a_finished_video_still_plays(session, tmp_path):
    generation = session.read(STORED["finished"])
    assert (generation["status"], generation["prompt"]) == ("completed", "ocean at sunset")
    video = downloaded(session, generation, tmp_path)
    assert (video.width, video.height, video.num_frames) == (128, 72, 48)
    again = session.post(f"/generations/{generation['id']}/retry").json()
    assert again["recipeHash"] == generation["recipeHash"]
    session.cancel(again["id"])
    session.finish(again["id"])
    session.delete(f"/generations/{again['id']}")


def test_a_half_rendered_video_goes_on_from_its_checkpoint(session, tmp_path):
    before = session.read(STORED["halfRendered"])["engineVersion"]
    now = next(engine["version"] for engine in session.get("/engines").json()["items"] if engine["id"] == "procedural")
    frames = session.follow(STORED["halfRendered"], last_event_id=0)
    assert [frame.event for frame in frames if frame.terminal] == ["render_result"]

    after_the_upgrade = [frame.data["step"] for frame in frames if frame.data["attempt"] == 2 and not frame.terminal]
    # Another version of the engine would render other frames, so that it begins again.
    first_step = CHECKPOINT_STEP if now == before else 0
    assert min(after_the_upgrade) == first_step
    video = downloaded(session, session.read(STORED["halfRendered"]), tmp_path)
    assert (video.width, video.height, video.num_frames) == (128, 72, FRAMES)


def test_a_queued_video_is_rendered(session, tmp_path):
    generation = session.finish(STORED["queued"])
    assert (generation["status"], generation["attempt"]) == ("completed", 1)
    assert downloaded(session, generation, tmp_path).num_frames == 24


def test_a_share_link_still_shows_its_video(app, tmp_path):
    with connect(app.base_url) as visitor:
        page = visitor.get(f"/s/{STORED['slug']}").raise_for_status()
        assert "ocean at sunset" in page.text
        path = tmp_path / "shared.mp4"
        path.write_bytes(visitor.get(f"/s/{STORED['slug']}/video.mp4").raise_for_status().content)
    assert probe(path).num_frames == 48


def test_a_transfer_code_still_opens_the_session(app):
    with connect(app.base_url) as device:
        claimed = device.post("/api/v1/sessions/claim", json={"code": STORED["transferCode"]}).raise_for_status().json()
        headers = {"Authorization": f"Bearer {claimed['token']}"}
        history = device.get("/api/v1/generations", headers=headers).json()["items"]
    assert {item["id"] for item in history} == {STORED[name] for name in ("finished", "halfRendered", "queued")}


@pytest.mark.browser
def test_the_browser_finds_its_history_and_its_draft(app, session):
    session.finish(STORED["halfRendered"])
    session.finish(STORED["queued"])
    storage = json.dumps(STORED["localStorage"]).replace(STORED["baseUrl"], app.base_url)
    with sync_playwright() as playwright, launch(playwright) as browser:
        person = Person(browser, None, "page")
        person.context.add_init_script(FILL_STORAGE % storage)
        tab = person.tab(app.base_url).open()
        for name in ("finished", "halfRendered", "queued"):
            expect(tab.history(STORED[name])).to_be_visible()
        expect(tab.prompt).to_have_value(STORED["draft"])
