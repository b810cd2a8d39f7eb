"""Select, cancel, retry."""

import pytest

from tests.client.answers import generation_json
from tests.ui.conftest import at, generation
from videogen.client import ApiError


async def test_select_puts_it_on_the_stage(api, tab, click):
    api.session("mine", generation_json("gen_a"))
    await click("select", generationId="gen_a")
    assert tab.board.selected_id == "gen_a"


async def test_one_that_is_gone_is_said_to_be(api, tab, click):
    await click("select", generationId="gen_x")
    assert tab.board.selected_id is None
    assert tab.notice.text == "This generation is not there any more."


async def test_retry_shows_the_new_one(api, tab, click):
    api.session("mine", generation_json("gen_a", status="failed"))
    await click("retry", generationId="gen_a")
    assert tab.board.selected_id == "gen_a-again"


PARKED = {"status": "processing", "stage": "needs_attention", "attention": {"providerId": "7"}}


@pytest.fixture
def parked(api, tab):
    """One that needs attention, on the stage."""
    api.session("mine", generation_json("gen_a", **PARKED))
    tab.board.put(generation("gen_a", **PARKED))
    tab.board.select("gen_a")


@pytest.mark.parametrize(("action", "status"), [("look", "queued"), ("fail", "failed")])
async def test_what_needs_attention_is_looked_for_or_given_up(api, tab, click, parked, action, status):
    await click("resolve", generationId="gen_a", action=action)
    assert (tab.board.selected_id, tab.board.selected.status) == ("gen_a", status)


async def test_it_is_sent_again_only_after_a_question(api, tab, click, html, parked):
    await click("ask-resubmit", generationId="gen_a")
    assert "you may pay twice" in html("dialog")
    assert api.paths("POST") == []
    await click("resolve", generationId="gen_a", action="resubmit")
    assert (tab.board.selected_id, tab.dialog) == ("gen_new", None)


async def test_a_decision_that_came_too_late_is_refused_and_shows_what_is(api, tab, click, parked):
    api.session("mine", generation_json("gen_a", status="queued", updatedAt=at(9)))
    with pytest.raises(ApiError, match="needs_no_attention"):
        await click("resolve", generationId="gen_a", action="look")
    assert tab.board.selected.status == "queued"
    await click("ask-resubmit", generationId="gen_a")
    assert tab.dialog is None


async def test_nobody_decides_anything_else(api, tab, click, parked):
    await click("resolve", generationId="gen_a", action="pay")
    assert api.paths("POST") == []


async def test_the_log_is_shown_in_a_dialog(api, tab, click, html):
    api.session("mine", generation_json("gen_a", status="failed"))
    api.logs["gen_a"] = "x" * 100_000 + "<b>Traceback</b>"
    await click("log", generationId="gen_a")
    assert "&lt;b&gt;Traceback&lt;/b&gt;</pre>" in html("dialog")
    assert "Only the end is shown here." in html("dialog")
    api.logs["gen_a"] = ""
    await click("log", generationId="gen_a")
    assert "The engine printed nothing." in html("dialog")


async def test_renew_reads_it_again(api, tab, click):
    tab.board.put(generation("gen_a", status="completed", videoUrl="/media/old"))
    api.session("mine", generation_json("gen_a", status="completed", videoUrl="/media/new"))
    await click("renew", generationId="gen_a")
    assert tab.board.get("gen_a").video_url == "/media/new"
