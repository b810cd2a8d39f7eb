"""The pace: fast for one page, slower for many, and never stopped by one that stalls."""

import pytest

from videogen.ui.pace import FASTEST, SLOWEST, Pace


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pace(clock):
    return Pace(clock)


def test_the_first_frame_waits_for_nothing(pace):
    assert pace.pause("page") == 0


def test_one_page_is_told_at_the_fastest_rate(pace, clock):
    pace.turned("page", 0.002)
    assert pace.pause("page") == pytest.approx(FASTEST)
    clock.now += 0.2
    assert pace.pause("page") < 0


def test_many_pages_share_the_process(pace):
    for number in range(200):
        pace.turned(number, 0.002)
    assert pace.interval == pytest.approx(200 * 0.002 / 0.5, rel=0.2)


def test_it_never_stops(pace):
    for number in range(10_000):
        pace.turned(number, 0.1)
    assert pace.interval == SLOWEST


def test_pages_that_are_quiet_or_gone_do_not_count(pace, clock):
    for number in range(100):
        pace.turned(number, 0.002)
    for number in range(50):
        pace.left(number)
    assert pace.interval == pytest.approx(50 * 0.002 / 0.5, rel=0.2)
    clock.now += SLOWEST + 0.1
    assert pace.interval == FASTEST


def test_one_page_that_stalls_does_not_slow_down_the_others(pace):
    pace.turned("asleep", 3600)
    assert pace.interval <= 2 * FASTEST
