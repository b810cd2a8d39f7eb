"""Select, cancel, retry."""

from tests.client.answers import generation_json
from tests.ui.conftest import generation


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
