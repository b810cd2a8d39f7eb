"""What the checklist takes for granted: phones, keys, light and dark, a quiet console, no other host."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import open_gate

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
LOUD = ("error", "warning")
FOCUSED = "id => document.activeElement?.closest('#' + id) !== null"


@pytest.fixture
def where():
    """The page itself is enough here."""
    return "page"


def finish(app, tab, prompt):
    """The id of a generation that has just completed."""
    generation = tab.generate(prompt, "Gated")
    tab.gets_going(generation)
    open_gate(app, generation)
    tab.shows(generation, "completed")
    tab.can_play()
    return generation


def test_fits_a_phone(app, person, where):
    tab = person(where).tab(app.base_url)
    tab.page.set_viewport_size(PHONE)
    tab.open()
    wide = "document.documentElement.scrollWidth"
    assert tab.evaluate(wide) == PHONE["width"]

    expect(tab.find("#generate")).to_be_visible()
    finish(app, tab, "W" * 300)

    assert tab.evaluate(wide) == PHONE["width"], "a long word makes the page scroll sideways"
    for selector in ("#prompt", "#generate", "#job-status", "#result-video video", "#download", "#history"):
        expect(tab.find(selector)).to_be_visible()
        box = tab.find(selector).bounding_box()
        assert box["x"] >= 0, selector
        assert box["x"] + box["width"] <= PHONE["width"], selector


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_works_by_keys_alone(tab, key):
    def tab_to(element):
        for _ in range(40):
            tab.page.keyboard.press("Tab")
            if tab.evaluate(FOCUSED, element):
                return
        raise AssertionError(f"Tab does not lead to #{element}")

    tab_to("prompt")
    tab.page.keyboard.type("by keys alone")
    tab_to("generate")
    tab.page.keyboard.press(key)
    generation = tab.next_after("")
    tab.shows(generation, "processing")
    tab_to("cancel")
    tab.page.keyboard.press(key)
    tab.shows(generation, "cancelled")


COLOURS = """
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const light = (colour) => {
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((part) => {
      const value = part / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const solid = (node) => {
    const colour = getComputedStyle(node).backgroundColor;
    if (!/, 0\\)$|transparent/.test(colour) || node.parentElement === null) return colour;
    return solid(node.parentElement);
  };
  const on = (selector) => {
    const node = document.querySelector(selector);
    return { text: light(getComputedStyle(node).color), ground: light(solid(node)) };
  };
  return { page: on("body"), prompt: on("#prompt textarea"), status: on("#job-status"), button: on("#generate") };
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_follow_the_system(app, person, where, scheme):
    tab = person(where).tab(app.base_url)
    tab.page.emulate_media(color_scheme=scheme)
    colours = tab.open().evaluate(COLOURS)
    assert (colours["page"]["ground"] > 0.6) if scheme == "light" else (colours["page"]["ground"] < 0.1)
    for name, colour in colours.items():
        dark, bright = sorted(colour.values())
        assert (bright + 0.05) / (dark + 0.05) >= 4.5, f"{name} is hard to read: {colour}"


def test_quiet_console_and_no_other_host(app, person, where):
    me = person(where)
    complaints, hosts = [], set()

    def open_with_ears():
        tab = me.tab(app.base_url)
        tab.page.on(
            "console", lambda said: complaints.append(f"{said.text} {said.location}") if said.type in LOUD else None
        )
        tab.page.on("pageerror", lambda error: complaints.append(str(error)))
        tab.page.on("request", lambda request: hosts.add(urlsplit(request.url)[:2]))
        tab.page.on("websocket", lambda socket: hosts.add(urlsplit(socket.url)[:2]))
        return tab.open()

    finish(app, open_with_ears(), "a quiet film")
    # Once more, with a film that is there already.
    open_with_ears().can_play()

    assert {host for host in hosts if host[0] not in ("data", "blob")} == {urlsplit(app.base_url)[:2]}
    assert complaints == []
