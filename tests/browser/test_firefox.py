"""Somebody comes with Firefox: they submit, watch it live, reload, and the video plays."""

import os

import pytest

from tests.support.app import App
from tests.support.firefox import Firefox

STATUS = "document.querySelector('#job-status[data-status={}]')?.dataset.generationId"
TYPE = """
const field = document.querySelector("#prompt textarea");
field.value = arguments[0];
field.dispatchEvent(new Event("input", { bubbles: true }));
"""


@pytest.mark.long
def test_a_generation_survives_a_reload_and_plays_in_firefox(tmp_path):
    program = os.environ["VIDEOGEN_TEST_FIREFOX"]
    with App(tmp_path / "data", ["procedural"]) as app, Firefox(program, tmp_path / "profile") as firefox:
        firefox.open(app.base_url)
        firefox.wait_for("document.querySelector('#connection[data-state=live]')")
        firefox.run(TYPE, "calm ocean at sunset")
        firefox.wait_for("document.querySelector('#understood')?.textContent.trim()")
        firefox.run("document.querySelector('#generate').click()")
        made = firefox.wait_for(STATUS.format("processing"))
        firefox.open(app.base_url)
        assert firefox.wait_for(STATUS.format("completed")) == made
        # It has decoded and shown the first frames.
        firefox.wait_for("document.querySelector('#result-video video')?.currentTime > 0.2")
        assert firefox.run("return document.querySelector('#result-video video').error") is None
        assert firefox.run("return document.querySelector('#result-video video').videoWidth") > 0
