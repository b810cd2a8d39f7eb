"""Somebody signs in on two devices, one of which has the app in a frame, and finds everything on both."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ENGINES
from tests.support.app import App
from tests.support.openid import provider, settings


@pytest.fixture(scope="module")
def app(tmp_path_factory, site):
    with provider() as issuer:
        more = settings(issuer, oidc_title="The Lab", frame_ancestors=f"'self' {site.url}")
        with App(tmp_path_factory.mktemp("account"), engines=ENGINES, workers=1, **more) as app:
            yield app


def begin(tab):
    """Follow the page's link; the new tab, at the provider."""
    tab.find("#account-open").click()
    with tab.page.context.expect_page() as opened:
        tab.find("#account-link").click()
    expect(tab.find("#account-begun")).to_be_visible()
    return opened.value


def made(tab, prompt):
    generation = tab.generate(prompt, "Fails once")
    tab.shows(generation, "failed")
    expect(tab.history(generation)).to_be_visible()
    return generation


def test_two_devices_become_one_account(app, person):
    desk, frame = (person(where).tab(app.base_url).open() for where in ("page", "iframe"))
    at_desk, in_frame = made(desk, "a ship at the desk"), made(frame, "a ship in a frame")

    provider = begin(desk)
    provider.locator("input[name=sub]").fill("ada")
    provider.locator("input[name=sub]").press("Enter")
    # Its cookie proves that the page is this browser's own.
    expect(provider.locator("h1")).to_have_text("You are signed in")
    expect(desk.find("#account-open")).to_have_text("Ada")
    expect(desk.find("#notice")).to_contain_text("You are signed in as Ada.")
    provider.close()

    # No cookie of the frame comes along: a person must say that the page is theirs. One may also think better of it.
    provider = begin(frame)
    provider.get_by_role("button", name="Deny").click()
    expect(provider.locator("#login-problem")).to_contain_text("Begin again")  # it sends no state along
    provider.close()
    frame.find("#account-again").click()
    with frame.page.context.expect_page() as opened:
        frame.find("#account-link").click()
    provider = opened.value
    provider.locator("input[name=sub]").fill("ada")
    provider.locator("input[name=sub]").press("Enter")
    expect(provider.locator("main")).to_contain_text("1 video or picture")
    provider.locator("#login-yes").click()
    expect(provider.locator("h1")).to_have_text("You are signed in")
    provider.close()

    for tab in (desk, frame):  # without a reload
        for generation in (at_desk, in_frame):
            expect(tab.history(generation)).to_be_visible()
    expect(frame.find("#account-open")).to_have_text("Ada")
    third = made(frame, "a ship of the account")
    expect(desk.history(third)).to_be_visible()

    frame.find("#account-open").click()
    expect(frame.find("#account-name")).to_have_text("You are Ada (ada) at The Lab.")
    frame.find("#account-leave").click()
    expect(frame.find("#notice")).to_contain_text("signed out on this device")
    expect(frame.find("#account-open")).to_have_text("Sign in")
    frame.reload()
    expect(frame.history(third)).to_have_count(0)
    desk.reload()
    for generation in (at_desk, in_frame, third):
        expect(desk.history(generation)).to_be_visible()
