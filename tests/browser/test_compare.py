"""Two to four results side by side: in step, with what differs marked, and back to where one was."""

import json

import pytest
from playwright.sync_api import expect

from tests.support.browser import PATIENCE

pytestmark = pytest.mark.browser

MAKE = """async wishes => {
  const token = await videogen.session.token();
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${token}` };
  const made = [];
  for (const wish of wishes) {
    const answer = await fetch("/api/v1/generations", { method: "POST", headers, body: wish });
    if (!answer.ok) throw new Error(await answer.text());
    made.push((await answer.json()).generations[0].id);
  }
  return made;
}"""
SETTINGS = {"width": 512, "height": 288, "fps": 12}
VIDEOS = "[...document.querySelectorAll('#compare video')]"


@pytest.fixture
def where():
    return "page"


def wish(prompt, seconds, **values):
    return {"prompt": prompt, "engine": "develops", "settings": SETTINGS | {"durationSeconds": seconds}} | values


@pytest.fixture
def made(tab):
    """A short video, a longer one, and a still."""
    wishes = [wish("calm", 1), wish("calm", 2), wish("<b>calm</b>", 1, type="image")]
    wishes[2]["settings"] = {"width": 512, "height": 288, "seed": 2**53 - 1}
    ids = tab.evaluate(MAKE, [json.dumps(one) for one in wishes])
    for name in ids:
        expect(tab.history(name)).to_have_attribute("data-status", "completed")
    return ids


def test_videos_play_in_step_and_what_differs_is_marked(tab, made):
    short, long, still = made
    tab.find("#help-open").focus()
    tab.evaluate("ids => videogen.compare.open(ids)", [short, long])
    expect(tab.find("#compare")).to_be_visible()
    expect(tab.find("#compare-play")).to_have_text("Pause")

    rows = tab.find("#compare-rows tr")
    differ = rows.and_(tab.find("[data-differs]")).locator("th").all_inner_texts()
    assert differ == ["≠ Seed", "≠ Length"]
    expect(rows.filter(has_text="Length")).to_have_text("≠Length1 s2 s".replace("≠", "≠ "))
    expect(rows.first.locator("td").first).to_have_text("calm")

    # Over a whole turn: what both can show they show at the same time, and the shorter one waits at its end.
    tab.wait_for(
        f"""() => {{
          const [short, long] = {VIDEOS};
          window.worst ??= 0;
          const at = videogen.compare.clock.position();
          if (!short.paused && !long.paused && at > 0.4 && at < 0.9)
            window.worst = Math.max(window.worst, Math.abs(short.currentTime - long.currentTime));
          window.waited ||= at > 1.3 && at < 1.7 && short.paused && !long.paused && short.currentTime > 0.9;
          window.again ||= window.waited && at < 0.8 && !short.paused;
          return window.again;
        }}""",
        timeout=3 * PATIENCE,  # a turn is two seconds of film, on a machine that may decode it slowly
    )
    assert tab.evaluate("window.worst") < 0.15

    tab.find("#compare-play").click()
    expect(tab.find("#compare-play")).to_have_text("Play")
    tab.find("#compare-seek").fill("1.5")
    tab.wait_for(
        f"() => {{ const [a, b] = {VIDEOS}; return Math.abs(b.currentTime - 1.5) < 0.1 && a.currentTime > 0.9; }}"
    )
    expect(tab.find("#compare-time")).to_have_text("1.5 / 2.0 s")
    tab.find("#compare-loop").uncheck()
    tab.find("#compare-title").click()
    tab.page.keyboard.press("Space")
    expect(tab.find("#compare-play")).to_have_text("Play")  # once at the end, since it does not loop
    tab.wait_for("() => videogen.compare.clock.position() >= 1.99")

    tab.page.keyboard.press("Escape")
    expect(tab.find("#compare")).to_be_hidden()
    expect(tab.find("#help-open")).to_be_focused()
    tab.wait_for("() => videogen.compare.clock === null")

    tab.page.set_viewport_size({"width": 320, "height": 640})
    tab.evaluate("ids => videogen.compare.open(ids)", [short, long, still, short])
    expect(tab.find("#compare figure")).to_have_count(4)
    expect(tab.find("#compare img")).to_be_visible()
    expect(tab.find("#compare-rows")).to_contain_text(str(2**53 - 1))
    expect(tab.find("#compare-rows")).to_contain_text("<b>calm</b>")
    assert tab.evaluate("document.querySelector('#compare').scrollWidth") <= 320
    tab.find("#compare figure").nth(2).get_by_role("button", name="Open C").click()
    tab.shows(still, "completed")

    tab.evaluate("id => videogen.compare.open([id, 'gen_AAAAAAAAAAAAAAAAAAAA'])", short)
    expect(tab.find("#compare-said")).to_have_text("One of them is not there any more.")
    tab.page.keyboard.press("Escape")

    tab.page.set_viewport_size({"width": 1280, "height": 720})
    tab.find("#history-select").click()
    for name, fits in ((long, False), (short, True)):
        tab.history(name).locator(".vg-card").click()
        expect(tab.find("#history-compare")).to_be_enabled(enabled=fits)
    tab.find("#history-compare").click()
    expect(tab.find("#compare figure")).to_have_count(2)
    tab.page.keyboard.press("Escape")
    expect(tab.find("#history-compare")).to_be_focused()
