"""Addresses that are sent a message: listed, added with the secret once, tested, removed."""

from datetime import UTC, datetime, timedelta

import pytest

SECRET = "whsec_c2VjcmV0"


def webhook(**changes):
    created = datetime.now(UTC).isoformat()
    one = {"id": "whk_a", "url": "https://example.org/<b>", "events": ["generation.failed"], "createdAt": created}
    return one | {"disabled": None, "pending": 0, "last": None} | changes


def result(**changes):
    at = (datetime.now(UTC) - timedelta(minutes=4, seconds=30)).isoformat()
    return {"at": at, "ok": True, "status": 204, "text": ""} | changes


@pytest.fixture
def listed(api):
    """Sets what the API lists."""

    def listed(*webhooks):
        api.canned["GET", "/webhooks"] = (200, {"items": list(webhooks)})

    listed()
    return listed


async def test_the_secret_is_shown_when_it_is_added_and_never_again(click, html, api, listed):
    api.canned["POST", "/webhooks"] = (201, webhook(secret=SECRET))
    await click("webhooks")
    listed(webhook())
    await click("webhook-add", url="https://example.org/<b>")
    assert SECRET in html("dialog")
    assert "https://example.org/&lt;b&gt;" in html("dialog")
    await click("webhooks")
    assert SECRET not in html("dialog")


async def test_a_wrong_address_is_answered_in_the_dialog(click, html, api, listed):
    errors = [{"field": "url", "expected": "an https address", "got": "'http://a'"}]
    problem = {"type": "about:blank", "title": "Invalid", "status": 422, "detail": "url must be", "errors": errors}
    api.canned["POST", "/webhooks"] = (422, problem | {"code": "invalid_request"})
    await click("webhook-add", url="http://a")
    assert "an https address" in html("dialog")


async def test_the_last_result_and_why_it_is_disabled_stand_there(click, html, listed):
    failed = result(ok=False, status=500, text="broken")
    listed(webhook(last=failed, pending=2), webhook(id="whk_b", disabled="Nothing was delivered."))
    await click("webhooks")
    shown = html("dialog")
    print(shown)
    assert "5 minutes ago: It was not delivered: the answer was HTTP 500. broken" in shown
    assert "2 messages are sent again later." in shown
    assert "Nothing is sent any more. Nothing was delivered." in shown


async def test_one_is_tested_and_removed(click, html, api, listed):
    api.canned["POST", "/webhooks/whk_a/test"] = (200, result())
    api.canned["DELETE", "/webhooks/whk_a"] = (204, {})
    listed(webhook())
    await click("webhook-test", webhook="whk_a")
    assert "The message was delivered." in html("dialog")
    listed()
    await click("webhook-remove", webhook="whk_a")
    assert "/api/v1/webhooks/whk_a" in api.paths("DELETE")
    assert "Removed." in html("dialog")
