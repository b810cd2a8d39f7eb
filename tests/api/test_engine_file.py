"""An app with an engine file: engines of one kind side by side, and some that cannot render here."""

import pytest

from tests.support.api import API, Session
from tests.support.app import FAKES

OWN = f"""
from runpy import run_path

bars = run_path({str(FAKES)!r})["bars"]
"""
ENGINES = """
[[engine]]
id = "missing"
kind = "needs.py:engine"

[[engine]]
id = "small"
title = "Small bars"
kind = "own.py:bars"
concurrency = 2
defaults = {width = 96, duration_seconds = 0.5, fps = 8}
bounds.width.maximum = 128
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("engines")
    (folder / "own.py").write_text(OWN)
    (folder / "needs.py").write_text("import nothing_of_this_name\n")
    (folder / "engines.toml").write_text(ENGINES)
    return folder


@pytest.fixture(scope="module")
def app(module_app, folder):
    return module_app(engines=[str(folder / "engines.toml")], workers=1)


@pytest.fixture
def session(app):
    with Session(app.base_url) as session:
        yield session


def test_the_app_starts_and_the_list_says_which_engine_cannot_render_and_what_to_do(session):
    items = {item["id"]: item for item in session.http.get(f"{API}/engines").json()["items"]}
    assert list(items) == ["missing", "small"]
    assert [item["available"] for item in items.values()] == [False, True]
    assert "'nothing_of_this_name', which is not installed. Install it" in items["missing"]["reason"]
    assert items["small"]["default"], "the first that can render here"
    assert items["small"]["title"] == "Small bars"
    width = items["small"]["settingsSchema"]["properties"]["width"]
    assert (width["default"], width["maximum"]) == (96, 128)


def test_an_engine_of_the_file_renders_with_its_defaults_and_refuses_what_is_out_of_its_bounds(session):
    body = {"prompt": "blue bars", "engine": "small", "settings": {"height": 64}}
    (made,) = session.post("/generations", json=body).json()["generations"]
    ended = session.finish(made["id"])
    assert (ended["status"], ended["engine"], ended["width"], ended["fps"]) == ("completed", "small", 96, 8)
    refused = session.try_submit("small", settings={"width": 512})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "settings.width")


def test_a_request_to_an_engine_that_cannot_render_is_refused_in_words(session):
    refused = session.try_submit("missing")
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    assert "'nothing_of_this_name', which is not installed" in refused.json()["detail"]
