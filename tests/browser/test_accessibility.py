"""WCAG 2.2 AA as axe finds it, on every view in both themes; keys alone; what is heard; small and large screens."""

import re
from importlib.resources import files

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import open_gate
from tests.support.browser import DESK

pytestmark = pytest.mark.browser

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
  const cut = node.closest(".vg-skip, .vg-unseen, [style*='overflow']") || getComputedStyle(node).clipPath !== "none";
  return seen && !cut && box.width > 1 && box.right > document.documentElement.clientWidth + 1;
}).map((node) => `${node.tagName} ${node.id} ${node.className}`)"""
SMALL = """() => [...document.querySelectorAll("a, button, select, textarea, input, summary")].filter((node) => {
  const target = node.closest("label, #desk .wrap") ?? node;
  const box = target.getBoundingClientRect();
  const drawn = node.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const skipped = getComputedStyle(target).clipPath !== "none";
  return drawn && !skipped && box.width > 0 && (box.width < 24 || box.height < 24);
}).map((node) => `${node.tagName} ${node.id} ${node.textContent.trim().slice(0, 30)}`)"""


def faults(page, rules=EVERYTHING):
    """What axe finds, as lines that say where and why."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE)
    return [
        f"{found['id']}: {node['target']} {node['failureSummary']}"
        for found in page.evaluate(RUN, list(rules))["violations"]
        for node in found["nodes"]
    ]


def looks_right(page, view):
    """Sound in both themes at a desk, and on a phone; nothing too wide, nothing too small to hit."""
    expect(page.locator(".loading")).to_have_count(0)
    for scheme, size, rules in (("light", DESK, EVERYTHING), ("dark", DESK, COLOURS), ("dark", PHONE, EVERYTHING)):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(
            "dark => document.body.classList.contains('dark') === dark || !window.gradio_config", arg=scheme == "dark"
        )
        # Colours that are on their way are not what is seen. Asked again with each frame, so that there are frames.
        page.wait_for_function(
            "!document.getAnimations().some(one => one instanceof CSSTransition && one.playState === 'running')"
        )
        assert faults(page, rules) == [], f"{view}, {scheme}, {size['width']} px"
    for size in (PHONE, SMALLEST, LARGEST):
        page.set_viewport_size(size)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), view
        assert page.evaluate(WIDE) == [], f"{view}, {size['width']} px"
        assert page.evaluate(SMALL) == [], f"{view}, {size['width']} px"
    page.set_viewport_size(DESK)


def test_every_view_is_accessible(app, person):
    tab = person("page").tab(app.base_url).open()
    page = tab.page
    tab.says("Live")
    looks_right(page, "nothing made yet")

    tab.prompt.fill("a film for all")
    tab.find("#seed input, #seed textarea").first.fill("12x")
    tab.find("#generate").click()
    expect(tab.find("#form-error")).to_contain_text("expected")
    tab.find("#seed input, #seed textarea").first.fill("")
    generation = tab.generate("a film for all", "Gated")
    tab.gets_going(generation)
    tab.find("#share").click()
    expect(tab.find("#share-panel")).to_be_visible()
    tab.find("#transfer").click()
    expect(tab.find("#transfer-card")).to_be_visible()
    link = tab.find("#share-link").input_value()
    looks_right(page, "rendering, with its link and a code for another device")

    visitor = page.context.new_page()
    visitor.goto(link)
    expect(visitor.locator("#stage")).to_have_attribute("data-status", "processing")
    looks_right(visitor, "the shared page while it renders")

    open_gate(app, generation)
    tab.shows(generation, "completed")
    expect(visitor.locator("#stage")).to_have_attribute("data-status", "completed")
    looks_right(visitor, "the shared page of a film")
    visitor.goto(f"{app.base_url}/s/leads-nowhere")
    looks_right(visitor, "a link that leads nowhere")
    visitor.close()

    failed = tab.generate("no such film", "Fails once")
    tab.shows(failed, "failed")
    looks_right(page, "failed, with a history")
    tab.history(generation).locator("button").first.click()
    tab.shows(generation, "completed")
    tab.find("#claim-code").fill("K7QF-2M9X")
    tab.find("#claim-form button").click()
    expect(tab.find("#claim-dialog")).to_be_visible()
    looks_right(page, "finished, with the question before a session is replaced")
    tab.find("#claim-no").click()


