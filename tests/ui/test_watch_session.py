"""The watcher of a page whose session changes: a claim, and the code in an address."""

import asyncio

import orjson
import pytest

from tests.client.answers import generation_json
from tests.ui.conftest import engine
from videogen.ui.form import Limits, engine_form
from videogen.ui.pace import Pace
from videogen.ui.pages import Visit, claimed_code
from videogen.ui.tab import Notice, Site
from videogen.ui.tabs import Tabs
from videogen.ui.watch import Watch, Watched


@pytest.mark.parametrize(
    ("search", "fragment", "code"),
    [
        ("", "", None),
        ("?claim=K7QF-2M9X", "", "K7QF-2M9X"),
        ("?generation=gen_a", "#claim=secret", "secret"),
        ("", "#top", None),
        ("?claim=", "#claim=%20", None),
    ],
)
def test_the_code_in_an_address(search, fragment, code):
    assert claimed_code(search, fragment) == code


async def test_a_link_asks_and_after_the_claim_the_same_page_shows_the_other_session(api, client):
    api.session("mine")
    api.session("theirs", generation_json("gen_b", status="completed", prompt="made there"))
    tabs = Tabs()
    watch = Watch(Watched(tabs, Pace(), Site([engine_form(engine(), Limits())])), client, "tab")
    frames = watch.frames(Visit.read({"token": "mine", "hash": "#claim=secret"}, {"videogen_session": "mine"}, {}))
    async with asyncio.timeout(10):
        frame = await anext(frames)
        assert orjson.loads(frame[-1])["address"]["hash"] is True
        assert any("claim-yes" in html for html in frame[:-1] if isinstance(html, str))
        tab = tabs.pages.get("tab")
        tab.claim = None
        tab.move("theirs", Notice("Moved."))
        tab.ring(urgent=True)
        frame = await anext(frames)
        signals = orjson.loads(frame[-1])
        assert signals["session"] == {"token": "theirs", "adopt": True}
        assert signals["address"]["hash"] is False
        panels = "".join(html for html in frame[:-1] if isinstance(html, str))
        assert "made there" in panels
        assert "Moved." in panels
        assert "claim-yes" not in panels
        assert tabs.owns("tab", ["theirs"], if_nobody=False)
        assert not tabs.owns("tab", ["mine"], if_nobody=True)
        # A page that is signed out later says so; it does not fall back on the session that was left.
        del api.sessions["theirs"]
        api.cut()
        while (frame := await anext(frames)) and "signed out" not in str(frame[:-1]):
            pass
    await frames.aclose()
