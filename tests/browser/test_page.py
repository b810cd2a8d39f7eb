"""What the checklist takes for granted: phones, double clicks, keys, light and dark, a quiet console, no other host."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import finish, open_gate
from tests.browser.engines import MARKUP

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
LOUD = ("error", "warning")
COLOURS = Path(__file__).with_name("colours.js").read_text()
FOCUSED = "id => document.activeElement?.closest('#' + id) !== null"


@pytest.fixture
def where():
    """The page itself is enough here."""
    return "page"


def test_fits_a_phone_where_a_double_click_starts_one_generation(app, person, where):
    tab = person(where).tab(app.base_url)
    tab.page.set_viewport_size(PHONE)
    tab.open()
    wide = "document.documentElement.scrollWidth"
    assert tab.evaluate(wide) == PHONE["width"]

    expect(tab.find("#generate")).to_be_visible()
    tab.choose_engine("Gated")
    tab.prompt.fill("W" * 300)
    tab.find("#generate").dblclick()
    generation = tab.next_after("")
    tab.gets_going(generation)
    expect(tab.find("#active [data-generation-id]")).to_have_count(1)  # a double click starts one generation
    open_gate(app, generation)
    tab.shows(generation, "completed")
    tab.can_play()

    assert tab.evaluate(wide) == PHONE["width"], "a long word makes the page scroll sideways"
    for selector in ("#prompt", "#generate", "#job-status", "#result-video video", "#download", "#history"):
        expect(tab.find(selector)).to_be_visible()
        box = tab.find(selector).bounding_box()
        assert box["x"] >= 0, selector
        assert box["x"] + box["width"] <= PHONE["width"], selector


def test_works_by_keys_alone(tab):
    def tab_to(element):
        for _ in range(40):
            tab.page.keyboard.press("Tab")
            if tab.evaluate(FOCUSED, element):
                return
        raise AssertionError(f"Tab does not lead to #{element}")

    tab_to("prompt")
    tab.page.keyboard.type("by keys alone")
    tab_to("generate")
    tab.page.keyboard.press("Enter")
    generation = tab.next_after("")
    tab.shows(generation, "processing")
    tab_to("cancel")
    tab.page.keyboard.press("Space")
    tab.shows(generation, "cancelled")


def test_light_and_dark_follow_the_system(app, person, where):
    tab = person(where).tab(app.base_url)
    for scheme in ("dark", "light"):
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


STRANGE = f"<i>two red moons</i> over שלום \u202ethe sea\u202c 🐉 {MARKUP}"


def test_what_was_understood_is_on_the_page_and_any_text_is_text(app, tab):
    generation = tab.generate(STRANGE, "Procedural")
    tab.shows(generation, "completed")
    tab.can_play()

    expect(tab.find("#job-prompt")).to_have_text(STRANGE)
    expect(tab.history(generation)).to_contain_text("<i>two red moons</i>")
    understood = tab.find("#job-understood li")
    expect(understood.filter(has_text="two red moons")).to_have_text("two red moons→moon, 2, red")
    expect(understood.filter(has_text="ocean")).to_have_text("sea→ocean")
    for word in ("שלום", "🐉", "onerror"):
        expect(tab.find("#job-ignored bdi").filter(has_text=word).first).to_be_visible()
    assert tab.find("#job-about i, #job-about img, #history i").count() == 0
    assert STRANGE in tab.find("#job-preview").get_attribute("alt")
    assert tab.evaluate("window.scriptRan") is None

    other = tab.generate("qwerty zxcv", "Procedural")
    tab.shows(other, "completed")
    expect(tab.find("#job-reading-note")).to_contain_text("abstract")
    expect(understood).to_have_count(0)
    expect(tab.find("#job-ignored")).to_contain_text("qwerty, zxcv")

    last = tab.generate("an engine that tells nothing", "Gated")
    tab.gets_going(last)
    expect(tab.find("#job-reading")).to_be_hidden()
