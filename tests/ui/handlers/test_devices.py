"""The session on other devices: codes, a claim that asks first, connected devices."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.ui.conftest import generation
from videogen.ui.handlers.devices import ask


def made():
    """A code that has just been made."""
    expires = (datetime.now(UTC) + timedelta(seconds=595)).isoformat()
    return {"code": "K7QF-2M9X", "url": "http://inside:1/#claim=secret", "expiresAt": expires}


def device(device_id, hours=0, **changes):
    seen = (datetime.now(UTC) - timedelta(hours=hours)).isoformat()
    return (
        {"id": device_id, "name": "Firefox on Linux", "createdAt": seen, "lastSeenAt": seen}
        | {"current": False}
        | changes
    )


@pytest.fixture(autouse=True)
def _devices(api):
    mine, other = device("dev_a", current=True), device("dev_b", hours=50, name="<b>phone</b>")
    api.canned["GET", "/devices"] = (200, {"items": [mine, other]})
    api.canned["POST", "/sessions/transfer"] = (201, made())


async def test_a_code_stands_there_with_its_link_under_the_address_that_the_browser_knows(tab, click, html):
    await click("transfer", base="https://videos.example")
    shown = html("dialog")
    assert "K7QF-2M9X" in shown
    assert 'data-copy="https://videos.example/#claim=secret"' in shown
    assert "data:image/svg" in shown
    assert "Valid for 10 minutes, and for one device." in shown
    assert "with the other device" in shown


async def test_a_link_that_only_this_machine_can_open_is_said_to_be_one(tab, click, html):
    await click("transfer", base="http://127.0.0.1:7860")
    assert "works on this computer only" in html("dialog")


async def test_a_revoked_code_is_not_shown_any_more(tab, click, html, api):
    api.canned["DELETE", "/sessions/transfer"] = (204, {})
    await click("transfer", base="")
    await click("transfer-revoke")
    assert "transfer-card" not in html("dialog")
    assert "The code was revoked." in html("dialog")


async def test_devices_are_listed_with_their_last_use_and_one_is_signed_out(tab, click, html, api):
    await click("devices")
    shown = html("dialog")
    assert "used within the last hour" in shown
    assert "last used 3 days ago" in shown
    assert "<b>phone" not in shown
    assert shown.count('data-do="sign-out"') == 1, "not this one"
    api.canned["DELETE", "/devices/dev_b"] = (204, {})
    await click("sign-out", device="dev_b")
    assert "/api/v1/devices/dev_b" in api.paths("DELETE")
    assert "The device was signed out." in html("dialog")


async def test_when_all_others_are_signed_out_the_page_goes_on_with_the_new_token(tab, click, api):
    api.canned["DELETE", "/devices"] = (200, {"sessionId": "s", "token": "fresh"})
    await click("sign-out-others")
    assert (tab.next_token, tab.dialog) == ("fresh", None)


async def test_a_typed_code_asks_first_and_names_what_would_be_left_behind(tab, click, html, api):
    tab.board.put(generation("gen_a", status="completed"))
    await click("claim-open", code=" k7qf 2m9x ")
    shown = html("dialog")
    assert "has a generation of its own" in shown
    assert 'data-do="export"' in shown
    assert tab.claim == "k7qf 2m9x"
    assert not api.paths("POST")
    await click("close-dialog")
    assert (tab.claim, tab.dialog) == (None, None), "declined"


async def test_a_claim_binds_the_page_to_the_session_of_the_other_device(tab, click, api):
    api.canned["POST", "/sessions/claim"] = (201, {"sessionId": "s", "token": "theirs"})
    ask(tab, "secret")
    await click("claim")
    assert (tab.next_token, tab.claim, tab.dialog) == ("theirs", None, None)
    assert tab.notice is not None


async def test_a_refused_code_is_over_and_an_unreachable_server_leaves_it(tab, click, html, api):
    api.canned["POST", "/sessions/claim"] = (
        410,
        {"title": "", "status": 410, "detail": "Used.", "code": "code_refused"},
    )
    ask(tab, "secret")
    await click("claim")
    assert "Used." in html("dialog")
    assert tab.claim is None
    assert 'data-do="claim"' not in html("dialog")
    ask(tab, "secret")
    api.down = True
    await click("claim")
    assert "The code was not used" in html("dialog")
    assert tab.claim == "secret"
    assert 'data-do="claim"' in html("dialog")


async def test_a_page_whose_watcher_is_not_there_uses_no_code(tab, click, api):
    tab.stand_in = True
    ask(tab, "secret")
    await click("claim")
    assert not api.paths("POST")
    assert tab.claim == "secret"
