"""The board: events and answers in any order give one picture, and nothing goes back."""

import itertools

import pytest

from tests.ui.conftest import event, generation, result_json
from videogen.schemas.generations import GenerationPage
from videogen.schemas.status import Status
from videogen.ui.board import MANY, Board

DONE = {"status": "completed", "progress": 100, "videoUrl": "/media/v"}


@pytest.fixture
def board():
    board = Board()
    board.put(generation())
    return board


def test_progress_is_a_snapshot_but_keeps_the_last_picture(board):
    board.apply(event(progress=20, step=5, totalSteps=20, message="Drawing", previewUrl="/media/p1"))
    board.apply(event(progress=30, step=6, totalSteps=20, message="Drawing", seconds=2))
    shown = board.get("gen_a")
    assert (shown.status, shown.progress, shown.step, shown.preview_url) == (Status.PROCESSING, 30, 6, "/media/p1")


def test_a_result_completes(board):
    assert board.apply(event("render_result", **result_json()))
    shown = board.get("gen_a")
    assert (shown.status, shown.video_url, shown.size_bytes) == (Status.COMPLETED, "/media/fil_a", 84_000)
    assert board.active() == []
    assert board.history() == [shown]


def test_an_error_carries_its_message(board):
    ended = {"status": "failed", "code": "render_failed", "message": "Out of memory", "retryable": True}
    assert board.apply(event("error", **ended))
    assert board.get("gen_a").error.message == "Out of memory"


def test_nothing_leaves_a_terminal_status(board):
    board.apply(event("render_result", **result_json()))
    assert not board.apply(event(progress=99, seconds=5))
    board.put(generation(seconds=9, status="processing"))
    assert board.get("gen_a").status is Status.COMPLETED


def test_an_end_counts_whatever_the_clocks_say(board):
    board.put(generation(seconds=60, status="processing"))
    assert not board.apply(event(progress=5, seconds=1))
    assert board.apply(event("render_result", seconds=1, **result_json()))


def test_an_older_answer_does_not_undo_an_event(board):
    board.apply(event(progress=50, seconds=5))
    board.put(generation(seconds=2, status="processing", progress=20))
    assert board.get("gen_a").progress == 50


def test_events_of_an_unknown_generation_wait_for_it():
    board = Board()
    board.apply(event(generation_id="gen_b", progress=70, seconds=3))
    assert board.unknown == ("gen_b",)
    board.put(generation("gen_b"))
    assert board.unknown == ()
    assert board.get("gen_b").progress == 70


def test_any_order_of_list_and_events_gives_the_same_picture():
    steps = [
        lambda board: board.put(generation(status="queued")),
        lambda board: board.put(generation(seconds=2, status="processing", progress=30)),
        lambda board: board.apply(event("render_result", seconds=4, **result_json())),
    ]
    for order in itertools.permutations(steps):
        board = Board()
        for step in order:
            step(board)
        assert board.get("gen_a").status is Status.COMPLETED
        assert board.get("gen_a").video_url == "/media/fil_a"


@pytest.mark.parametrize(
    ("known", "before", "expected"),
    [
        ([], None, None),
        ([generation("old", 1, **DONE), generation("new", 2, **DONE)], None, "new"),
        ([generation("old", 1, **DONE), generation("new", 2, **DONE)], "old", "old"),
        ([generation("old", 1, **DONE), generation("new", 2, **DONE)], "gone", "new"),
        ([generation("run1", 1), generation("run2", 2), generation("done", 3, **DONE)], "done", "run2"),
        ([generation("bad", 2, status="failed"), generation("done", 1, **DONE)], None, "done"),
        ([generation("bad", 2, status="failed")], None, None),
    ],
)
def test_what_is_shown_on_arrival(known, before, expected):
    board = Board()
    board.put_page(GenerationPage(items=known, next_cursor=None))
    board.select_on_arrival(before)
    assert board.selected_id == expected


def test_the_history_has_a_new_version_only_when_it_changed(board):
    version = board.history_version
    board.apply(event(progress=20))
    assert board.history_version == version
    board.apply(event("render_result", **result_json()))
    assert board.history_version > version


def test_what_is_gone_leaves_the_stage(board):
    board.select("gen_a")
    board.drop("gen_a")
    assert board.selected is None
    assert board.active() == []


def test_cancelling_is_over_once_it_ended(board):
    board.cancelling.add("gen_a")
    board.apply(event("error", status="cancelled", code="cancelled", message="Cancelled", retryable=False))
    assert board.cancelling == set()


def test_what_ends_before_somebody_s_eyes_is_passed_on_once_and_what_had_ended_is_not(board):
    board.put(generation("gen_b", **DONE))
    board.apply(event(progress=50))
    assert list(board.ended) == []
    board.apply(event("render_result", **result_json()))
    board.put(generation(seconds=9, **DONE))
    assert [item.id for item in board.ended] == ["gen_a"]


def test_when_it_began_is_told_by_the_first_event_of_its_render(board):
    board.put(generation("gen_q", status="queued", startedAt=None))
    board.apply(event(generation_id="gen_q", progress=0, seconds=5))
    board.apply(event(generation_id="gen_q", progress=9, seconds=8))
    shown = board.get("gen_q")
    assert (shown.updated_at - shown.started_at).total_seconds() == 3


def test_of_very_many_that_have_ended_elsewhere_the_history_is_read_again_instead_of_each():
    board = Board()
    for number in range(MANY):
        board.apply(event("render_result", f"gen_{number}", **result_json()))
    board.leave_to_history()
    assert len(board.unknown) == MANY
    board.apply(event("render_result", "gen_last", **result_json()))
    board.apply(event("render_progress", "gen_running"))
    before = board.history_version
    board.leave_to_history()
    assert board.unknown == ("gen_running",)
    assert board.history_version > before
