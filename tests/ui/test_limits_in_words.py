"""What a visitor reads who has reached a limit: which one, how much it allows, and when to try again."""

import pytest

from videogen.client import ApiError
from videogen.core.i18n import catalog
from videogen.schemas.system import LimitInfo
from videogen.ui.texts import Texts

DETAIL = "Too many generations: at most 60 in one hour from one session (VIDEOGEN_RATE_SUBMITS). Try again later."


def refusal(tag, name=None, amount=60, used=None, window=None, wait=90, detail=DETAIL):
    limit = name and LimitInfo(name=name, amount=amount, used=used, window_seconds=window, retry_after_seconds=wait)
    return Texts(catalog(tag)).refusal(ApiError("limit_exceeded", detail, 429, limit=limit))


def test_a_rate():
    assert refusal("en", "submits_per_session", window=3600, wait=600) == (
        "Too many generations: at most 60 may be started in 1 hour. Try again in 10 minutes."
    )
    assert refusal("de", "submits_per_session", window=3600, wait=600) == (
        "Zu viele Videos: Höchstens 60 dürfen in 1 Stunde begonnen werden. Versuchen Sie es in 10 Minuten noch einmal."
    )


def test_of_an_address_all_count_together():
    words = refusal("en", "active_per_address", amount=8, used=8)
    assert words.startswith("At most 8 generations may be queued or running at once, and 8 are.")
    assert words.endswith("Everybody at your network address counts together.")


def test_bytes_are_written_in_megabytes():
    assert "20,5 von 20 MB" in refusal("de", "storage_mb_per_session", amount=20_000_000, used=20_460_000)


def test_a_limit_without_words_is_explained_by_the_api_without_the_name_of_a_setting():
    assert "VIDEOGEN" not in refusal("en", "of_another_version")
    assert refusal("en") == "Too many generations: at most 60 in one hour from one session. Try again later."


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 second"), (45, "45 seconds"), (60, "1 minute"), (89, "89 seconds"), (90, "2 minutes"), (7200, "2 hours")],
)
def test_how_long_to_wait(seconds, words):
    assert Texts(catalog("en")).wait(seconds) == words
