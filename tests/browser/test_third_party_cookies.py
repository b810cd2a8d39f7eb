"""That the frame of the other tests stands where browsers block third-party cookies."""

from playwright.sync_api import expect

from tests.support.browser import FLAGS, chromium_path


def framed(page, site):
    """What the cookie-setting page got back when it was shown in the frame for the second time."""
    for _ in range(2):
        page.goto("about:blank")
        page.goto(f"{site.url}/embed#{site.cookie_url}")
        body = page.frame_locator("#app").locator("body")
        expect(body).not_to_be_empty()
    return body.inner_text()


def test_third_party_cookies_are_blocked(person, site):
    page = person("iframe").context.new_page()
    assert framed(page, site) == "no cookie"
    # Its own pages get the very same cookie, and still keep it to themselves.
    for _ in range(2):
        page.goto(site.cookie_url)
    assert page.inner_text("body") == "probe=1"
    assert framed(page, site) == "no cookie"


def test_the_same_cookie_comes_back_where_nothing_is_blocked(browser, site, tmp_path):
    profile = tmp_path / "Default"
    profile.mkdir()
    (profile / "Preferences").write_text('{"profile": {"cookie_controls_mode": 0, "block_third_party_cookies": false}}')
    context = browser.browser_type.launch_persistent_context(
        tmp_path, executable_path=chromium_path(), args=list(FLAGS)
    )
    try:
        assert framed(context.new_page(), site) == "probe=1"
    finally:
        context.close()
