"""The queue on the page: one line for each, in the order of service."""

import re

from tests.ui.conftest import event, generation
from videogen.schemas.generations import Queue


def lines(html):
    return re.findall(r'<li data-generation-id="(\w+)" data-status="(\w+)"', html("queue"))


def test_what_runs_comes_first_then_what_waits_by_its_position(tab, html):
    for name, place in (("gen_c", 2), ("gen_b", 1)):
        tab.board.put(generation(name, queuePosition=place, expectedWaitSeconds=30))
    tab.board.put(generation("gen_a", status="processing", progress=40, etaSeconds=12, queuePosition=None))
    assert lines(html) == [("gen_a", "processing"), ("gen_b", "queued"), ("gen_c", "queued")]
    assert "40 % · about 12 s left" in html("queue")
    assert "Next in line · starts in about 30 s" in html("queue")


def test_a_paused_queue_says_so_and_has_the_order_of_the_api(tab, html):
    waiting = [generation(name, stage="paused", queuePosition=None) for name in ("gen_c", "gen_a", "gen_b")]
    tab.board.put_queue(Queue(paused=True, items=waiting))
    assert [name for name, _ in lines(html)] == ["gen_c", "gen_a", "gen_b"]
    assert "Paused: nothing new begins." in html("queue")
    assert 'data-do="resume">Go on<' in html("queue")


def test_a_queue_that_is_paused_in_another_tab_says_so(tab, html):
    tab.board.put_queue(Queue(paused=False, items=[generation()]))
    assert 'data-do="pause"' in html("queue")
    tab.board.apply(event(status="queued", stage="paused", attempt=0))
    assert 'data-do="resume"' in html("queue")
    assert tab.board.queue_outdated, "its order is in no event"
    tab.board.apply(event(seconds=2, status="queued", stage="queued", queuePosition=1, attempt=0))
    assert 'data-do="pause"' in html("queue")


def test_an_empty_queue_is_not_shown_unless_it_is_paused(tab, html):
    assert "queue-title" not in html("queue").replace('aria-labelledby="queue-title"', "")
    tab.board.put_queue(Queue(paused=True, items=[]))
    assert 'data-do="resume"' in html("queue")


def test_an_event_of_another_recipe_has_the_generation_read_again(tab):
    tab.board.put(generation(recipeHash="old"))
    tab.board.apply(event(status="queued", recipeHash="old"))
    assert tab.board.unknown == ()
    tab.board.apply(event(seconds=2, status="queued", recipeHash="new"))
    assert tab.board.unknown == ("gen_a",)
    tab.board.put(generation(seconds=2, recipeHash="new", prompt="fog"))
    assert (tab.board.unknown, tab.board.get("gen_a").prompt) == ((), "fog")


def test_a_long_prompt_is_whole_in_sight_and_short_where_it_is_read_out(tab, html):
    tab.board.put(generation(prompt="<b>" + "fog " * 60))
    assert f'title="&lt;b&gt;{"fog " * 60}"' in html("queue")
    assert f'aria-label="Drop: &lt;b&gt;{"fog " * 19}'.strip() in html("queue")
    assert "<b>" not in html("queue")


def test_six_lines_can_be_scrolled_by_keyboard(tab, html):
    for number in range(6):
        assert "tabindex" not in html("queue")
        tab.board.put(generation(f"gen_{number}", queuePosition=number + 1))
    assert 'id="active" aria-labelledby="queue-title" tabindex="0"' in html("queue")
