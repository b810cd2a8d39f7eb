"""A tiny Wan on the page: reloaded at half-way, its renderer killed, and the video plays."""

import psutil
import pytest

pytest.importorskip("torch", reason="diffusers is not installed; `make test-diffusers` runs this")

from playwright.sync_api import expect, sync_playwright

from tests.support.app import App
from tests.support.browser import Person, launch

PATIENCE_SECONDS = 200
ENGINE = """
import threading

from videogen.engines.diffusers.engine import DiffusersEngine
from videogen.engines.diffusers.options import DiffusersOptions
from videogen.engines.spec import EngineSpec


class Engine(DiffusersEngine):
    def render(self, recipe, ctx):
        from videogen.engines.diffusers.job import _Reporter

        step_done = _Reporter.step_done

        def stands_still(reporter, run, step, total):
            step_done(reporter, run, step, total)
            while ctx.attempt == 1 and step == 4:
                ctx.raise_if_cancelled()
                threading.Event().wait(0.02)

        _Reporter.step_done = stands_still
        return super().render(recipe, ctx)


spec = EngineSpec.model_validate_json(SPEC)
engine = Engine(spec, spec.parse(DiffusersOptions))


class Small(engine.settings):
    width: int = 64
    height: int = 64
    fps: int = 8
    duration_seconds: float = 1.125
    steps: int = 8


engine.settings = Small
"""


@pytest.mark.browser
def test_a_render_survives_a_reload_and_a_killed_renderer_and_plays(spec_for, tmp_path):
    file = tmp_path / "tiny.py"
    file.write_text(f"SPEC = {spec_for('wan').model_dump_json()!r}\n{ENGINE}")
    # Beside the other tests, which import torch, it takes long to start.
    app = App(tmp_path / "data", engines=[f"{file}:engine"]).start(patience=PATIENCE_SECONDS)
    with app, sync_playwright() as playwright:
        browser = launch(playwright)
        tab = Person(browser, None, "page").tab(app.base_url).open()
        generation = tab.generate("a sea at sunset", "tiny-wan")
        tab.wait_for(
            "() => Number(document.querySelector('#job-progress')?.ariaValueNow) >= 49", timeout=PATIENCE_SECONDS * 1000
        )
        tab.reload()
        tab.shows(generation, "processing")
        assert tab.progress >= 49
        expect(tab.find("#job-preview")).to_be_visible()
        psutil.Process(app.renderer(generation).pid).kill()
        status = tab.find(f'#job-status[data-generation-id="{generation}"]')
        expect(status).to_have_attribute("data-status", "completed", timeout=PATIENCE_SECONDS * 1000)
        tab.can_play()
        found = tab.evaluate("id => fetch(`/api/v1/generations/${id}`).then(answer => answer.json())", generation)
        assert (found["status"], found["attempt"]) == ("completed", 2)
        browser.close()
