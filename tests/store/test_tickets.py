"""Tickets: what a secret stands for, for a time; and tasks, which one process at a time does."""

import time

import pytest

from videogen.core.errors import NotFoundError
from videogen.store import Store

pytestmark = pytest.mark.databases("sqlite", "postgresql")


def test_a_secret_stands_for_its_value_until_it_is_taken_or_expires(store, clock, alice):
    store.put_ticket("one", ["gen_a"], clock.now + 60, alice)
    store.put_ticket("other", "text", clock.now + 60)
    assert store.get_ticket("one").value == ["gen_a"]
    assert store.get_ticket("unknown") is None
    assert store.take_ticket("other").value == "text"
    assert store.take_ticket("other") is None
    clock.now += 61
    assert store.get_ticket("one") is None
    assert store.take_ticket("one") is None


def test_the_oldest_of_a_session_end_first_and_those_of_others_stay(store, clock, alice, bob):
    for number in range(4):
        store.put_ticket(f"a{number}", [number], clock.now + 60 + number, alice)
    store.put_ticket("b", [0], clock.now + 1, bob)
    store.limit_tickets(alice, 2)
    assert [name for name in ("a0", "a1", "a2", "a3", "b") if store.get_ticket(name)] == ["a2", "a3", "b"]


def test_a_ticket_of_a_session_that_is_gone_is_refused(store, clock):
    with pytest.raises(NotFoundError):
        store.put_ticket("one", [1], clock.now + 60, "ses_gone")


def test_a_task_has_one_owner_until_it_lets_go_or_is_silent_for_too_long(store):
    assert store.hold_task("clean", "a", 0.2)
    assert store.hold_task("clean", "a", 60), "again, for longer"
    if store.database.url.startswith("sqlite"):
        assert store.hold_task("clean", "b", 60), "nobody else uses the database"
        return
    assert not store.hold_task("clean", "b", 60)
    ahead = Store(store.database, lambda: time.time() + 3600)
    assert not ahead.hold_task("clean", "b", 60), "the clock is the database's"
    assert store.hold_task("other", "b", 60)
    store.end_task("clean", "b")
    assert not store.hold_task("clean", "b", 60)
    store.end_task("clean", "a")
    assert store.hold_task("clean", "b", 60)
    ahead.end_task("clean", "b")
    assert store.hold_task("clean", "a", -1), "whoever lets go may have another time"
    assert store.hold_task("clean", "b", 60), "the other one has stopped"
