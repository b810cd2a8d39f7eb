"""For those who look elsewhere: title, notification, sound, a word on return; and keys for those who like them."""

import re

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import open_gate

pytestmark = pytest.mark.browser

NOTIFICATIONS = """allowed => {
  window.asked = 0;
  window.notified = [];
  window.Notification = class {
    constructor(title, options) { window.notified.push([options.tag, title, options.body]); }
    close() {}
    static permission = "default";
    static async requestPermission() { window.asked += 1; return (Notification.permission = allowed); }
  };
}"""
HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture
def where():
    return "page"


def titled(tab, pattern):
    expect(tab.page).to_have_title(re.compile(pattern))


def test_somebody_who_looks_elsewhere_hears_of_the_end_once(app, open_tab):
    one, two = open_tab(), open_tab()
    titled(one, "^videogen$")
    for tab in (one, two):
        tab.evaluate(NOTIFICATIONS, "granted")
    one.find("#alerts-open").click()
    notify, sound = one.find("#alert-notify"), one.find("#alert-sound")
    expect(notify).not_to_be_checked()
    expect(sound).not_to_be_checked()
    assert one.evaluate("window.asked") == 0
    notify.check()
    sound.check()
    one.wait_for("() => window.notified.length === 1 && videogen.alerts.chimes === 1")  # both show what they are like
    assert one.evaluate("window.asked") == 1
    one.page.keyboard.press("Escape")
    expect(one.find("#alerts")).to_be_hidden()
    # What one tab was allowed, the browser allows the other.
    two.evaluate("Notification.permission = 'granted'")

    generation = one.generate("a lighthouse", "Gated")
    one.gets_going(generation)
    titled(one, r"^\d+ % · a lighthouse$")
    assert one.evaluate("document.querySelector('link[rel=icon]').href").startswith("data:image/png")
    for tab in (one, two):
        tab.evaluate(HIDE, True)
    open_gate(app, generation)
    for tab in (one, two):
        titled(tab, "^✓ a lighthouse$")
    both = "[...window.notified.filter(([tag]) => tag !== 'sample')]"
    for tab in (one, two):
        tab.wait_for("id => videogen.alerts.told.has(id)", generation)
    told = one.evaluate(both) + two.evaluate(both)
    assert told == [[generation, "Your video is ready", "a lighthouse"]]

    one.evaluate(HIDE, False)
    titled(one, "^videogen$")
    expect(one.find("#away")).to_contain_text("While you were away: 1 finished.")
    one.find("#away-show").click()
    expect(one.find("#away")).to_be_hidden()
    one.shows(generation, "completed")


def test_back_after_a_while_it_is_said_what_has_ended_and_only_once(app, person):
    me = person("page")
    tab = me.tab(app.base_url).open()
    generation = tab.generate("a mill", "Gated")
    tab.gets_going(generation)
    tab.wait_for("() => localStorage['videogen.here']")
    token = tab.evaluate("JSON.parse(localStorage['videogen.token'])")
    tab.page.goto("about:blank")
    open_gate(app, generation)
    stream = f"{app.base_url}/api/v1/generations/{generation}/events"
    with httpx.Client(trust_env=False, timeout=30) as http:
        http.get(stream, headers={"Authorization": f"Bearer {token}"})  # which ends with the generation

    tab = me.tab(app.base_url)
    tab.open()
    expect(tab.find("#away")).to_contain_text("While you were away: 1 finished.")
    tab.reload()
    tab.wait_for("() => videogen.watched")
    expect(tab.find("#away")).to_be_hidden()


def test_a_refusal_is_said_and_a_frame_says_why_not(app, tab, person):
    tab.evaluate(NOTIFICATIONS, "denied")
    tab.find("#alerts-open").click()
    tab.find("#alert-notify").click()
    expect(tab.find("#alert-notify-said")).to_contain_text("does not allow notifications")
    expect(tab.find("#alert-notify")).not_to_be_checked()

    framed = person("iframe").tab(app.base_url).open()
    framed.find("#alerts-open").click()
    expect(framed.find("#alert-notify")).to_be_disabled()
    expect(framed.find("#alert-notify-said")).to_contain_text("tab of its own")


def test_keys_do_what_the_help_says_but_never_while_somebody_types(app, tab):
    tab.prompt.fill("")
    tab.prompt.press_sequentially("why? p/j X")
    expect(tab.prompt).to_have_value("why? p/j X")
    expect(tab.find("#help")).to_be_hidden()
    ids = []
    for number in range(2):
        ids.append(tab.generate(f"short {number}", "Develops"))
        tab.shows(ids[-1], "completed")
    tab.can_play()
    tab.evaluate("document.activeElement.blur()")
    press = tab.page.keyboard.press

    press("Shift+?")
    expect(tab.find("#help")).to_be_visible()
    press("j")  # under an open dialog nothing else listens
    press("Escape")
    expect(tab.find("#help")).to_be_hidden()
    tab.shows(ids[1], "completed")
    press("j")
    tab.shows(ids[0], "completed")
    press("k")
    tab.shows(ids[1], "completed")
    tab.can_play()
    tab.wait_for("() => !document.querySelector('#result-video video').paused")
    press("p")
    tab.wait_for("() => document.querySelector('#result-video video').paused")
    for words in ("Marked as a favourite.", "Not a favourite any more."):
        press("f")
        expect(tab.find("#keys-said")).to_have_text(words)
    press("Control+p")
    assert tab.evaluate("document.querySelector('#result-video video').paused"), "that is the browser's"
    press("g")
    expect(tab.prompt).to_be_focused()

    running = tab.generate("to be stopped", "Gated")
    tab.shows(running, "processing")
    tab.find("h1").click()
    press("Shift+X")
    tab.shows(running, "cancelled")
    tab.find("#help-open").click()
    tab.find("#keys-on").uncheck()
    tab.find("#help-close").click()
    press("j")
    press("Shift+?")
    expect(tab.find("#help")).to_be_hidden()
    tab.shows(running, "cancelled")
