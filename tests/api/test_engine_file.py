"""An app with an engine file: engines of one kind side by side, and some that cannot render here."""

import pytest

from tests.support.api import API, Session
from tests.support.app import FAKES

OWN = f"""
from pathlib import Path
from runpy import run_path
from videogen.engines import Capabilities, engine

bars = run_path({str(FAKES)!r})["bars"]
here = Path(__file__).parent / "model"

@engine("loaded")
def loaded(recipe):
    yield from bars(recipe)

loaded.probe = lambda: Capabilities(available=here.is_dir(), reason="There is no model. Download it.")
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

[[engine]]
id = "loaded"
kind = "own.py:loaded"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("engines")
    (folder / "own.py").write_text(OWN)
    (folder / "needs.py").write_text("import nothing_of_this_name\n")
    (folder / "engines.toml").write_text(ENGINES)
    (folder / "model").mkdir()
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
    assert list(items) == ["missing", "small", "loaded"]
    assert [item["available"] for item in items.values()] == [False, True, True]
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


def test_a_job_whose_engine_became_unavailable_fails_with_the_reason_and_the_app_goes_on(session, folder):
    session.post("/queue/pause")
    made = session.submit("loaded")
    (folder / "model").rmdir()
    session.post("/queue/resume")
    ended = session.finish(made["id"])
    assert (ended["status"], ended["error"]["code"], ended["error"]["retryable"]) == (
        "failed",
        "engine_unavailable",
        True,
    )
    assert ended["error"]["message"] == "There is no model. Download it."
    (folder / "model").mkdir()
    again = session.post(f"/generations/{made['id']}/retry").json()
    assert session.finish(again["id"])["status"] == "completed"
