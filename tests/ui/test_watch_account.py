"""The watcher of a page whose person signs in: on a page that is open, and where nothing else is shown before."""

import asyncio
from dataclasses import replace

import orjson
import pytest

from tests.client.answers import generation_json
from tests.ui.conftest import engine
from videogen.ui import watch as watch_module
from videogen.ui.form import Limits, engine_form
from videogen.ui.pace import Pace
from videogen.ui.pages import Visit
from videogen.ui.tab import Site
from videogen.ui.tabs import Tabs
from videogen.ui.watch import Watch, Watched

ADA = {"name": "Ada", "username": "ada", "picture": None, "provider": "The Lab"}
SITE = Site([engine_form(engine(), Limits())], login="The Lab")


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(watch_module, "LOCKED_SECONDS", 0.01)


def frames_of(client, tabs, site=SITE):
    watch = Watch(Watched(tabs, Pace(), site, new_token=lambda: "fresh"), client, "tab")
    return watch.frames(Visit.read({"token": "mine"}, {}, {}))


def panels(frame):
    return "".join(html for html in frame[:-1] if isinstance(html, str))


async def until(frames, text):
    async with asyncio.timeout(10):
        while text not in panels(frame := await anext(frames)):
            pass
        return frame


def refuse(api, code, status=401):
    problem = {"title": code, "status": status, "detail": f"About {code}.", "code": code}
    api.canned["GET", "/generations"] = api.canned["GET", "/events"] = (status, problem)


async def test_a_sign_in_elsewhere_shows_the_merged_history_without_a_reload(api, client):
    api.session("mine")
    api.canned["GET", "/account"] = (200, None)
    frames = frames_of(client, Tabs())
    first = await until(frames, "Sign in</bdi>")
    assert "made at home" not in panels(first)
    api.canned["GET", "/account"] = (200, ADA)
    api.session("mine", generation_json("gen_b", status="completed", prompt="made at home"))
    api.cut()
    shown = panels(await until(frames, "You are signed in as Ada."))
    assert "made at home" in shown
    assert "Account: Ada" in shown
    await frames.aclose()


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        ("login_required", 401, "Sign in to use this app"),
        ("login_not_allowed", 403, "your account is not among them"),
    ],
)
async def test_who_may_see_nothing_gets_one_screen_until_that_changes(api, client, code, status, words):
    api.session("mine", generation_json("gen_a", status="completed", prompt="a secret"))
    refuse(api, code, status)
    frames = frames_of(client, Tabs())
    frame = await until(frames, words)
    assert "sign-in-title" in panels(frame)
    assert "a secret" not in panels(frame)
    assert orjson.loads(frame[-1])["link"] == "live"
    api.canned.clear()
    api.canned["GET", "/account"] = (200, ADA)
    shown = panels(await until(frames, "a secret"))
    assert "sign-in-title" not in shown
    assert "You are signed in as Ada." in shown
    await frames.aclose()


async def test_a_visitor_without_a_session_keeps_the_one_that_signs_in(api, client):
    api.session("fresh")
    refuse(api, "login_required")
    frames = frames_of(client, Tabs())
    frame = await until(frames, "sign-in-title")
    assert orjson.loads(frame[-1])["session"] == {"token": "fresh", "adopt": True}
    assert api.paths("POST") == [], "nothing is stored before the sign-in begins"
    await frames.aclose()


async def test_signing_out_of_an_account_that_is_not_allowed_leads_back_to_the_sign_in(api, client):
    api.session("mine")
    refuse(api, "login_not_allowed", 403)
    tabs = Tabs()
    frames = frames_of(client, tabs, replace(SITE, requires_login=True))
    await until(frames, "account-leave")
    api.session("fresh")
    refuse(api, "login_required")
    tab = tabs.pages.get("tab")
    tab.next_token = "fresh"
    tab.ring(urgent=True)
    await until(frames, "Sign in with The Lab")
    await frames.aclose()
