"""A session moves to another browser by a code or a link, and everything moves to another session as a zip."""

import re
import zipfile

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

LINK = "() => document.querySelector('#transfer-qr').src.length > 500"


def code_of(tab):
    """A new code on the first device, once it stands there with its QR. The old one goes before the request does."""
    assert tab.evaluate(
        "(document.querySelector('#transfer').click(), document.querySelector('#transfer-card').hidden)"
    )
    code = tab.find("#transfer-code")
    expect(code).to_have_text(re.compile(r"^[0-9A-Z]{4}-[0-9A-Z]{4}$"))
    tab.wait_for(LINK)
    return code.inner_text()


def type_code(tab, code):
    tab.find("#claim-code").fill(code)
    tab.find("#claim-form button").click()
    expect(tab.find("#claim-dialog")).to_be_visible()


def test_a_session_moves_to_another_browser_once_and_a_revoked_code_opens_nothing(tab, open_tab, person, app, where):
    made = tab.generate("a ship for two devices", "Fails once")
    tab.shows(made, "failed")
    code = code_of(tab)

    phone = open_tab(person(where))
    type_code(phone, code.lower().replace("-", " "))
    expect(phone.find("#claim-own")).to_be_hidden()
    phone.find("#claim-yes").click()
    phone.settled()
    expect(phone.history(made)).to_be_visible()

    # Both are the same session from now on, live.
    again = phone.generate("made on the phone", "Fails once")
    expect(tab.history(again)).to_be_visible()

    # In the other place, for which there is somebody already.
    late = open_tab(person("iframe" if where == "page" else "page"))
    own = late.generate("something of my own", "Fails once")
    late.shows(own, "failed")
    expect(late.history(own)).to_be_visible()
    type_code(late, code)
    expect(late.find("#claim-own")).to_contain_text("can no longer be reached")
    late.find("#claim-yes").click()
    expect(late.find("#claim-error")).to_contain_text("used before, has expired, or is wrong")
    late.find("#claim-no").click()

    # A revoked code opens nothing.
    code = code_of(tab)
    tab.find("#transfer-revoke").click()
    expect(tab.find("#transfer-told")).to_have_text("The code was revoked.")
    expect(tab.find("#transfer-card")).to_be_hidden()
    type_code(late, code)
    late.find("#claim-yes").click()
    expect(late.find("#claim-error")).to_contain_text("used before, has expired, or is wrong")
    late.find("#claim-no").click()
    late.reload()
    expect(late.history(own)).to_be_visible()


@pytest.mark.parametrize("where", ["page"])
def test_a_link_asks_before_it_opens_and_leaves_no_secret_in_the_address(tab, open_tab, person, app):
    made = tab.generate("a ship behind a link", "Fails once")
    tab.shows(made, "failed")
    token = tab.evaluate("videogen.store.read('token')")
    link = tab.page.request.post(
        f"{app.base_url}/api/v1/sessions/transfer", headers={"Authorization": f"Bearer {token}"}
    ).json()["url"]

    visitor = person("page").tab(app.base_url)
    visitor.page.goto(link)
    visitor.settled()
    expect(visitor.find("#claim-dialog")).to_be_visible()
    assert "claim" not in visitor.page.url
    expect(visitor.history(made)).to_have_count(0)
    visitor.find("#claim-yes").click()
    expect(visitor.history(made)).to_be_visible()


def test_everything_goes_along_as_a_zip_and_nothing_comes_twice(tab, open_tab, person, where, tmp_path):
    made = tab.generate("a ship in a zip", "Paced")
    tab.shows(made, "completed")
    with tab.page.expect_download() as download:
        tab.find("#export").click()
    path = tmp_path / "all.zip"
    download.value.save_as(path)
    assert f"videos/{made}.mp4" in zipfile.ZipFile(path).namelist()

    other = open_tab(person(where))
    for told in ("1 imported.", "0 imported, 1 was here already."):
        other.find("#import-file").set_input_files(path)
        expect(other.find("#import-told")).to_have_text(told)
        expect(other.find("#history [data-generation-id]")).to_have_count(1)
    other.find("#history .vg-card").click()
    other.can_play()

    (tmp_path / "not-ours.zip").write_bytes(b"no zip at all")
    other.find("#import-file").set_input_files(tmp_path / "not-ours.zip")
    expect(other.find("#import-told")).to_contain_text("Expected a whole zip")
