"""Somebody shares what they render: a stranger watches, until the link is revoked."""

import re

import pytest
from playwright.sync_api import expect


@pytest.fixture
def where():
    return "page"


@pytest.fixture
def stranger(browser):
    context = browser.new_context()
    yield context.new_page()
    context.close()


def test_a_stranger_watches_until_the_link_is_revoked(app, tab, stranger):
    tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=app.base_url)
    generation = tab.generate("a film to hand on", "Gated")
    tab.gets_going(generation)
    tab.find("#share").click()
    url = tab.find("#public-link").input_value()
    assert url.startswith(f"{app.base_url}/s/")
    expect(tab.find("#link-only-here")).to_be_visible()
    tab.wait_for("() => document.querySelector('#link-qr').naturalWidth > 0")
    tab.find("dialog [data-copy]").click()
    expect(tab.find("dialog .copied")).to_have_text("Copied")
    assert tab.evaluate("navigator.clipboard.readText()") == url

    stranger.goto(url)
    stranger.wait_for_function("() => document.querySelector('#progress')?.value >= 25")
    tab.find("#link-expiry").focus()
    tab.find("#link-expiry").select_option("86400")
    expect(tab.find("#link-expiry option:checked")).to_have_text(re.compile(r"^in 2[34] h"))
    expect(tab.find("#link-expiry")).to_be_focused()
    expect(tab.find("#link-views")).to_have_text("1 view")
    tab.find("#all-links").click()
    expect(tab.find(f'#links [data-generation-id="{generation}"] a')).to_have_attribute("href", url)
    tab.page.keyboard.press("Escape")
    expect(tab.find("dialog")).to_have_count(0)
    expect(tab.find("#share")).to_be_focused()

    tab.reload()
    tab.find("#share").click()
    expect(tab.find("#public-link")).to_have_value(url)
    tab.find("#revoke-link").click()
    expect(stranger.locator("h1")).to_have_text("This link is not valid")
    expect(tab.find("#notice")).to_contain_text("revoked")
