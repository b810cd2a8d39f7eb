"""Search, filters, pages, favourites, titles; Back and Forward."""

import pytest

from tests.ui.test_arrival import made, query
from videogen.ui.handlers.history import search
from videogen.ui.signals import signals


def listed(tab):
    return [item.id for item in tab.history.items]


@pytest.fixture
async def three(arrive):
    await arrive(
        made("gen_lake", 0, prompt="calm lake"),
        made("gen_storm", 1, prompt="storm", status="failed"),
        made("gen_cafe", 2, prompt="Café in the rain", type="image"),
    )


async def test_words_and_filters_narrow_the_list_and_clear_brings_all_back(three, tab, click):
    await search(tab, " storm ")
    assert listed(tab) == ["gen_storm"]
    await click("filter", name="type", value="image")
    assert listed(tab) == []
    assert query(tab) == "?q=storm&type=image"
    await click("clear-filters")
    assert listed(tab) == ["gen_cafe", "gen_storm", "gen_lake"]
    assert tab.history.search == "", "the field is emptied"
    assert query(tab) == ""


async def test_a_filter_that_is_pressed_again_is_gone(three, tab, click):
    await click("filter", name="status", value="failed")
    assert listed(tab) == ["gen_storm"]
    await click("filter", name="status", value="completed")
    assert listed(tab) == ["gen_cafe", "gen_lake"]
    await click("filter", name="status", value="completed")
    assert len(listed(tab)) == 3


async def test_what_is_typed_is_no_step_and_no_order_to_the_field(three, tab, click):
    before = signals(tab)
    await search(tab, "lake")
    assert tab.history.search is None
    assert signals(tab)["address"]["step"] == before["address"]["step"]
    await click("filter", name="favorite", value="true")
    assert signals(tab)["address"]["step"] == before["address"]["step"] + 1


async def test_pages_are_gone_through_and_a_new_one_comes_on_the_first(api, tab, arrive, click):
    api.page_size = 2
    await arrive(*(made(f"gen_{n}", n) for n in range(5)))
    await click("older")
    await click("older")
    assert listed(tab) == ["gen_0"]
    await click("older")
    assert listed(tab) == ["gen_0"]
    await click("newer")
    assert listed(tab) == ["gen_2", "gen_1"]
    api.sessions["mine"]["gen_5"] = made("gen_5", 5)
    await click("newer")
    assert listed(tab) == ["gen_5", "gen_4"]
    await click("newer")
    assert query(tab) == ""


async def test_favourites_and_titles_change_the_entry_and_what_matches(three, tab, click, html):
    await click("favorite", generationId="gen_lake", on="false")
    assert 'data-on="true"' in html("history")
    await click("filter", name="favorite", value="true")
    assert listed(tab) == ["gen_lake"]
    await click("favorite", generationId="gen_lake", on="true")
    assert listed(tab) == []
    await click("clear-filters")
    await click("entry", generationId="gen_storm")
    assert 'value=""' in html("dialog")
    await click("rename", generationId="gen_storm", title="  Big waves ")
    assert tab.dialog is None
    assert "Big waves" in html("history")
    assert tab.board.get("gen_storm").title == "Big waves"


async def test_titles_and_prompts_stay_text_in_the_dialog(tab, arrive, click, html):
    odd = '"><script>bad()</script>${window.bad=1}{{x}}'
    await arrive(made("gen_a", prompt=odd, title=odd))
    await click("entry", generationId="gen_a")
    assert "<script>" not in html("dialog")
    assert 'value="&#34;&gt;&lt;script&gt;bad()&lt;/script&gt;${window.bad=1}{{x}}"' in html("dialog")


async def test_one_that_is_gone_is_said_to_be(api, three, tab, click):
    for name, data in (("favorite", {"on": "false"}), ("rename", {"title": "x"}), ("entry", {})):
        tab.notice = None
        await click(name, generationId="gen_none", **data)
        assert tab.notice.text == "This generation is not there any more."


async def test_back_and_forward_show_what_was_shown(three, tab, click, html):
    await click("select", generationId="gen_lake")
    await click("filter", name="status", value="failed")
    there = query(tab)
    await click("go", search="", shown="gen_cafe")
    assert tab.board.selected_id == "gen_cafe"
    assert len(listed(tab)) == 3
    assert query(tab) == ""
    await click("go", search=there, shown="gen_lake")
    assert (tab.board.selected_id, listed(tab), query(tab)) == ("gen_lake", ["gen_storm"], there)
    await click("go", search="?generation=gen_none", shown="gen_none")
    assert tab.board.selected_id is None
    assert "it was deleted" in html("notice")


async def test_back_to_where_nothing_was_named_shows_the_newest(three, tab, click):
    await click("select", generationId="gen_lake")
    await click("go", search="")
    assert tab.board.selected_id == "gen_cafe"
