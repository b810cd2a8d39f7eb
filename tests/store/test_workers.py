"""What the processes of one installation announce, and that they have one secret key."""

import pytest

from videogen.store.workers import Offer

pytestmark = pytest.mark.databases("postgresql")
CAPABILITIES = {"available": True}


def test_the_slots_of_the_living_add_up_and_the_newest_word_counts(store):
    store.announce("wrk_a", {"bars": Offer(2, CAPABILITIES, "1")}, begins=True)
    store.announce("wrk_b", {"bars": Offer(1, CAPABILITIES, "2"), "wan": Offer(1, CAPABILITIES, "1")})
    assert store.offers(60) == {"bars": Offer(3, CAPABILITIES, "2"), "wan": Offer(1, CAPABILITIES, "1")}
    store.withdraw("wrk_b")
    assert store.offers(60)["wan"].slots == 0, "it was here lately"
    assert store.offers(60)["bars"].slots == 2
    assert store.offers(-1)["bars"].slots == 0, "all are silent for too long"


def test_another_key_than_the_first_one_is_found(store):
    assert store.has_key("one")
    assert not store.has_key("other")
    assert store.has_key("one")