def test_what_opens_over_the_page_is_accessible_too(app, person):
    tab = person("page").tab(app.base_url).open()
    page = tab.page
    ids = [tab.generate(prompt, "Develops") for prompt in ("a first film", "a second film", "a third film")]
    for generation in ids:
        expect(tab.history(generation)).to_have_attribute("data-status", "completed")

    tab.find("#preset-save").click()
    tab.find("#preset-name").fill("Mine")
    tab.find("#preset-form [type=submit]").click()
    tab.find("#preset-save").click()
    tab.find("#job-recipe summary").first.click()
    tab.history(ids[0]).locator("[data-do=menu]").click()
    tab.find("#history-menu [data-do=trash]").click()
    expect(tab.find("#history-toast")).to_be_visible()
    tab.find("#history-toast").hover()
    tab.find("#history-select").click()
    for generation in ids[1:]:
        tab.history(generation).locator(".vg-card").click()
    looks_right(page, "a selection, a deletion that can be undone, a preset of one's own")

    tab.find("#history-compare").click()
    expect(tab.find("#compare")).to_be_visible()
    looks_right(page, "two side by side")
    page.keyboard.press("Escape")
    tab.find("#alerts-open").click()
    expect(tab.find("#alert-notify")).to_be_visible()
    looks_right(page, "what tells of the end")
    page.keyboard.press("Escape")
    tab.find("#help-open").click()
    expect(tab.find("#help")).to_be_visible()
    looks_right(page, "the keys")


def focused(page):
    """What has the focus: its id, or its text; and whether it is seen to have it, with nothing lying over it."""
    return page.evaluate("""() => {
      const node = document.activeElement;
      const box = (node.closest("label") ?? node).getBoundingClientRect();
      const [x, y] = [box.x + box.width / 2, box.y + Math.min(box.height / 2, 20)];
      const top = document.elementFromPoint(x, y);
      const own = node.closest("[id]") ?? node;
      const around = [node, node.parentElement, node.closest("label"), own].filter((one) => one && own.contains(one));
      const drawn = (style) => parseFloat(style.outlineWidth) > 0 && style.outlineStyle !== "none";
      return {
        id: node.id || node.closest("[id]")?.id,
        lost: node === document.body,
        hidden: !(node.contains(top) || top?.contains(node) || node.closest("label")?.contains(top)),
        ring: around.some((one) => drawn(getComputedStyle(one))),
      };
    }""")


def press_until(page, key, wanted, most=60):
    """Press a key until the part with this id has the focus; each stop on the way must be seen."""
    for _ in range(most):
        page.keyboard.press(key)
        # What had to be scrolled to is on its way for a moment.
        for _ in range(20):
            if not (now := focused(page))["hidden"]:
                break
            page.evaluate("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))")
        assert not now["lost"], f"the focus was lost on the way to {wanted}"
        assert not now["hidden"], f"the focus is on {now['id']}, under something else"
        assert now["ring"], f"nobody sees that the focus is on {now['id']}"
        if now["id"] == wanted:
            return
    raise AssertionError(f"{key} never came to {wanted}")


def test_a_whole_generation_by_keys_alone(app, person):
    tab = person("page").tab(app.base_url).open()
    page = tab.page
    tab.says("Live")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "vg-skip"
    page.keyboard.press("Enter")
    expect(tab.prompt).to_be_focused()
    page.keyboard.type("a film by keys")
    press_until(page, "Tab", "engine")
    page.keyboard.press("Shift+Tab")
    press_until(page, "Shift+Tab", "generate")
    page.keyboard.press("Enter")
    expect(tab.status).not_to_have_attribute("data-generation-id", "")
    generation = tab.status.get_attribute("data-generation-id")
    tab.gets_going(generation)
    expect(tab.find("#generate")).to_be_focused()

    # What is pressed and then vanishes leaves the focus near by.
    press_until(page, "Shift+Tab", "cancel")
    page.keyboard.press("Enter")
    tab.shows(generation, "cancelled")
    assert not focused(page)["lost"]
    assert page.evaluate("document.activeElement.closest('#job') !== null")
    press_until(page, "Tab", "retry")
    page.keyboard.press("Space")
    again = tab.next_after(generation)
    tab.gets_going(again)
    assert page.evaluate("document.activeElement.closest('#job') !== null")

    press_until(page, "Tab", "share")
    page.keyboard.press("Enter")
    expect(tab.find("#share-panel")).to_be_visible()
    press_until(page, "Tab", "share-revoke")
    page.keyboard.press("Escape")
    expect(tab.find("#share-panel")).to_be_hidden()
    expect(tab.find("#share")).to_be_focused()
    open_gate(app, again)
    tab.shows(again, "completed")
    press_until(page, "Tab", "history")
    page.keyboard.press("Enter")
    chosen, status = page.evaluate(
        "(({ generationId, status }) => [generationId, status])(document.activeElement.closest('#history li').dataset)"
    )
    tab.shows(chosen, status)


