"""Rates and open streams of one visitor: counted by session and by address, in bounded memory."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from types import SimpleNamespace

import limits.storage.memory
import limits.strategies
import pytest
from sqlmodel import select

from videogen.core.config import AppConfig
from videogen.core.errors import Limit, LimitExceededError
from videogen.db.database import Database
from videogen.db.operating_tables import RateCountRow
from videogen.services import visitor_limits
from videogen.services.visitor_limits import RateLimits, stream_limits
from videogen.store import rates


@pytest.fixture(autouse=True)
def _time(monkeypatch, clock):
    """The limiter's time is the test's clock, ten minutes after the beginning of an hour."""
    clock.now = 3_600_600.0
    for module in (limits.storage.memory, limits.strategies, visitor_limits, rates):
        monkeypatch.setattr(module, "time", SimpleNamespace(time=clock))


@pytest.fixture(params=["memory", pytest.param("database", marks=pytest.mark.postgresql)])
def rates_of(request):
    """Makes the rates of a process with settings."""
    database = Database(request.getfixturevalue("postgresql_url")) if request.param == "database" else None
    yield lambda **settings: RateLimits(AppConfig(**settings), database)
    if database is not None:
        database.close()


def refused(rates, *arguments, **options):
    with pytest.raises(LimitExceededError) as problem:
        rates.count(*arguments, **options)
    return problem.value


def test_an_address_is_refused_over_all_its_sessions_until_the_time_has_passed(rates_of, clock):
    rates = rates_of(rate_submits="3/hour")
    for session in ("one", "two", "three"):
        rates.count("submits", "192.0.2.1", session)
    error = refused(rates, "submits", "192.0.2.1", "four")
    assert error.retry_after == 3000
    assert error.detail == (
        "Too many generations: at most 3 in one hour from one address (VIDEOGEN_RATE_SUBMITS). Try again in 50 minutes."
    )
    rates.count("submits", "192.0.2.2", "four")
    clock.now += error.retry_after + 1
    rates.count("submits", "192.0.2.1", "one")


@pytest.mark.postgresql
def test_no_address_is_stored(postgresql_url):
    with closing(Database(postgresql_url)) as database:
        limits = RateLimits(AppConfig(rate_sessions="1/hour"), database, lambda address: f"hash of {len(address)}")
        limits.count("sessions", "192.0.2.77")
        refused(limits, "sessions", "192.0.2.77")
        with pytest.raises(LimitExceededError):
            limits.check("sessions", "192.0.2.77")
        with database.read() as session:
            keys = [row.key for row in session.exec(select(RateCountRow))]
    assert any("hash of 10" in key for key in keys)
    assert not any("192.0.2.77" in key for key in keys)


def test_a_session_is_refused_over_all_its_addresses(rates_of):
    rates = rates_of(rate_uploads="2/minute")
    rates.count("uploads", "192.0.2.1", "alice")
    rates.count("uploads", "192.0.2.2", "alice")
    assert "from one session" in refused(rates, "uploads", "192.0.2.3", "alice").detail
    rates.count("uploads", "192.0.2.3", "bob")


def test_what_is_refused_does_not_count_and_several_count_as_several(rates_of):
    rates = rates_of(rate_submits="8/hour")
    rates.count("submits", "here", "alice", cost=6)
    refused(rates, "submits", "here", "alice", cost=3)
    rates.count("submits", "here", "alice", cost=2)
    assert refused(rates, "submits", "here", "bob").retry_after >= 1


def test_each_action_counts_by_itself_and_one_that_is_off_never(rates_of):
    rates = rates_of(rate_sessions="1/day", rate_claims="off")
    rates.count("sessions", "here")
    refused(rates, "sessions", "here")
    for _ in range(100):
        rates.count("claims", "here")
        rates.check("claims", "here")
    rates.count("uploads", "here", "alice")


def test_ever_new_addresses_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(visitor_limits, "MAX_COUNTERS", 100)
    rates = RateLimits(AppConfig(rate_sessions="1/hour"))
    for number in range(1000):
        rates.count("sessions", str(number))
    assert len(rates._memory.storage) <= 100
    assert len(rates._memory.expirations) <= 100
    # The newest are known.
    refused(rates, "sessions", "999")


def test_streams_are_counted_by_session_and_address_and_given_back():
    streams = stream_limits(AppConfig(max_streams_per_session=2, max_streams_per_address=3))
    with streams.slot("here", "alice"), streams.slot("here", "alice"):
        with pytest.raises(LimitExceededError, match="at most 2 of one session"), streams.slot("here", "alice"):
            pass
        with streams.slot("here", "bob"):
            with pytest.raises(LimitExceededError, match="at most 3 of one address"), streams.slot("here"):
                pass
            with streams.slot("there", "bob"):
                assert streams.open_count == 4
        with pytest.raises(ValueError, match="broken"), streams.slot("here", "bob"):
            raise ValueError("broken")
    assert streams.open_count == 0
    assert not streams._open


def test_a_refusal_names_its_limit_in_fields_for_who_words_it(rates_of):
    rates = rates_of(rate_submits="2/hour")
    rates.count("submits", "address", "session", cost=2)
    assert refused(rates, "submits", "address", "session").limit == Limit("submits_per_address", 2, window_seconds=3600)


@pytest.mark.databases("postgresql")
def test_processes_count_together_and_what_is_rolled_back_does_not_count(database, clock):
    first, second = (RateLimits(AppConfig(rate_submits="3/hour"), database) for _ in range(2))
    first.count("submits", "here", "alice", cost=2)
    with suppress(ValueError), database.write() as unit:
        second.count("submits", "here", "alice", unit=unit)
        raise ValueError
    second.count("submits", "here", "bob")
    refused(first, "submits", "here", "carol")
    with pytest.raises(LimitExceededError), database.write() as unit:
        second.count("submits", "here", "carol", unit=unit)
    with pytest.raises(LimitExceededError):
        second.check("submits", "here")
    clock.now += 2 * 3600
    first.count("submits", "here", "alice", cost=3)


@pytest.mark.databases("postgresql")
def test_many_at_once_get_no_more_than_the_rate(database):
    both = [RateLimits(AppConfig(rate_claims="7/hour"), Database(database.url)) for _ in range(2)]

    def guess(number):
        try:
            both[number % 2].count("claims", "here")
        except LimitExceededError:
            return 0
        return 1

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(guess, range(40))) == 7
    for one in both:
        one._database.close()
