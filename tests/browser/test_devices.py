"""Somebody goes on with their session on a second device, by a link, and signs it out again."""

import pytest
from playwright.sync_api import expect


@pytest.mark.parametrize("where", ["page", "iframe"])
def test_a_link_opens_the_session_on_a_second_device_which_is_then_signed_out(tab, person, app, where):
    made = tab.generate("a ship for two devices", "Fails once")
    tab.shows(made, "failed")
    tab.find("#devices-open").click()
    tab.find("#transfer").click()
    link = tab.find("#transfer-card [data-copy]").get_attribute("data-copy")

    phone = person(where).tab(app.base_url)
    phone.open_link(link)
    expect(phone.find("#claim-yes")).to_be_visible()
    # It stays there until it is answered, over a reload of the page too, and so does the code.
    phone.page.reload()
    expect(phone.find("#claim-yes")).to_be_visible()
    expect(phone.history(made)).to_have_count(0)
    phone.find("#claim-yes").click()
    expect(phone.history(made)).to_be_visible()
    expect(phone.find("dialog")).to_have_count(0)
    phone.wait_for("() => !location.href.includes('claim')")
    again = phone.generate("made on the phone", "Fails once")
    expect(tab.history(again)).to_be_visible()

    tab.find("dialog [data-do=close-dialog]").click()
    tab.find("#devices-open").click()
    expect(tab.find("#devices li")).to_have_count(2)
    tab.find("#sign-out-others").click()
    expect(tab.find("#notice")).to_contain_text("All other devices were signed out.")
    expect(phone.find("#notice")).to_contain_text("signed out")
    phone.reload()
    expect(phone.history(made)).to_have_count(0)
    tab.reload()
    expect(tab.history(made)).to_be_visible()
