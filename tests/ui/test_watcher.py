"""The watcher: who comes back finds everything, follows it live, and survives what breaks."""

import asyncio
from contextlib import aclosing

import pytest

from tests.client.answers import generation_json
from tests.ui.conftest import at, result_json
from videogen.ui.pace import Pace
from videogen.ui.pages import Pages, Visit, sign_in
from videogen.ui.watcher import Watcher

RUNNING = {"status": "processing", "progress": 40, "updatedAt": at(0)}


@pytest.fixture
def pages():
    return Pages()


@pytest.fixture
async def watch(client, pages):
    """Opens a page; its frames come one by one."""
    opened = []

    def open_page(visit, session_hash="tab"):
        frames = Watcher(client, pages, Pace(), session_hash).frames(visit)
        opened.append(frames)
        return frames

    yield open_page
    for frames in opened:
        await frames.aclose()


async def until(frames, wanted):
    async with asyncio.timeout(5):
        async for frame in frames:
            if wanted(frame):
                return frame
    raise AssertionError("the watcher ended")


async def test_who_comes_back_finds_what_runs(api, watch):
    api.session("mine", generation_json("gen_a", **RUNNING), generation_json("gen_b", createdAt=at(-9)))
    first = await anext(watch(Visit(token="mine")))
    assert (first["selected"]["id"], first["selected"]["progress"]) == ("gen_a", 40)
    assert [item["id"] for item in first["active"]] == ["gen_a", "gen_b"]
    assert first["notice"] == "Welcome back: 2 generations are still rendering."
    assert first["link"] == "live"


async def test_progress_and_result_follow(api, watch):
    api.session("mine", generation_json("gen_a", **RUNNING))
    frames = watch(Visit(token="mine"))
    before = await anext(frames)
    api.push(progress=55)
    assert (await until(frames, lambda frame: frame["selected"]["progress"] == 55))["history"] == before["history"]
    api.push("render_result", seconds=2, **result_json())
    done = await until(frames, lambda frame: frame["selected"]["status"] == "completed")
    assert done["selected"]["video"] == "/media/fil_a"
    assert done["active"] == []
    assert done["history"] > before["history"]


async def test_frames_are_whole_and_never_the_same(api, watch, monkeypatch):
    monkeypatch.setattr("videogen.ui.watcher.HEARTBEAT", 0.01)
    api.session("mine", generation_json("gen_a", **RUNNING))
    frames = watch(Visit(token="mine"))
    seen = [await anext(frames) for _ in range(4)]
    assert len({frame["tick"] for frame in seen}) == 4
    assert all(frame["selected"] for frame in seen)


async def test_a_token_that_the_browser_brought_is_not_sent(api, watch, monkeypatch):
    monkeypatch.setattr("videogen.ui.watcher.HEARTBEAT", 0.01)
    api.session("mine")
    frames = watch(Visit(token="mine", cookie="other"))
    seen = [await anext(frames) for _ in range(3)]
    assert all(frame["brought"] and "token" not in frame for frame in seen)


@pytest.mark.parametrize("visit", [Visit(cookie="mine"), Visit(token="unknown", cookie="mine")])
async def test_a_new_token_is_sent_until_the_browser_has_shown_that_it_has_it(api, watch, pages, monkeypatch, visit):
    monkeypatch.setattr("videogen.ui.watcher.HEARTBEAT", 0.01)
    api.session("mine")
    frames = watch(visit)
    seen = [await anext(frames) for _ in range(3)]
    assert all(frame["token"] == "mine" and not frame["brought"] for frame in seen)
    pages.find("tab", Visit(cookie="mine"))  # a call with the cookie shows nothing
    assert "token" in await anext(frames)
    pages.find("tab", Visit(token="mine"))
    assert "token" not in await anext(frames)


async def test_a_first_visitor_keeps_the_session_over_a_break_of_the_api(api, watch, pages):
    frames = watch(Visit())
    token = (await anext(frames))["token"]
    del api.sessions[token]
    api.cut()
    await until(frames, lambda frame: frame["link"] == "reconnecting")
    api.session(token)
    assert (await until(frames, lambda frame: frame["link"] == "live"))["token"] == token


async def test_bursts_become_few_frames_and_the_end_is_shown(api, watch):
    api.session("mine", generation_json("gen_a", **RUNNING))
    frames = watch(Visit(token="mine"))
    await anext(frames)
    for number in range(500):
        api.push(progress=40 + number / 10, seconds=1 + number / 100)
    api.push("render_result", seconds=99, **result_json())
    count = 0
    async with asyncio.timeout(5):
        async for frame in frames:
            count += 1
            if frame["selected"]["status"] == "completed":
                break
    assert count < 50


async def test_what_another_tab_starts_appears_but_takes_no_stage(api, watch):
    api.session("mine", generation_json("gen_a", **RUNNING))
    frames = watch(Visit(token="mine"))
    await anext(frames)
    api.sessions["mine"]["gen_b"] = generation_json("gen_b", createdAt=at(5), updatedAt=at(5))
    api.push(generation_id="gen_b", seconds=6)
    frame = await until(frames, lambda frame: len(frame["active"]) == 2)
    assert frame["selected"]["id"] == "gen_a"


