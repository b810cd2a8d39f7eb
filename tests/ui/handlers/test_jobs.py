"""Select, cancel, retry."""

from tests.client.answers import generation_json


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
