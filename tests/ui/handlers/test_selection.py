"""Several at once: select, delete and bring back, one zip; the trash."""

import pytest

from tests.ui.test_arrival import made, query
from videogen.ui.address import Address
from videogen.ui.arrival import read_address
from videogen.ui.handlers.selection import take_over
from videogen.ui.tab import Tab


def listed(tab):
    return [item.id for item in tab.history.items]


@pytest.fixture
async def four(arrive):
    await arrive(*(made(f"gen_{name}", n, prompt=f"prompt {name}") for n, name in enumerate("dcba")))


async def test_entries_are_selected_one_by_one_in_ranges_and_all(four, tab, click, html):
    await click("pick-start", generationId="gen_a")
    await click("pick", generationId="gen_c", shift=True)
    assert tab.history.picked_ids() == ["gen_a", "gen_b", "gen_c"]
    await click("pick", generationId="gen_b", shift=False)
    assert tab.history.picked_ids() == ["gen_a", "gen_c"]
    assert html("history").count('data-do="pick" aria-pressed="true"') == 2
    assert ">2 selected<" in html("selection")
    await click("pick-here")
    assert ">Select none<" in html("selection")
    await click("pick-here")
    assert ">Nothing selected<" in html("selection")
    await click("pick-end")
    assert html("selection").strip() == ""
    assert 'data-do="select"' in html("history")


async def test_all_that_match_are_selected_on_every_page(api, four, tab, click):
    api.page_size = 2
    await click("clear-filters")
    await click("pick-start")
    await click("pick-all")
    assert tab.history.picked_ids() == ["gen_a", "gen_b", "gen_c", "gen_d"]


async def test_a_zip_of_the_selected_ones_is_downloaded(four, tab, click):
    await click("pick", generationId="gen_c")
    await click("pick", generationId="gen_a")
    await click("zip")
    assert tab.download == "/zips/a"
    assert tab.notice.text == "A zip of 2 is being downloaded."
    tab.history.pick_all(f"gen_{n}" for n in range(1001))
    await click("zip")
    assert "at most 1,000" in tab.notice.text


async def test_what_is_deleted_leaves_list_and_stage_and_comes_back_to_both(four, tab, click, html):
    await click("select", generationId="gen_b")
    await click("trash", generationId="gen_b")
    assert listed(tab) == ["gen_a", "gen_c", "gen_d"]
    assert tab.board.selected_id == "gen_c", "the older neighbour"
    assert query(tab) == "?generation=gen_c"
    assert tab.notice.text == "Deleted “prompt b”."
    assert 'id="undo"' in html("notice")
    await click("restore", ids=" ".join(tab.notice.undo))
    assert listed(tab) == ["gen_a", "gen_b", "gen_c", "gen_d"]
    assert tab.board.selected_id == "gen_b"


async def test_the_address_does_not_keep_what_was_deleted(arrive, tab, click):
    await arrive(made("gen_a"), search="?generation=gen_a")
    await click("trash", generationId="gen_a")
    assert query(tab) == ""


async def test_selected_ones_are_deleted_together(four, tab, click):
    for name in ("gen_c", "gen_d", "gen_a", "gen_b"):
        await click("pick", generationId=name)
    await click("trash")
    assert (listed(tab), tab.board.selected_id, tab.history.picked) == ([], None, None)
    assert tab.notice.text == "Deleted 4."
    await click("restore")
    assert len(listed(tab)) == 4
    assert tab.notice.text == "4 were restored."


async def test_what_still_runs_or_is_gone_is_not_deleted(api, four, tab, click):
    api.sessions["mine"]["gen_now"] = made("gen_now", 9, status="processing")
    await click("trash", generationId="gen_now")
    assert tab.notice.text == "What is still running cannot be deleted: cancel it first."
    await click("trash", generationId="gen_none")
    assert tab.notice.text == "It was not there any more."


async def test_the_trash_shows_until_when_each_can_be_restored(four, tab, click, html):
    await click("trash", generationId="gen_a")
    await click("trash", generationId="gen_b")
    await click("open-trash")
    assert "until 1 November 2026, 13:00" in html("dialog")
    await click("restore", generationId="gen_a")
    assert listed(tab) == ["gen_a", "gen_c", "gen_d"]
    assert 'data-generation-id="gen_a"' not in html("dialog"), "the dialog stays, without it"
    assert 'data-generation-id="gen_b"' in html("dialog")
    await click("restore", generationId="gen_b")
    assert "The trash is empty." in html("dialog")


async def test_what_another_tab_of_the_browser_changes_shows_at_once(api, four, tab, click, client, html):
    other = Tab(client.as_session("mine"), tab.texts, token="mine")
    await read_address(other, Address(), await other.client.list())
    other.board.choose("gen_b")
    other.history.pick("gen_c")
    await click("rename", generationId="gen_b", title="a new name")
    take_over(other, tab)
    assert other.board.selected.title == other.history.items[1].title == "a new name"
    assert other.history.picked_ids() == ["gen_c"]
    assert other.history.outdated.is_set()
    tab.changed.clear()
    await click("trash", generationId="gen_b")
    take_over(other, tab)
    assert listed(other) == ["gen_a", "gen_c", "gen_d"]
    assert other.board.selected_id == "gen_c", "the older neighbour"
