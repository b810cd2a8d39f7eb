"""The account dialog: what happens, a link for a new tab, who has signed in, signing out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from videogen.schemas.accounts import Account
from videogen.ui.account import follow_account

ADA = {"name": "Ada <b>L</b>", "username": "ada", "picture": None, "provider": "The Lab"}


@pytest.fixture(autouse=True)
def _provider(api, tab):
    tab.site = replace(tab.site, login="The Lab", links_from_api=lambda: False)
    expires = (datetime.now(UTC) + timedelta(seconds=595)).isoformat()
    api.canned["POST", "/account/link"] = (201, {"url": "http://inside:1/login?link=s3", "expiresAt": expires})


def signs_in(api, account=ADA):
    api.canned["GET", "/account"] = (200, account)


async def test_the_link_opens_a_new_tab_at_the_address_that_the_browser_knows_in_its_language(click, html):
    assert "Sign in</bdi>" in html("masthead")
    await click("account", base="https://videos.example")
    shown = html("dialog")
    assert 'href="https://videos.example/login?link=s3&amp;language=en" target="_blank"' in shown
    assert "Sign in with The Lab" in shown
    assert "Nothing is lost" in shown
    assert "Valid for 10 minutes" in shown


async def test_where_the_api_has_an_address_of_its_own_the_link_leads_there(tab, click, html):
    tab.site = replace(tab.site, links_from_api=lambda: True)
    await click("account", base="https://videos.example")
    assert 'href="http://inside:1/login?link=s3' in html("dialog")


async def test_a_link_that_was_opened_is_not_offered_again(click, html, api):
    await click("account")
    await click("account-begun")
    shown = html("dialog")
    assert "account-link" not in shown
    assert "As soon as you have" in shown
    await click("account")
    assert "account-link" in html("dialog")
    assert api.paths("POST").count("/api/v1/account/link") == 2


async def test_who_has_signed_in_is_named_and_may_sign_out(tab, click, html):
    tab.account = Account(**ADA)
    assert 'aria-label="Account: Ada &lt;b&gt;' in html("masthead")
    await click("account")
    shown = html("dialog")
    assert "You are Ada &lt;b&gt;L&lt;/b&gt; (ada) at The Lab." in shown
    assert "account-leave" in shown
    assert "account-link" not in shown


async def test_after_signing_out_the_page_goes_on_with_the_new_session(tab, click, api):
    api.canned["POST", "/logout"] = (200, {"sessionId": "s", "token": "fresh"})
    api.session("mine")
    await click("account-leave")
    assert (tab.next_token, tab.dialog) == ("fresh", None)
    assert "signed out on this device" in tab.notice.text


async def test_a_stand_in_signs_nobody_out(tab, click, api):
    tab.stand_in = True
    await click("account-leave")
    assert api.paths("POST") == []


async def test_another_account_makes_the_watcher_begin_anew(tab, api):
    signs_in(api)
    await follow_account(tab)
    assert not tab.anew, "nothing has happened to its stream"
    tab.account_outdated = True
    await follow_account(tab)
    assert (tab.anew, tab.account_outdated) == (True, False)
    assert "signed in as Ada" in tab.notice.text


async def test_the_same_account_changes_nothing_and_a_fault_is_asked_again(tab, api):
    tab.account = Account(**ADA)
    tab.account_outdated = api.down = True
    await follow_account(tab)
    assert tab.account_outdated
    api.down = False
    signs_in(api)
    await follow_account(tab)
    assert (tab.anew, tab.account_outdated, tab.notice) == (False, False, None)


async def test_without_a_provider_nothing_is_said_or_asked_of_accounts(tab, html, api):
    tab.site = replace(tab.site, login="")
    tab.account_outdated = True
    await follow_account(tab)
    assert "account-open" not in html("masthead")
    assert api.requests == []
