"""Public links: made, given an end, revoked, listed."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.client.answers import generation_json
from videogen.core.i18n import catalog
from videogen.ui.panels.sharing import ends
from videogen.ui.tab import Site
from videogen.ui.texts import Texts

BASE = "http://192.168.0.5:7860/app"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def shareable(api, tab):
    api.session("mine", generation_json("gen_a", prompt="sea"))


async def test_one_click_makes_a_link_and_shows_it(api, tab, click, html):
    await click("share", generationId="gen_a", base=BASE)
    dialog = html("dialog")
    assert 'value="http://videogen.test/s/slug-gen_a"' in dialog
    assert 'data-copy="http://videogen.test/s/slug-gen_a"' in dialog
    assert 'src="data:image/svg+xml' in dialog
    assert '<option value="never" selected>' in dialog
    assert "0 views" in dialog
    assert api.requests[-1].content == b"{}", "an end that was chosen before must stay"


async def test_a_click_on_share_keeps_the_end(api, tab, click, html):
    await click("link-expiry", generationId="gen_a", value="3600")
    assert json.loads(api.requests[-1].content) == {"expiresInSeconds": 3600}
    assert "selected>in 1 h 00 min<" in html("dialog")
    await click("share", generationId="gen_a")
    assert "selected>in 1 h 00 min<" in html("dialog")
    await click("link-expiry", generationId="gen_a", value="never")
    assert json.loads(api.requests[-1].content) == {"expiresInSeconds": None}
    assert 'value="never" selected' in html("dialog")


@pytest.mark.parametrize("value", ["", "soon", "-1", None])
async def test_an_end_that_is_none_changes_nothing(api, tab, click, value):
    await click("link-expiry", generationId="gen_a", value=value)
    assert api.paths("POST") == []


async def test_the_browser_knows_the_address_where_the_api_does_not(api, tab, click, html):
    tab.site = Site(links_from_api=lambda: False)
    await click("share", generationId="gen_a", base=BASE)
    assert f'value="{BASE}/s/slug-gen_a"' in html("dialog")
    assert 'id="link-only-here"' not in html("dialog")
    await click("share", generationId="gen_a", base="http://127.0.0.1:7860")
    assert "Only this computer can open it" in html("dialog")
    await click("share", generationId="gen_a", base="javascript:alert(1)//")
    assert "javascript:" not in html("dialog")


async def test_all_links_are_listed_and_revoked(api, tab, click, html):
    await click("links")
    assert "Nothing is shared." in html("dialog")
    await click("share", generationId="gen_a", base=BASE)
    await click("links", base=BASE)
    assert 'aria-label="Revoke the link to sea"' in html("dialog")
    await click("link-revoke", generationId="gen_a", base=BASE)
    assert api.shares == {}
    assert "Nothing is shared." in html("dialog")
    assert tab.notice.text == "The link is revoked: nobody can open it any more."


async def test_revoked_from_its_own_dialog_closes_that(api, tab, click):
    await click("share", generationId="gen_a", base=BASE)
    await click("link-revoke", generationId="gen_a")
    assert tab.dialog is None


async def test_no_blocker_hides_the_dialogs(api, tab, click, html):
    await click("share", generationId="gen_a")
    for name in ("share-", "social"):
        assert f'id="{name}' not in html("dialog")
        assert f'class="{name}' not in html("dialog")


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(minutes=59, seconds=40), "in 59 min 40 s"),
        (timedelta(hours=24), "in 24 h 00 min"),
        (timedelta(days=7), "on 8 November 2026"),
    ],
)
def test_an_end_is_named_by_its_date_when_it_is_far(left, words):
    assert ends(Texts(catalog("en")), NOW + left, NOW) == words
