"""Notices on return, steps through the history, and what a visitor chooses for the page."""

from tests.ui.conftest import at, event, generation, result_json
from videogen.ui.away import away_notice
from videogen.ui.signals import signals
from videogen.ui.tab import Notice


async def test_coming_back_does_not_replace_what_stands_there(tab, click):
    tab.board.put(generation("gen_a", seconds=10, status="completed", finishedAt=at(10)))
    tab.notice = Notice("Deleted.", undo=("gen_b",))
    await click("back", since=1)
    assert tab.notice.undo == ("gen_b",)
    tab.notice = None
    await click("back", since=1)
    assert "1 finished" in tab.notice.text


async def test_coming_back_shows_what_was_changed_elsewhere(tab, click, api):
    """No event says what was deleted or renamed."""
    tab.board.put(generation("gen_a", status="completed"))
    tab.board.select("gen_a")
    await click("back", since=1)
    assert tab.board.selected_id is None
    assert tab.history.outdated.is_set()


def test_what_ended_before_ones_eyes_is_not_told_as_missed(tab, monkeypatch):
    monkeypatch.setattr("videogen.ui.signals.time", lambda: 0.0)
    tab.board.put(generation("gen_a", status="processing"))
    tab.board.apply(event("render_result", seconds=5, **result_json()))
    ended = tab.board.get("gen_a")
    assert signals(tab)["now"] == ended.finished_at.timestamp()
    assert away_notice(tab, signals(tab)["now"]) is None


async def test_choices_are_kept_by_the_browser_and_a_switch_that_cannot_be_on_says_why(tab, click, html):
    await click("help")
    assert "Play or pause" in html("dialog")
    await click("choose", name="sound", value=True)
    await click("choose", name="notify", value=False, why="refused")
    assert signals(tab)["choices"] == {"theme": "", "notify": False, "sound": True, "keys": True}
    assert "does not allow notifications" in html("dialog")
    await click("choose", name="theme", value="purple")
    assert tab.choices.theme == ""


async def test_steps_go_through_the_history_and_not_past_its_ends(tab, click, api):
    made = [generation(name, seconds=seconds, status="completed") for name, seconds in (("gen_b", 2), ("gen_a", 1))]
    api.session("mine", *(one.model_dump(mode="json", by_alias=True) for one in made))
    tab.history.items = tuple(made)
    tab.board.put(made[0])
    tab.board.select("gen_b")
    for by, shown in (("-1", "gen_b"), ("1", "gen_a"), ("1", "gen_a"), ("-1", "gen_b")):
        await click("step", by=by)
        assert tab.board.selected_id == shown
