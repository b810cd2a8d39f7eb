"""Somebody generates a video: they watch it, reload, and see it play."""

from playwright.sync_api import expect

from tests.browser.conftest import open_gate


def test_a_video_is_watched_over_a_reload_and_plays(app, tab):
    made = tab.generate("ocean at sunset", "Gated")
    tab.gets_going(made)
    expect(tab.active(made)).to_have_attribute("data-status", "processing")
    expect(tab.find("#job-preview")).to_be_visible()
    tab.reload()
    tab.gets_going(made)
    open_gate(app, made)
    tab.shows(made, "completed")
    tab.can_play()
    expect(tab.history(made)).to_be_visible()
    expect(tab.active(made)).to_have_count(0)
    expect(tab.find("#download")).to_be_visible()