async def test_a_generation_that_ends_between_list_and_stream_is_not_stuck(api, client, watch, monkeypatch):
    monkeypatch.setattr("videogen.ui.watcher.SETTLE", 0.05)
    api.session("mine", generation_json("gen_a", **RUNNING))
    arrival = await sign_in(client, Visit(token="mine"))
    assert arrival.page.items[0].status == "processing"

    async def told_before(*_):
        ended = {"status": "completed", "videoUrl": "/media/v", "updatedAt": at(1)}
        api.sessions["mine"]["gen_a"] |= ended
        return arrival

    monkeypatch.setattr("videogen.ui.watcher.sign_in", told_before)
    first = await anext(watch(Visit(token="mine")))
    assert first["selected"]["status"] == "completed"


async def test_what_was_open_is_fetched_even_from_far_back(api, watch):
    api.page_size = 1
    old = generation_json("old", status="completed", videoUrl="/media/o", createdAt=at(-99))
    api.session("mine", old, generation_json("new", status="completed", videoUrl="/media/n"))
    first = await anext(watch(Visit(token="mine", selected="old")))
    assert first["selected"]["id"] == "old"


async def test_a_cut_stream_shows_and_heals(api, watch):
    api.session("mine", generation_json("gen_a", **RUNNING))
    frames = watch(Visit(token="mine"))
    await anext(frames)
    api.cut()
    await until(frames, lambda frame: frame["link"] == "reconnecting")
    await until(frames, lambda frame: frame["link"] == "live")
    api.push(progress=77, seconds=9)
    await until(frames, lambda frame: frame["selected"]["progress"] == 77)


async def test_an_api_that_is_down_is_said_and_tried_again(api, watch):
    api.session("mine", generation_json("gen_a", **RUNNING))
    api.down = True
    frames = watch(Visit(token="mine"))
    first = await anext(frames)
    assert (first["link"], first["problem"]) == ("reconnecting", "The video service does not answer. Trying again…")
    api.down = False
    assert (await until(frames, lambda frame: "selected" in frame))["selected"]["id"] == "gen_a"


async def test_a_closed_page_is_forgotten(api, watch, pages):
    api.session("mine")
    frames = watch(Visit(token="mine"))
    await anext(frames)
    assert pages.find("tab", Visit(token="mine")) is not None
    await frames.aclose()
    assert pages.find("tab", Visit(token="mine")) is None


async def test_two_tabs_are_two_pages(api, watch, pages):
    api.session("mine", generation_json("gen_a", **RUNNING))
    one, two = watch(Visit(token="mine"), "one"), watch(Visit(token="mine"), "two")
    await anext(one)
    await anext(two)
    assert pages.get("one") is not pages.get("two")


@pytest.mark.parametrize(
    ("visit", "found"),
    [
        (Visit(token="mine"), True),
        (Visit(cookie="mine"), True),
        (Visit(token="other", cookie="mine"), True),
        (Visit(token="other", cookie="other"), False),
        (Visit(), False),
    ],
)
async def test_a_page_is_found_with_its_token_alone(api, watch, pages, visit, found):
    api.session("mine")
    await anext(watch(Visit(token="mine")))
    assert (pages.find("tab", visit) is not None) == found


@pytest.mark.parametrize(
    ("visit", "token", "adopt"),
    [
        (Visit(token="mine", cookie="mine"), "mine", False),
        (Visit(token="mine", cookie="other"), "mine", True),
        (Visit(token="mine"), "mine", True),
        (Visit(token="unknown", cookie="other"), "other", False),
        (Visit(cookie="other"), "other", False),
        (Visit(token="unknown", cookie="unknown too"), "new-2", True),
        (Visit(), "new-2", True),
    ],
)
async def test_whose_session(api, client, visit, token, adopt):
    api.session("mine")
    api.session("other")
    arrival = await sign_in(client, visit)
    assert (arrival.token, arrival.adopt) == (token, adopt)


async def test_a_new_visitor_gets_a_token_that_the_api_knows_and_has_not_stored(api, client):
    api.session("signed")
    arrival = await sign_in(client, Visit(token="unknown"), lambda: "signed")
    assert (arrival.token, arrival.adopt) == ("signed", True)


@pytest.mark.parametrize("browser", [None, 7, "x", [], {"token": 7, "selected": {}}, {"token": "x" * 5000}])
def test_whatever_a_browser_brings_is_read(browser):
    assert Visit.read(browser, {}, {}) == Visit()


async def test_closing_in_the_middle_leaves_no_task(api, watch):
    api.session("mine", generation_json("gen_a", **RUNNING))
    before = asyncio.all_tasks()
    async with aclosing(watch(Visit(token="mine"))) as frames:
        await anext(frames)
    assert asyncio.all_tasks() == before


async def test_a_page_that_was_signed_out_asks_for_a_reload_and_takes_no_new_session(api, watch):
    api.session("mine", generation_json("gen_a", **RUNNING))
    frames = watch(Visit(token="mine"))
    await anext(frames)
    del api.sessions["mine"]
    api.cut()
    signed_out = "This browser was signed out, or its session goes on in another tab. Load the page again."
    frame = await until(frames, lambda frame: frame.get("problem") == signed_out)
    assert "token" not in frame
    assert not api.sessions
