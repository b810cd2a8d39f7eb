"""Who comes back sees the true state at once, before Gradio has started, and can already act on it."""

import re
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SHIFTS, open_gate

pytestmark = pytest.mark.browser


@contextmanager
def holding(tab, address):
    """The first request to this address is under way for as long as this lasts."""
    held = []

    def hold(route):
        held.append(route)

    tab.page.route(re.compile(address), hold, times=1)
    try:
        yield
    finally:
        for route in held:
            route.continue_()


def without_gradio(tab):
    """Gradio's own script is what is under way."""
    return holding(tab, r"/assets/index-[\w-]+\.js")


def test_true_progress_is_there_before_gradio_where_it_stays_and_a_click_counts(app, tab):
    generation = tab.generate("a film to come back to", "Gated")
    tab.gets_going(generation)
    before = tab.progress
    tab.page.add_init_script(SHIFTS)
    tab.reload()
    tab.says("Live")
    assert tab.evaluate("window.shifted") <= 0.02, "something jumped when Gradio started"

    with without_gradio(tab):
        tab.page.reload(wait_until="commit")
        tab.shows(generation, "processing")
        assert tab.progress >= before
        tab.wait_for("() => document.querySelector('#job-preview').naturalWidth > 0")
        expect(tab.find("#notice")).to_contain_text("1 generation is still rendering")
        expect(tab.active(generation)).to_be_visible()
        # It is true, but not live yet, and does not pretend to be.
        expect(tab.find("#connection")).to_have_text("Reconnecting")
        expect(tab.prompt).to_have_count(0)

    tab.says("Live")
    expect(tab.prompt).to_be_visible()
    open_gate(app, generation)
    tab.shows(generation, "completed")
    shown = [entry["progress"] for entry in tab.seen["job"] if entry["id"] == generation]
    assert shown == sorted(shown), "progress fell between the first paint and the live one"

    # A click before Gradio counts.
    unwanted = tab.generate("a film that is not wanted", "Gated")
    tab.gets_going(unwanted)
    # Gradio may not have read the browser's storage by then, and a frame has no cookie: the click brings the session.
    assert tab.evaluate("videogen.session.ofClick(null)")[0]["token"]
    with without_gradio(tab):
        tab.page.reload(wait_until="commit")
        tab.shows(unwanted, "processing")
        tab.find("#cancel").click()
    tab.shows(unwanted, "cancelled")


def test_a_preset_pressed_before_gradio_starts_and_is_in_the_form(app, person, where):
    tab = person(where).tab(app.base_url)
    with without_gradio(tab):
        tab.go(wait_until="commit")
        tab.find("#stage-presets").get_by_role("button", name="Noir").click()
    expect(tab.prompt).to_have_value("a street at night")
    generation = tab.next_after("")
    tab.shows(generation, "completed")
    expect(tab.find("#job-prompt")).to_have_text("a street at night")


def test_what_is_typed_and_sent_before_gradio_counts(app, person, where):
    tab = person(where).tab(app.base_url)
    with without_gradio(tab):
        tab.go(wait_until="commit")
        tab.find("#early-prompt").fill("a film that cannot wait")
        tab.find("#early-generate").click()
        tab.find("#early-prompt").press("End")
        tab.page.keyboard.type(" at all")
    # The form takes over what stands there, with the focus, and goes on from it.
    expect(tab.prompt).to_be_focused()
    expect(tab.prompt).to_have_value("a film that cannot wait at all")
    expect(tab.find("#early")).to_have_count(0)
    expect(tab.find("#job-prompt")).to_have_text("a film that cannot wait")
    expect(tab.status).not_to_have_attribute("data-generation-id", "")


def test_what_is_sent_before_the_session_is_known_is_sent_once_it_is(app, person, where):
    tab = person(where).tab(app.base_url)
    # This starts the page's watcher, which tells its session; in a frame without cookies there is no other way.
    with holding(tab, "/queue/join"):
        tab.go()
        expect(tab.find("#generate")).to_be_visible()
        tab.choose_engine("Gated")
        tab.prompt.fill("a film of somebody in a hurry")
        tab.find("#generate").click()
        expect(tab.status).to_have_text("Sending")
    generation = tab.next_after("")
    tab.shows(generation, "processing")
    expect(tab.find("#active [data-generation-id]")).to_have_count(1)
