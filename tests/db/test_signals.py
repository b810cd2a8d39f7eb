"""Messages and events reach every process that uses one PostgreSQL; each `Database` here stands for a process."""

import threading
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from sqlalchemy import make_url

from videogen.db import postgresql_signals
from videogen.db.database import Database
from videogen.db.signals import Subscribers
from videogen.store.events import append_event

_LISTENERS = "WHERE query LIKE 'LISTEN%' AND datname = current_database()"
TIMEOUT = 20
"""Seconds after which a wait has failed."""


class Heard:
    """Records what it is called with."""

    def __init__(self):
        self.all = []
        self._changed = threading.Condition()

    def __call__(self, what):
        with self._changed:
            self.all.append(what)
            self._changed.notify_all()

    def wait_for(self, count):
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.all) >= count, TIMEOUT), self.all
        return self.all


@pytest.fixture
def heard(database):
    heard = Heard()
    database.subscribe("news", heard)
    return heard


@contextmanager
def another_process(url):
    database = Database(url)
    try:
        yield database
    finally:
        database.close()


@pytest.mark.databases("sqlite", "postgresql")
def test_a_message_comes_with_the_commit_and_never_without_it(database, heard):
    def fail():
        with database.write() as unit:
            unit.notify("news", "never")
            raise RuntimeError("rolled back")

    with pytest.raises(RuntimeError, match="rolled back"):
        fail()
    with database.write() as unit:
        unit.notify("news", "first")
        unit.notify("others", "not for it")
        unit.notify("news", "second")
    database.signal("news", "by itself")
    assert heard.wait_for(3) == ["first", "second", "by itself"]


@pytest.mark.databases("postgresql")
def test_messages_and_events_reach_other_processes_as_they_were(database, database_url, submit, alice, heard):
    row, events = submit(alice), Heard()
    with another_process(database_url) as other:
        other.listen(events)
        with other.write() as unit:
            unit.notify("news", "from another")
        assert heard.wait_for(1) == ["from another"]
        sent = []
        with database.write() as unit:
            append_event(unit, row)
            sent += unit.events
        (received,) = events.wait_for(1)
    assert received == sent
    assert received[0].subject == sent[0].subject


@pytest.mark.databases("postgresql")
def test_many_and_long_events_of_one_commit_come_together(database, submit, alice):
    row, events = submit(alice), Heard()
    database.listen(events)
    with database.write() as unit:
        for message in ["short", "x" * 20_000, *("y" * 700 for _ in range(40)), "ü" * 5_000]:
            row.message = message
            append_event(unit, row)
        sent = unit.events
    assert events.wait_for(1) == [sent]


def test_a_commit_in_whose_middle_the_time_of_a_look_is_over_comes_whole(submit, store, alice):
    """The server sends its notifications one after the other, and a look ends after some seconds."""
    row, events, subscribers = submit(alice), Heard(), Subscribers()
    subscribers.listeners.append(events)
    signals = postgresql_signals.PostgreSQLSignals(make_url("postgresql://"), {}, subscribers)
    with store.database.write() as unit:
        for _ in range(40):
            row.message = "x" * 700
            append_event(unit, row)
        sent = unit.events
    texts = [*postgresql_signals._packed(sent)]
    assert len(texts) > 2
    for some in (texts[:1], texts[1:]):
        notices = iter([SimpleNamespace(payload=text) for text in some])
        signals._receive(SimpleNamespace(notifies=lambda timeout, found=notices: found, execute=lambda _: None))
    assert events.all == [sent]


@pytest.mark.databases("postgresql")
def test_after_a_break_everybody_hears_that_something_may_be_lost_and_then_everything(
    database, database_url, postgresql, heard, caplog
):
    later = Heard()
    database.subscribe("broken", _fail)
    database.subscribe("after the broken one", later)
    database.signal("news", "before")
    heard.wait_for(1)
    with postgresql.connect(database_url) as operator:
        operator.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity " + _LISTENERS)
    assert heard.wait_for(2) == ["before", ""]
    assert later.wait_for(1) == [""]
    database.signal("news", "after")
    assert heard.wait_for(3) == ["before", "", "after"]
    assert "was lost" in caplog.text


def _fail(text):
    raise ValueError(text)


@pytest.mark.databases("postgresql")
def test_a_subscriber_that_fails_ends_nothing(database, heard, caplog):
    database.subscribe("broken", _fail)
    database.signal("broken", "bad news")
    database.signal("news", "good news")
    assert heard.wait_for(1) == ["good news"]
    assert "bad news" in caplog.text


@pytest.mark.databases("postgresql")
def test_closing_ends_the_thread_at_once_and_is_safe_to_repeat(database_url, monkeypatch):
    monkeypatch.setattr(postgresql_signals, "_CHECK_SECONDS", 3600)
    with another_process(database_url) as other:
        other.subscribe("news", print)
        (thread,) = [thread for thread in threading.enumerate() if thread.name == "signals"]
        other.close()
        other.close()
        assert not thread.is_alive()