def test_on_a_phone_the_focus_never_hides_under_what_is_fixed(app, person):
    tab = person("page").tab(app.base_url).open()
    page = tab.page
    page.set_viewport_size(PHONE)
    page.keyboard.press("Tab")
    press_until(page, "Tab", "import")


HEARD = """
window.heard = [];
new MutationObserver((changes) => {
  for (const { target } of changes) {
    const node = target.nodeType === 1 ? target : target.parentElement;
    const live = node?.closest("[aria-live], [role=status], [role=alert]");
    const words = live?.textContent.trim();
    if (words && live.id !== "connection" && window.heard.at(-1) !== words) window.heard.push(words);
  }
}).observe(document, { childList: true, subtree: true, characterData: true });
"""


def test_what_is_heard_is_little_and_tells_all(app, person):
    tab = person("page").tab(app.base_url)
    tab.page.add_init_script(HEARD)
    tab.open()
    generation = tab.generate("a film to listen to", "Paced")
    tab.shows(generation, "completed")
    heard = tab.evaluate("window.heard")
    about = [words for words in heard if words in ("Queued", "Rendering", "Finished") or "rendered" in words]
    quarters = [words for words in about if "rendered" in words]
    assert (
        quarters == ["25 % rendered", "50 % rendered", "75 % rendered"][-len(quarters) :] if len(quarters) < 3 else True
    )
    assert {"50 % rendered", "75 % rendered"} <= set(quarters)
    assert about[-1] == "Finished"
    assert len(about) <= 7, "a screen reader would speak all the time"
    bar = tab.find("#job-progress")
    expect(bar).to_have_attribute("aria-valuenow", "100")
    assert re.match(r"100 %, ", bar.get_attribute("aria-valuetext"))


def test_who_wants_no_motion_gets_none(app, person):
    tab = person("page").tab(app.base_url)
    tab.page.emulate_media(reduced_motion="reduce")
    tab.open()
    generation = tab.generate("a film at rest", "Gated")
    tab.gets_going(generation)
    moving = "document.getAnimations().filter((one) => one.effect.getComputedTiming().duration > 1).length"
    assert tab.evaluate(moving) == 0
    open_gate(app, generation)
    tab.shows(generation, "completed")
    tab.wait_for("() => document.querySelector('#result-video video')?.readyState >= 2")
    assert tab.evaluate("document.querySelector('#result-video video').paused")
    tab.page.emulate_media(reduced_motion="no-preference")


def test_where_the_system_chooses_the_colours_nothing_is_lost(app, person):
    tab = person("page").tab(app.base_url).open()
    tab.says("Live")
    expect(tab.find("#generate")).to_be_visible()
    tab.page.emulate_media(forced_colors="active")
    told = tab.evaluate("""() => {
      const style = (selector, pseudo) => getComputedStyle(document.querySelector(selector), pseudo);
      const probe = document.createElement("i");
      probe.style.cssText = "color: Highlight; background: Canvas; forced-color-adjust: none";
      document.body.append(probe);
      const [highlight, canvas] = [getComputedStyle(probe).color, getComputedStyle(probe).backgroundColor];
      probe.remove();
      return {
        checked: style("label:has(> input[type=radio]:checked)").outlineStyle,
        bar: style(".vg-bar > span").backgroundColor === highlight,
        lamp: style(".vg-lamp").backgroundColor !== canvas,
        button: style("#generate").borderTopStyle,
      };
    }""")
    tab.page.emulate_media(forced_colors="none")
    assert told == {"checked": "solid", "bar": True, "lamp": True, "button": "solid"}
