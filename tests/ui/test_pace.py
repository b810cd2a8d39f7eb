"""The pace: fast for one page, slower for many and in a busy process, and never stopped by one that stalls."""

import pytest

from videogen.ui.pace import FASTEST, SHARE, SLOWEST, WINDOW, Pace


class Clock:
    now = 100.0
    spent = 7.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pace(clock):
    return Pace(clock, lambda: clock.spent)


def live(pace, clock, pages, cost, seconds=20.0):
    """Every page is told something as often as the pace allows, at `cost` processor seconds for each turn."""
    end = clock.now + seconds
    while clock.now < end:
        due = [page for page in pages if pace.pause(page) <= 0]
        for page in due:
            pace.turned(page)
            clock.spent += cost
        clock.now += 0.01


def test_the_first_frame_waits_for_nothing(pace):
    assert pace.pause("page") == 0


def test_one_page_is_told_at_the_fastest_rate(pace, clock):
    live(pace, clock, ["page"], 0.002)
    pace.turned("page")
    assert pace.pause("page") == pytest.approx(FASTEST)
    clock.now += 0.2
    assert pace.pause("page") < 0


@pytest.mark.parametrize(("pages", "cost"), [(100, 0.002), (60, 0.004), (20, 0.01)])
def test_many_pages_share_the_process(pace, clock, pages, cost):
    live(pace, clock, range(pages), cost)
    assert pace.interval == pytest.approx(pages * cost / SHARE, rel=0.2)


def test_what_else_the_process_does_makes_turns_rarer(pace, clock):
    live(pace, clock, range(50), 0.002)
    quiet = pace.interval
    live(pace, clock, range(50), 0.006)
    assert pace.interval > 2 * quiet
    live(pace, clock, range(50), 0.002)
    assert pace.interval == pytest.approx(quiet, rel=0.2)


def test_it_never_gets_slower_than_a_person_would_bear(pace, clock):
    live(pace, clock, range(1000), 0.05, seconds=5)
    assert pace.interval == SLOWEST


def test_pages_that_are_quiet_or_gone_do_not_count(pace, clock):
    live(pace, clock, range(100), 0.002)
    for number in range(50):
        pace.left(number)
    live(pace, clock, range(50, 100), 0.002)
    assert pace.interval == pytest.approx(50 * 0.002 / SHARE, rel=0.2)
    live(pace, clock, [50], 0.002)
    assert pace.interval == FASTEST


def test_one_page_that_stalls_does_not_slow_down_the_others(pace, clock):
    live(pace, clock, ["awake"], 0.002)
    pace.turned("asleep")
    clock.now += 3600
    live(pace, clock, ["awake"], 0.002, seconds=4 * WINDOW)
    assert pace.interval == FASTEST
