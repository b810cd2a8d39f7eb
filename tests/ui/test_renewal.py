"""Signed links of a page that is open for longer than they are valid."""

import asyncio
import math

import pytest

from tests.client.answers import generation_json
from tests.ui.conftest import generation
from videogen.ui.renewal import LONGEST, MARGIN, SHORTEST, expiry, renew_links


def video(name, until):
    link = f"/media/fil_{name}?exp={until}&sig=s"
    return generation_json(name, status="completed", videoUrl=link, posterUrl=f"/media/fil_p?exp={until + 5}&sig=s")


@pytest.mark.parametrize(
    ("links", "until"),
    [
        ({}, math.inf),
        ({"videoUrl": "/media/a?exp=500&sig=s", "posterUrl": "/media/b?exp=400&sig=s"}, 400),
        ({"previewUrl": "https://far.test/media/a?sig=s&exp=7"}, 7),
        ({"imageUrl": "/media/a?exp=soon"}, math.inf),
    ],
)
def test_a_generation_expires_with_the_first_of_its_links(links, until):
    none = dict.fromkeys(("previewUrl", "videoUrl", "imageUrl", "posterUrl"))
    assert expiry(generation(**(none | links))) == until


class Day:
    """A clock that a test moves on: each `sleep` ends when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked = asyncio.Queue()
        self._on = asyncio.Queue()

    def clock(self):
        return self.now

    async def sleep(self, seconds):
        self.asked.put_nowait(seconds)
        await self._on.get()
        self.now += seconds

    async def step(self):
        """Let a pause go by; returns the seconds of the next one."""
        self._on.put_nowait(None)
        return await self.asked.get()


@pytest.fixture
async def day(tab):
    day = Day()
    task = asyncio.create_task(renew_links(tab, day.clock, day.sleep))
    yield day
    task.cancel()


async def test_links_are_read_again_before_they_expire(api, tab, day):
    api.session("mine", video("gen_a", 9000), video("gen_b", 90_000))
    for name in ("gen_a", "gen_b"):
        await tab.fetch(name)
    async with asyncio.timeout(10):
        assert await day.asked.get() == LONGEST
        assert await day.step() == 9000 - MARGIN - LONGEST
        api.session("mine", video("gen_a", 99_000), video("gen_b", 99_000))
        api.requests.clear()
        await day.step()
    assert day.now == 9000 - MARGIN
    assert api.paths("GET") == ["/api/v1/generations/gen_a"], "only what expires"
    assert expiry(tab.board.get("gen_a")) == 99_000
    assert tab.bell.is_set(), "the page shows the new link"


async def test_what_cannot_be_read_now_is_tried_again(api, tab, day):
    api.session("mine", video("gen_a", 3000))
    await tab.fetch("gen_a")
    api.down = True
    async with asyncio.timeout(10):
        await day.asked.get()
        assert await day.step() == SHORTEST
        api.down = False
        api.session("mine", video("gen_a", 90_000))
        assert await day.step() == LONGEST
    assert expiry(tab.board.get("gen_a")) == 90_000


async def test_the_page_of_the_history_is_read_again_as_a_whole(tab, day):
    tab.history.items = (generation(status="completed", videoUrl="/media/a?exp=3000&sig=s"),)
    async with asyncio.timeout(10):
        await day.asked.get()
        await day.step()
    assert tab.history.outdated.is_set()
