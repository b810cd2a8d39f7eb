"""The page speaks its visitor's language from the first paint on, and keeps the one that somebody chooses."""

import pytest
from playwright.sync_api import expect

from tests.support.browser import DESK

pytestmark = pytest.mark.browser

# Every text that is seen, as it changes: a flash of the other language would be among them.
RECORD = """
window.wordsSeen = new Set();
new MutationObserver(() => {
  for (const selector of ["#history-title", "#generate", "#connection", "#prompt label span"]) {
    for (const node of document.querySelectorAll(selector)) window.wordsSeen.add(node.textContent.trim());
  }
}).observe(document, { childList: true, subtree: true, characterData: true });
"""
AGREE = """() => {
  const tag = document.documentElement.lang;
  const plural = new Intl.PluralRules(tag);
  const number = new Intl.NumberFormat(tag, { maximumFractionDigits: 1, roundingMode: "halfEven" });
  const day = new Intl.DateTimeFormat(tag === "en" ? "en-GB" : tag, { dateStyle: "long", timeZone: "UTC" });
  return {
    forms: [...Array(200).keys()].map((count) => plural.select(count)),
    numbers: [0.25, 2.5, 3, 999, 1234.56, 1e6].map((value) => number.format(value)),
    days: [...Array(12).keys()].map((month) => day.format(Date.UTC(2026, month, 9))),
  };
}"""


@pytest.fixture
def german(browser, app):
    """Somebody whose browser asks for German."""
    context = browser.new_context(locale="de-AT", viewport=DESK)
    context.add_init_script(RECORD)
    yield context
    context.close()


def live(page):
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    expect(page.locator("#generate")).to_be_visible()


def test_the_page_is_in_the_visitors_language_and_keeps_another_that_is_chosen(app, german):
    page = german.new_page()
    page.goto(app.base_url)
    live(page)
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.get_by_role("button", name="Erzeugen", exact=True)).to_be_visible()
    expect(page.locator("#fps")).to_contain_text("Bildrate")
    assert page.evaluate("[...wordsSeen]").count("History") == 0
    seen = set(page.evaluate("[...wordsSeen]"))
    assert seen.isdisjoint({"History", "Generate", "Reconnecting"}), "another language was seen for a moment"

    # A field is missing: the page says so in its language, with the draft kept over the switch.
    page.locator("#generate").click()
    expect(page.locator("#form-error")).to_contain_text("Beschreiben Sie")
    page.locator("#prompt textarea").fill("ein Leuchtturm")
    page.wait_for_function("localStorage['videogen.draft'].includes('Leuchtturm')")
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    live(page)
    expect(page.locator("#prompt textarea")).to_have_value("ein Leuchtturm")
    page.goto(app.base_url)
    expect(page.get_by_role("button", name="Generate")).to_be_visible()
    expect(page.get_by_role("link", name="English")).to_have_attribute("aria-current", "true")
    assert "language" not in page.url

    # A link says it for a friend; what it says is kept too, and leaves the address.
    page.goto(f"{app.base_url}/?language=de#top")
    live(page)
    expect(page.locator("html")).to_have_attribute("lang", "de")
    assert page.url.endswith("/#top")
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "de")


def test_a_frame_without_cookies_keeps_the_choice_too(person, app):
    tab = person("iframe").tab(app.base_url).open()
    tab.find("[data-language=de]").click()
    expect(tab.find("#history-title")).to_have_text("Verlauf")
    tab.reload()
    expect(tab.find("#history-title")).to_have_text("Verlauf")
    expect(tab.find("#generate")).to_have_text("Erzeugen")


def test_what_the_server_writes_is_what_the_browser_would(app, browser):
    from datetime import date

    from videogen.core.i18n import languages

    for tag, words in languages().items():
        context = browser.new_context(locale=tag)
        page = context.new_page()
        page.goto(f"{app.base_url}/s/no-such-link-there")
        expect(page.locator("html")).to_have_attribute("lang", tag)
        told = page.evaluate(AGREE)
        context.close()
        assert told["forms"] == [words.form(count) for count in range(200)]
        assert told["numbers"] == [words.number(value) for value in (0.25, 2.5, 3, 999, 1234.56, 1e6)]
        assert told["days"] == [words.date(date(2026, month, 9)) for month in range(1, 13)]
