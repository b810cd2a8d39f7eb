"""Somebody compares two videos: they play in step, and what differs is said."""

import pytest
from playwright.sync_api import expect

from tests.support.browser import PATIENCE

VIDEOS = "[...document.querySelectorAll('#compare-panes video')]"


@pytest.fixture
def where():
    return "page"


def make(tab, seconds):
    tab.choose_engine("Develops")
    tab.find("#seconds input[type=number]").fill(str(seconds))
    made = tab.generate("calm", "Develops")
    tab.shows(made, "completed")
    return made


def test_compared_videos_play_in_step(tab):
    long, short = make(tab, 2), make(tab, 1)
    tab.find("#pick-start").click()
    for one in (short, long):
        tab.history(one).locator(".card").click()
    tab.find("#history-compare").click()
    expect(tab.find("#compare-differences")).to_have_text("Different: Seed, Length. Everything else is the same.")
    expect(tab.find("#compare-play")).to_have_text("Pause", use_inner_text=True)
    # Over a whole turn: what both can show they show at the same time, and the shorter one waits at its end.
    tab.wait_for(
        f"""() => {{
          const [short, long] = {VIDEOS};
          const at = Number(document.querySelector('#compare-seek').value);
          window.worst ??= 0;
          if (!short.paused && !long.paused && at > 0.4 && at < 0.9)
            window.worst = Math.max(window.worst, Math.abs(short.currentTime - long.currentTime));
          window.waited ||= at > 1.3 && at < 1.7 && short.paused && short.currentTime > 0.9;
          window.again ||= window.waited && at < 0.8 && !short.paused;
          return window.again;
        }}""",
        timeout=3 * PATIENCE,  # a turn is two seconds of film, on a machine that may decode it slowly
    )
    assert tab.evaluate("window.worst") < 0.15

    tab.find("#compare-play").click()
    expect(tab.find("#compare-play")).to_have_text("Play", use_inner_text=True)
    tab.find("#compare-seek").fill("1.5")
    tab.wait_for(
        f"() => {{ const [a, b] = {VIDEOS}; return Math.abs(b.currentTime - 1.5) < 0.1 && a.currentTime > 0.9; }}"
    )
    expect(tab.find("#compare-time")).to_have_text("1.5 / 2.0")
    tab.find("#compare-loop").uncheck()
    tab.find("#compare-play").click()
    expect(tab.find("#compare-time")).to_have_text("2.0 / 2.0")
    expect(tab.find("#compare-play")).to_have_text("Play", use_inner_text=True)
    tab.page.set_viewport_size({"width": 320, "height": 640})
    assert tab.evaluate("document.querySelector('dialog').scrollWidth") <= 320
    tab.find("#compare-panes figure").first.get_by_role("button", name="Open A").click()
    expect(tab.find("dialog")).to_have_count(0)
    tab.shows(short, "completed")
