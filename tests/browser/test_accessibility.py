"""WCAG 2.2 AA as axe finds it, in the main states and both themes; keys alone; small and large screens."""

from importlib.resources import files

from playwright.sync_api import expect

from tests.browser.conftest import open_gate
from tests.support.browser import DESK

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
RUN = "runOnly => axe.run(document, { runOnly, resultTypes: ['violations'] })"
EVERYTHING = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
# All that another theme can change.
COLOURS = ("color-contrast", "link-in-text-block")
PHONE, SMALLEST, LARGEST = ({"width": w, "height": h} for w, h in ((390, 844), (320, 640), (3840, 2160)))
# Nothing reaches beyond the right edge, not even where the page does not scroll.
WIDE = """() => [...document.querySelectorAll("body *")].filter((node) => {
  const box = node.getBoundingClientRect();
  const seen = node.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const cut = node.closest(".skip, .hidden-text, [style*='overflow']") || getComputedStyle(node).clipPath !== "none";
  return seen && !cut && box.width > 1 && box.right > document.documentElement.clientWidth + 1;
}).map((node) => `${node.tagName} ${node.id} ${node.className}`)"""


def faults(page, rules=EVERYTHING):
    """What axe finds, as lines that say where and why."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE)
    return [
        f"{found['id']}: {node['target']} {node['failureSummary']}"
        for found in page.evaluate(RUN, list(rules))["violations"]
        for node in found["nodes"]
        # What is half under the phone's sticky button can be scrolled from there.
        if "partially obscured" not in node["failureSummary"]
    ]


def problems(page, view):
    """Of a view, in both themes at a desk, and on a phone; and what is too wide."""
    found = []
    expect(page.locator(".loading")).to_have_count(0)
    for scheme, size, rules in (("light", DESK, EVERYTHING), ("dark", DESK, COLOURS), ("dark", PHONE, EVERYTHING)):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function("dark => document.body.classList.contains('dark') === dark", arg=scheme == "dark")
        # Colours that are on their way are not what is seen. Asked again with each frame, so that there are frames.
        page.wait_for_function(
            "!document.getAnimations().some(one => one instanceof CSSTransition && one.playState === 'running')"
        )
        found += [f"{view}, {scheme}, {size['width']} px: {fault}" for fault in faults(page, rules)]
    for size in (PHONE, SMALLEST, LARGEST):
        page.set_viewport_size(size)
        where = f"{view}, {size['width']} px"
        if not page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"):
            found.append(f"{where}: scrolls sideways")
        found += [f"{where}: too wide: {node}" for node in page.evaluate(WIDE)]
    page.set_viewport_size(DESK)
    return found


def test_every_view_is_accessible_and_the_focus_never_jumps(app, tab):
    page = tab.page
    tab.says("Live")
    found = problems(page, "nothing made yet")
    tab.find("#generate").click()
    expect(tab.find("#form-error [role=alert]")).to_be_visible()
    made = tab.generate("a film for all", "Gated")
    tab.gets_going(made)
    found += problems(page, "rendering, after an error in the form")

    # What is pressed keeps the focus over all frames that come, and where it vanishes the focus stays near by.
    tab.find("#job-recipe summary").press("Enter")
    open_gate(app, made)
    tab.shows(made, "completed")
    expect(tab.find("#job-recipe summary")).to_be_focused()
    expect(tab.find("#job-recipe")).to_have_attribute("open", "")
    failed = tab.generate("no such film", "Fails once")
    tab.shows(failed, "failed")
    found += problems(page, "failed, with a history")

    tab.history(made).locator(".card").press("Enter")
    tab.shows(made, "completed")
    expect(tab.history(made).locator(".card")).to_be_focused()
    tab.find("#share").press("Enter")
    expect(tab.find("dialog #link-qr")).to_be_visible()
    found += problems(page, "finished, with its link")
    page.keyboard.press("Escape")
    expect(tab.find("dialog")).to_have_count(0)
    expect(tab.find("#share")).to_be_focused()
    assert not found, "\n".join(found)


def test_keys_alone_come_to_everything_in_the_order_of_reading(tab):
    page = tab.page
    tab.find(".skip").last.focus()
    page.keyboard.press("Enter")
    expect(tab.prompt).to_be_focused()
    stops = []
    while "history-search" not in stops:
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.closest('[id]').id"))
        assert len(stops) < 80, stops
    wanted = ["per-line", "generate", "shape", "detail", "more", "open-trash", "history-search"]
    assert [stop for stop in dict.fromkeys(stops) if stop in wanted] == wanted, "\n".join(stops)
